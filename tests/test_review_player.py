"""The large player in a real browser: it plays what a clip shows, and cuts it to the frame."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import ElementHandle, JSHandle, Page, expect
from support.browser import Reader, browser, overflow, reader, until_played, violations
from support.ledger_scene import SMALL, LedgerScene, attachment, result, sha
from support.report_page import card, index
from support.review_server import campaign, config, enter, server, until

from pipeline.protection import Mask, MaskOrigin, MaskPoint
from pipeline.review import page as page_module
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "index", "reader", "server"]  # fixtures

FPS = 30


def film(page: Page) -> ElementHandle:
    return page.locator("#player-video").element_handle()


def enlarged(page: Page, name: str) -> ElementHandle:
    """The player with a clip that can be played."""
    page.locator(card(page, name)).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#player-name")).to_have_text(f"{name}.mov")
    video = film(page)
    page.wait_for_function("video => video.readyState >= 2 && !video.seeking", arg=video)
    return video


def at_frame(page: Page, frame: int) -> None:
    """The player shows a frame."""
    expect(page.locator("#player-time")).to_contain_text(f"frame {frame}")


def texts_of(page: Page, selector: str) -> JSHandle:
    """All texts that an element has from now on, also those that it has for a moment only."""
    return page.evaluate_handle(
        """(selector) => {
            const [place, seen] = [document.querySelector(selector), []];
            new MutationObserver(() => seen.push(place.textContent))
                .observe(place, { childList: true, characterData: true, subtree: true });
            return seen;
        }""",
        selector,
    )


def until_drawn(page: Page) -> None:
    page.wait_for_function(
        "pictures => Number(pictures.dataset.drawn) >= Number(pictures.dataset.count)"
        " && pictures.dataset.count",
        arg=page.locator("#player-pictures").element_handle(),
    )


def test_cut_by_keyboard_is_exact_and_playing_stays_inside(reader: Reader, index: Path) -> None:
    page, watch = reader.open(index)
    keys = page.keyboard
    video = enlarged(page, "one")
    keys.press("Shift+ArrowRight")
    at_frame(page, FPS)
    keys.press("ArrowLeft")
    at_frame(page, FPS - 1)
    keys.press("i")
    for _ in range(5):
        keys.press("ArrowRight")
    at_frame(page, FPS + 4)
    keys.press("o")
    # the frame that is seen at "end here" is the last one
    expect(page.locator("#player-cut")).to_have_text("0:00.2 of 0:03, from 0:00.967 to 0:01.167")
    keys.press("Home")
    at_frame(page, FPS - 1)
    keys.press("End")
    at_frame(page, FPS + 4)
    # from the end it begins again at the start, and stops on the last frame
    keys.press(" ")
    page.wait_for_function("video => video.paused && !video.seeking", arg=video)
    at_frame(page, FPS + 4)
    # what is cut away is shaded, and named where it is seen
    bar = page.locator("#player-bar").bounding_box()
    before = page.locator("#player-before").bounding_box()
    assert bar
    assert before
    assert before["width"] / bar["width"] == pytest.approx((FPS - 1) / 90, abs=0.01)
    expect(page.locator("#player-outside")).to_be_hidden()
    keys.press("ArrowRight")
    expect(page.locator("#player-outside")).to_be_visible()
    # all of it, for once
    keys.press("w")
    keys.press(" ")
    page.wait_for_function("video => video.currentTime > 2.9", arg=video)
    keys.press("w")
    keys.press("Delete")
    expect(page.locator("#player-cut")).to_have_text("The whole clip is shown.")
    keys.press("i")
    keys.press("Escape")
    expect(page.locator(card(page, "one"))).to_be_focused()
    expect(page.locator(f"{card(page, 'one')} .cut")).to_contain_text("of 0:03, from")
    assert watch.errors == watch.abroad == []


def test_times_are_typed_as_people_write_them(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    enlarged(page, "one")
    for text, said in (
        ("1:75", "Write a time"),
        ("99:00", "The clip ends at 0:03"),
        ("0:02,5", ""),
    ):
        page.keyboard.press("g")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(page.locator("#player-said")).to_have_text(
            re.compile(f"^{said}.*" if said else "^$")
        )
    at_frame(page, 75)
    start, end = page.locator("#player-in_s"), page.locator("#player-out_s")
    for text, said in (
        ("1:75", "Write a time as"), ("later", "Write a time"), ("1:10", "The clip ends at 0:03"),
    ):  # fmt: skip
        start.fill(text)
        start.press("Enter")
        expect(page.locator("#player-said")).to_contain_text(said)
    start.fill("0:01.5")
    start.press("Enter")
    end.fill("1")
    end.press("Enter")
    expect(page.locator("#player-said")).to_have_text("The end must come after the start.")
    end.fill("2.25")
    end.press("Enter")
    expect(page.locator("#player-cut")).to_have_text("0:00.767 of 0:03, from 0:01.5 to 0:02.267")
    expect(start).to_have_value("0:01.5")
    page.keyboard.press("Escape")
    one = page.locator(card(page, "one"))
    one.locator(".edit summary").click()
    expect(one.get_by_label("End at")).to_have_value("0:02.25")
    one.get_by_label("End at").fill("0:01:02")
    one.get_by_label("End at").press("Tab")
    message = one.get_by_label("End at").evaluate("input => input.validationMessage")
    assert message == "The clip ends at 0:03."


def test_shuttle_speed_and_repeat(reader: Reader, index: Path) -> None:
    page, watch = reader.open(index)
    keys = page.keyboard
    keys.press("?")
    page.get_by_label("shuttle as in an editing program").check()
    expect(page.locator("#help-player-keys dd").first).to_contain_text("shuttle")
    page.get_by_role("button", name="Close").click()
    keys.press("ArrowDown")
    keys.press("ArrowDown")  # with these keys, J and K don't go through the list
    expect(page.locator(card(page, "two"))).to_be_focused()
    video = enlarged(page, "one")
    for rate in (1, 2):
        keys.press("l")
        page.wait_for_function("([video, n]) => video.playbackRate === n", arg=[video, rate])
    page.wait_for_function("video => video.currentTime > 1", arg=video)
    keys.press("k")
    page.wait_for_function("video => video.paused", arg=video)
    speeds = texts_of(page, "#player-speed")
    keys.press("j")
    page.wait_for_function("seen => seen.includes('−1 ×')", arg=speeds)
    page.wait_for_function("video => video.currentTime < 0.8", arg=video)
    keys.press("k")
    keys.press(".")
    keys.press(".")
    expect(page.locator("#player-speed")).to_have_text("1.5 ×")
    keys.press("p")
    keys.press("g")
    keys.type("2.8")
    keys.press("Enter")
    keys.press(" ")
    page.wait_for_function("video => video.currentTime < 1 && !video.paused", arg=video)
    assert watch.errors == []
    # a further page of this browser knows what was chosen
    other = page.context.new_page()
    other.goto(index.as_uri())
    expect(other.locator("#help-keys dt").first).to_have_text("J K L")


def test_player_decides_goes_on_and_keeps_the_place(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, watch = enter(reader, server)
    keys = page.keyboard
    keys.press("?")
    page.get_by_label("Play a clip at once").check()
    page.get_by_label("Go on after a decision").check()
    page.get_by_role("button", name="Close").click()
    keys.press("h")  # no card is highlighted, so nothing is decided
    expect(page.locator("#why")).to_contain_text("No card is highlighted")
    keys.press("n")
    keys.press("f")
    video = film(page)
    for name, key in (("one", "a"), ("two", "r")):
        expect(page.locator("#player-name")).to_have_text(f"{name}.mov")
        until_played(page, video, 0.1)
        keys.press(key)
    expect(page.locator("#player-place")).to_have_text("3 of 3 clips")
    keys.press("ArrowDown")
    expect(page.locator("#player-said")).to_have_text("This is the last one.")
    keys.press("e")
    keys.type("ask her first")
    keys.press("Escape")
    keys.press("h")
    expect(page.locator("#player-said")).to_have_text("Every clip in this list has a decision.")
    keys.press("u")
    expect(page.locator("#player-state")).to_contain_text("Undecided")
    keys.press("Enter")
    expect(page.locator(card(page, "three"))).to_be_focused()
    until(page, lambda: campaign.ledger.reviews.trail_end() == 5)
    stored = campaign.ledger.reviews.current()
    assert [stored[sha(name)].decision for name in ("one", "two", "three")] == [
        "approved", "rejected", "undecided",
    ]  # fmt: skip
    assert stored[sha("three")].note == "ask her first"
    assert watch.errors == []


def test_points_are_dragged_and_pictures_are_drawn(reader: Reader, index: Path) -> None:
    page, watch = reader.open(index)
    page.locator(f"{card(page, 'two')} .enlarge").click()
    until_drawn(page)
    video, mouse = film(page), page.mouse
    bar = page.locator("#player-bar").bounding_box()
    assert bar
    y = bar["y"] + bar["height"] / 2
    mouse.move(bar["x"] - 4, y)  # the handle of the start is beside what is shown
    mouse.down()
    mouse.move(bar["x"] + bar["width"] / 3 + 1, y, steps=4)
    mouse.up()
    expect(page.locator("#player-cut")).to_have_text("0:02 of 0:03, from 0:01 to 0:03")
    mouse.click(bar["x"] + bar["width"] / 2 + 1, y)
    at_frame(page, 45)
    page.get_by_role("slider", name="End").focus()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator("#player-cut")).to_have_text("0:01 of 0:03, from 0:01 to 0:02")
    # the layer for drawing covers the picture, whatever room there is for it
    layer = page.locator("#player-overlay").bounding_box()
    ratio = video.evaluate("video => video.videoWidth / video.videoHeight")
    assert layer
    assert layer["width"] / layer["height"] == pytest.approx(ratio, rel=0.01)
    assert watch.errors == []


TOO_LOW = """player => [...player.querySelectorAll("button:not(.link), select, textarea, input")]
    .filter((each) => !["checkbox", "radio"].includes(each.type) && each.checkVisibility())
    .filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.outerHTML)"""


def protect_is_in_sight(page: Page, width: int, height: int) -> None:
    """The button beside the decision leads to the controls, below the picture if that stays."""
    page.set_viewport_size({"width": width, "height": height})
    for part in ("#player", "#player-beside"):
        page.locator(part).evaluate("it => { it.scrollTop = 0; }")
    expect(page.locator("#player-protect")).to_be_in_viewport(ratio=1)
    expect(page.locator("#player-protect")).to_have_text("Protect (2)")
    page.locator("#player-protect").click()
    first, beside = page.get_by_label("Hidden from"), width > 62 * 16
    expect(first).to_be_in_viewport(ratio=1)
    stage, choice = page.locator(".stage").bounding_box(), first.bounding_box()
    assert stage
    assert choice
    assert beside or choice["y"] >= stage["y"] + stage["height"]
    assert not beside or stage["height"] > 0.65 * height


def test_axe_finds_nothing_in_the_player_at_any_size(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    enlarged(page, "one")
    for key in ("Shift+ArrowRight", "i", "d", "Escape", "s"):  # a cut, a mask, a muted stretch
        page.keyboard.press(key)
    page.get_by_label("Tags").fill("W" * 40)
    page.get_by_label("Tags").press("Enter")
    for part in ("#player", "#player-beside"):
        assert page.locator(part).evaluate("it => it.scrollWidth - it.clientWidth") == 0
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert violations(page) == []
    assert overflow(page) <= 0
    assert page.locator("#player").evaluate(TOO_LOW) == []  # for a finger
    for size in ((390, 844), (640, 400), (1366, 768)):
        protect_is_in_sight(page, *size)
    page.set_viewport_size({"width": 640, "height": 400})  # a laptop at 200 %
    assert violations(page) == []
    assert overflow(page) <= 0
    stage, bar = (page.locator(it).bounding_box() for it in (".stage", "#player-bar"))
    assert stage
    assert bar
    assert stage["y"] + stage["height"] <= bar["y"]
    for part in ("#player-play", "#player-decide"):
        expect(page.locator(part)).to_be_in_viewport(ratio=1)
    page.locator("#player-tools button").last.scroll_into_view_if_needed()
    expect(page.locator(".stage")).to_be_in_viewport(ratio=1)  # while masks begin and end
    expect(page.locator("#player-tools button").last).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 820, "height": 1180})
    assert page.locator("#player").evaluate("it => it.scrollWidth - it.clientWidth") == 0


def test_guide_names_every_key_of_the_help(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    shown = page.evaluate("[...document.querySelectorAll('#help dt')].map(it => it.textContent)")
    guide = (Path(page_module.__file__).parents[2] / "docs" / "reviewers.md").read_text("utf-8")
    for key in {part for item in shown for part in item.split()}:
        assert f"`{key.lower() if len(key) == 1 else key}`" in guide, key


def test_lookalikes_play_together_and_one_key_keeps_one(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    campaign.mail(attachment("again"), subject="Sent once more")
    campaign.clip(result("again", source=SMALL, looks_like=sha("two")[:12]), plays=True)
    mask = Mask((MaskPoint(0.0, 0.1, 0.1, 0.1, 0.1),), origin=MaskOrigin.FACE)
    campaign.ledger.reviews.amend(sha("two"), lambda review: replace(review, masks=(mask,)))
    page, watch = enter(reader, server)
    keys = page.keyboard
    page.locator(card(page, "one")).focus()
    keys.press("c")
    expect(page.locator("#why")).to_have_text("No other clip looks like this one.")
    page.locator(card(page, "two")).focus()  # also from the one that came first
    keys.press("c")
    expect(page.locator(".side h3")).to_have_text(["two.mov", "again.mov"])
    has_none = "The clip two.mov, which looks like this one, has masks: this one has none."
    expect(page.locator(".bare-copy")).to_have_text(["", has_none])
    films = [it.element_handle() for it in page.locator(".side video").all()]
    for video in films:
        page.wait_for_function("video => video.readyState >= 2", arg=video)
    keys.press(" ")
    page.wait_for_function("films => films.every(it => it.currentTime > 0.4)", arg=films)
    keys.press(" ")
    keys.press("Home")
    keys.press("ArrowRight")
    page.wait_for_function("films => films.every(it => it.currentTime === 1.5 / 30)", arg=films)
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    size = page.viewport_size
    assert size
    page.set_viewport_size({"width": 390, "height": 844})
    assert violations(page) == []
    assert overflow(page) <= 0
    page.set_viewport_size(size)
    keys.press("2")
    expect(page.locator("#compare-said")).to_have_text(
        "again.mov is approved, two.mov is rejected."
    )
    until(page, lambda: campaign.ledger.reviews.trail_end() == 3)
    stored = campaign.ledger.reviews.current()
    assert [stored[sha(name)].decision for name in ("again", "two")] == ["approved", "rejected"]
    assert stored[sha("two")].note == "The same as again.mov"
    goes_in = (
        "1 clip goes into films and shows what is hidden in a clip that looks like it: again.mov"
    )
    expect(page.locator("#bare-clips")).to_contain_text(goes_in)
    expect(page.locator(f"{card(page, 'again')} .hold")).to_contain_text(has_none)
    keys.press("u")  # both at once
    until(page, lambda: campaign.ledger.reviews.trail_end() == 5)
    keys.press("Escape")
    expect(page.locator("#compare")).to_be_hidden()
    expect(page.locator("#bare-clips")).to_be_hidden()
    page.locator(card(page, "again")).get_by_role("button", name="Hide the same here").click()
    until(page, lambda: bool(campaign.ledger.reviews.current()[sha("again")].masks))
    assert campaign.ledger.reviews.current()[sha("again")].masks == (
        replace(mask, origin=MaskOrigin.HAND, by="ada"),  # it is one of a face only in its own file
    )
    expect(page.locator("#why")).to_contain_text("taken from two.mov")
    expect(page.locator(f"{card(page, 'again')} .hold")).not_to_contain_text("has masks")
    assert watch.errors == []
