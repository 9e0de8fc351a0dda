"""What protects people, on the page: by keyboard, by mouse and from a file it is the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import Reader, browser, overflow, reader, violations
from support.ledger_scene import SMALL, LedgerScene, result, sha
from support.report_page import card
from support.review_server import campaign, config, enter, server, until

from pipeline import protection
from pipeline.model import Decision, Review
from pipeline.protection import Mask, MaskPoint, Need, Protect, SoundChange, SoundChangeKind
from pipeline.review import decisions
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "reader", "server"]  # fixtures


def opened(page: Page, name: str) -> None:
    """The player with a clip whose film is loaded."""
    page.locator(card(page, name)).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#player-name")).to_have_text(f"{name}.mov")
    video = page.locator("#player-video").element_handle()
    page.wait_for_function("video => video.readyState >= 2 && !video.seeking", arg=video)


def stored(campaign: LedgerScene, name: str) -> Review:
    return campaign.ledger.reviews.current().get(sha(name), Review())


def comparable(review: Review) -> Review:
    """A review without its time, and without where exactly its mask was dropped."""
    masks = tuple(replace(mask, points=(), by="") for mask in review.masks)
    return replace(review, at=None, by="", masks=masks, seen_by=())


def approved_clips_say_what_keeps_them_out(page: Page) -> None:
    page.keyboard.press("f")
    for name, why in (("one", "Ask the sender. It is in no film"), ("two", "Withheld from films")):
        expect(page.locator(f"{card(page, name)} .hold")).to_contain_text(why)


def watch_to_the_end(page: Page, speed: str = "2 ×") -> None:
    shown = page.locator("#player-speed")
    while speed not in (before := shown.inner_text()):
        page.keyboard.press(".")  # faster
        expect(shown).not_to_have_text(before)
    page.keyboard.press(" ")
    video = page.locator("#player-video").element_handle()
    page.wait_for_function("video => video.paused && video.currentTime > 2.9", arg=video)


def approve_with_and_without_watching(
    page: Page, reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    """Approve the first clip, of 3 s: who leaves out its beginning has not watched it.

    Neither has somebody who watched it before it was made with its masks, or who played it faster
    than at double speed.
    """
    keys = page.keyboard
    watch_to_the_end(page)
    keys.press("a")
    until(page, lambda: stored(campaign, "one").decision is Decision.APPROVED)
    assert stored(campaign, "one").seen_by == ()
    review, made = stored(campaign, "one"), result("one", source=SMALL)
    hides = protection.hidden(review.masks, review.sounds)
    campaign.clip(replace(made, outputs=(replace(made.outputs[0], hides=hides),)), plays=True)
    keys.press("f")
    page, _ = enter(reader, server)
    keys = page.keyboard
    opened(page, "one")
    keys.press("g")
    keys.type("0.4")
    keys.press("Enter")
    watch_to_the_end(page)
    keys.press("a")
    keys.press("1")
    until(page, lambda: stored(campaign, "one").stars == 1)
    assert stored(campaign, "one").seen_by == ()
    keys.press("0")
    until(page, lambda: stored(campaign, "one").stars == 0)
    keys.press("Home")
    watch_to_the_end(page, "4 ×")
    keys.press("a")
    keys.press("1")  # a star
    until(page, lambda: stored(campaign, "one").stars == 1)
    assert stored(campaign, "one").seen_by == ()
    keys.press("0")
    until(page, lambda: stored(campaign, "one").stars == 0)
    keys.press(",")
    expect(page.locator("#player-speed")).to_contain_text("2 ×")
    keys.press("Home")
    watch_to_the_end(page)
    keys.press("a")
    until(page, lambda: stored(campaign, "one").seen_by == ("ada",))


def a_mask_stays_in_the_picture(page: Page, middle: tuple[float, float], across: float) -> None:
    """Drag the only mask out of the picture: it would hide nothing, so it is where it was."""
    place = page.locator(".mask").get_attribute("style")
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + across, middle[1], steps=3)
    page.mouse.up()
    expect(page.locator("#player-said")).to_contain_text("hide nothing")
    assert page.locator(".mask").get_attribute("style") == place


@pytest.mark.windows
def test_keyboard_mouse_and_file_write_the_same(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    campaign.clip(result("two", source=SMALL, warnings=("withheld",)), plays=True)
    page, watch = enter(reader, server)
    keys, mouse = page.keyboard, page.mouse
    opened(page, "one")
    keys.press("d")
    for _ in range(5):
        keys.press("ArrowRight")
    keys.press("Shift+ArrowDown")
    keys.press("Escape")
    keys.press("s")
    expect(page.locator("#player-tools")).to_contain_text("silent there: the films have no music")
    page.get_by_label("Hidden from").press("ArrowDown")
    page.get_by_label("ask the sender").focus()
    keys.press(" ")
    page.locator("#player").focus()
    approve_with_and_without_watching(page, reader, server, campaign)

    opened(page, "two")
    watch_to_the_end(page)
    page.get_by_role("button", name="Mask: rectangle").click()
    shape = page.locator(".mask").bounding_box()
    assert shape
    middle = shape["x"] + shape["width"] / 2, shape["y"] + shape["height"] / 2
    a_mask_stays_in_the_picture(page, middle, 4 * shape["width"])
    mouse.move(*middle)
    mouse.down()
    mouse.move(middle[0] + shape["width"] / 4, middle[1], steps=3)
    mouse.up()
    page.get_by_role("button", name="Mute the clip").click()
    page.get_by_label("Hidden from").select_option("public")
    page.get_by_label("Hidden from").press("p")  # a key of the player, and no other choice
    page.get_by_label("ask the sender").check()
    page.locator("#player").focus()
    keys.press("ArrowRight")  # a film that moves, and was played only before it was masked
    page.locator("#player-decide button", has_text="Approve").click()
    until(page, lambda: stored(campaign, "two").decision is Decision.APPROVED)
    approved_clips_say_what_keeps_them_out(page)

    entry = {
        "sha256": sha("three"),
        "decision": "approved",
        "masks": [{"points": [{"at_s": 0, "x": 0.45, "y": 0.35, "width": 0.2, "height": 0.31}]}],
        "sounds": [{"kind": "mute"}],
        "protect": "public",
        "needs": ["ask-the-sender"],
    }
    file = Path(campaign.workspace.root) / "decisions.json"
    text = {"schema": 1, "campaign": server.config.campaign.name, "decisions": [entry]}
    file.write_text(json.dumps(text))
    decisions.take_file(campaign.ledger, file, "ada", campaign=server.config.campaign.name)

    one, two, three = (stored(campaign, name) for name in ("one", "two", "three"))
    assert comparable(one) == comparable(two) == comparable(three)
    assert one.masks == three.masks
    assert one.masks[0].points == (MaskPoint(0.0, 0.45, 0.35, 0.2, 0.31),)
    assert two.masks[0].points[0].x == pytest.approx(0.45, abs=0.004)
    assert three.sounds == (SoundChange(SoundChangeKind.MUTE),)
    assert (three.protect, three.needs) == (Protect.PUBLIC, (Need.ANSWER,))
    assert (one.seen_by, two.seen_by) == (("ada",), ())
    assert watch.errors == []


def masks_are_in_fractions_of_the_frame(page: Page, campaign: LedgerScene) -> None:
    """In a film whose pictures change their size; one was drawn on a frame of another shape."""
    opened(page, "two")
    page.get_by_role("button", name="1: rectangle").click()
    expect(page.locator("#player-tools li")).to_contain_text("another output (1080x1920 fill)")
    expect(page.locator(".mask")).to_be_hidden()
    page.locator("#player").focus()
    page.keyboard.press("d")
    until(page, lambda: len(stored(campaign, "two").masks) == 2)
    assert [mask.frame for mask in stored(campaign, "two").masks] == [
        "1080x1920 fill",
        "1920x1080 fill",
    ]
    drawn = page.locator(".mask").last
    assert drawn.evaluate("it => parseFloat(it.style.left)") == pytest.approx(40)


def test_a_mask_moves_between_moments_and_ends(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    campaign.clip(result("two", source=SMALL, warnings=("size-changes",)), plays=True)
    upright = Mask((MaskPoint(0.0, 0.5, 0.5, 0.1, 0.1),), frame="1080x1920 fill")
    campaign.ledger.reviews.amend(sha("two"), lambda review: replace(review, masks=(upright,)))
    page, watch = enter(reader, server)
    keys = page.keyboard
    opened(page, "one")
    keys.press("v")
    keys.press("Escape")
    for _ in range(2):
        keys.press("Shift+ArrowRight")
    expect(page.locator("#player-time")).to_contain_text("frame 60")
    page.locator(".mask").focus()
    until(page, lambda: bool(stored(campaign, "one").masks))
    before = campaign.ledger.reviews.trail_end()
    for _ in range(10):
        keys.down("ArrowLeft")  # as a key that is held repeats
    keys.up("ArrowLeft")
    until(page, lambda: campaign.ledger.reviews.trail_end() == before + 1)
    page.get_by_role("button", name="Until here").click()
    until(
        page, lambda: bool(stored(campaign, "one").masks and stored(campaign, "one").masks[0].to_s)
    )
    (mask,) = stored(campaign, "one").masks
    begin, end = mask.points
    assert (begin.at_s, begin.x, end.x) == (0.0, 0.4, 0.3)
    assert end.at_s == pytest.approx(60.5 / 30, abs=0.001)  # the middle of the frame
    assert (mask.shape, mask.to_s) == ("ellipse", end.at_s)
    page.locator("#player").focus()
    keys.press("Shift+ArrowLeft")
    left = page.locator(".mask").evaluate("it => parseFloat(it.style.left)")
    # half way, in a picture of 4:3 in the middle of the frame
    assert left == pytest.approx(12.5 + 75 * 0.35, abs=0.5)
    # from people who know the person, a blur is refused
    page.get_by_label("Hidden from").select_option("known")
    page.get_by_label("Shown as").select_option("blur")
    expect(page.locator("#player-said")).to_contain_text("Only solid masks")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size({"width": 640, "height": 400})
    assert overflow(page) <= 0
    page.locator(".mask").focus()
    keys.press("Delete")
    until(page, lambda: not stored(campaign, "one").masks)
    keys.press("Escape")
    masks_are_in_fractions_of_the_frame(page, campaign)
    assert watch.errors == []
