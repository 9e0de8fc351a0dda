"""Comments, tags and stars in a real browser: by keyboard and by mouse, served and from a file."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect
from support.browser import Reader, browser, overflow, reader, violations
from support.ledger_scene import LedgerScene, sha
from support.report_page import card, index
from support.review_server import campaign, config, enter, server, serving, until

from pipeline.config import Config
from pipeline.review import decisions
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "index", "reader", "server"]  # fixtures


def enlarged(page: Page, name: str) -> None:
    page.locator(card(page, name)).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#player-name")).to_have_text(f"{name}.mov")
    video = page.locator("#player-video").element_handle()
    page.wait_for_function("video => video.readyState >= 2 && !video.seeking", arg=video)


def test_two_reviewers_comment_and_resolve(
    reader: Reader, server: ReviewServer, campaign: LedgerScene
) -> None:
    page, watch = enter(reader, server)
    enlarged(page, "one")
    keys = page.keyboard
    keys.press("Shift+ArrowRight")
    expect(page.locator("#player-time")).to_contain_text("frame 30")
    keys.press("c")
    keys.type("a street sign")
    keys.press("Enter")
    until(page, lambda: bool(campaign.ledger.reviews.current()))
    (comment,) = campaign.ledger.reviews.current()[sha("one")].comments
    assert (comment.text, comment.by) == ("a street sign", "ada")
    assert comment.from_s is not None
    assert round(comment.from_s, 2) in (1.0, 1.02)  # the middle of the frame that is shown
    expect(page.locator("#player-ticks span")).to_have_count(1)
    keys.press("4")
    keys.press("t")
    keys.type("boats, evening")
    keys.press("Enter")
    until(page, lambda: campaign.ledger.reviews.current()[sha("one")].tags != ())
    review = campaign.ledger.reviews.current()[sha("one")]
    assert (review.stars, review.tags, len(review.comments)) == (4, ("boats", "evening"), 1)
    assert violations(page) == []

    other, also_watched = enter(reader, server)
    expect(other.locator(card(other, "one"))).to_contain_text("1 open comment")
    expect(other.locator(card(other, "one"))).to_contain_text("4 stars")
    other.get_by_label("Search").fill("boats")
    expect(other.locator(".card")).to_have_count(1)
    enlarged(other, "one")
    other.get_by_role("button", name="Resolve").click()
    until(
        other, lambda: bool(campaign.ledger.reviews.current()[sha("one")].comments[0].resolved_by)
    )
    expect(page.locator("#comments li")).to_contain_text("resolved by")
    # tags that two change are those of both
    for writer, tag in ((page, ", calm"), (other, ", dusk")):
        writer.keyboard.press("t")
        writer.keyboard.press("End")
        writer.keyboard.type(tag)
    other.keyboard.press("Enter")
    expect(page.locator(card(page, "one"))).to_contain_text("dusk")
    keys.press("Enter")
    until(page, lambda: len(campaign.ledger.reviews.current()[sha("one")].tags) == 4)
    expect(page.locator("#player-ticks span")).to_have_count(0)
    assert watch.errors == also_watched.errors == []
    # what could not be written is given back
    other.context.set_offline(True)
    other.get_by_label("New comment").fill("a boat")
    other.get_by_label("New comment").press("Enter")
    expect(other.locator("#player-said")).to_contain_text("does not answer")
    expect(other.get_by_label("New comment")).to_have_value("a boat")


def test_a_stretch_by_mouse_on_a_phone_from_a_file(
    reader: Reader, index: Path, campaign: LedgerScene, tmp_path: Path
) -> None:
    page, watch = reader.open(index, size="phone", scheme="dark")
    enlarged(page, "one")
    page.get_by_label("New comment").fill("cut here")
    page.locator("#player-next").click()
    expect(page.get_by_label("New comment")).to_have_value("")
    page.locator("#player-previous").click()
    expect(page.get_by_label("New comment")).to_have_value("cut here")  # it waits at its clip
    page.locator("#comment-from").fill("0:01")
    page.locator("#comment-to").fill("0:00.5")
    page.get_by_role("button", name="Add the comment").click()
    expect(page.locator("#player-said")).to_contain_text("after the start")
    page.locator("#comment-to").fill("1.5")
    page.get_by_role("button", name="Add the comment").click()
    expect(page.locator("#comments li")).to_contain_text("0:01–0:01.5")
    page.locator("#player-stars").get_by_label("2").check()
    page.keyboard.press("ArrowRight")  # moves the film, and gives no third star
    assert violations(page) == []
    assert overflow(page) <= 0
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_label("Your name").fill("Zoë")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save decisions file").click()
    path = tmp_path / "saved.json"
    caught.value.save_as(path)
    done = decisions.take_file(campaign.ledger, path, "shell", campaign="River Week")
    assert done.not_taken == (), json.loads(path.read_text("utf-8"))
    review = campaign.ledger.reviews.current()[sha("one")]
    (comment,) = review.comments
    assert (comment.text, comment.from_s, comment.to_s, comment.by) == ("cut here", 1.0, 1.5, "Zoë")
    assert (review.stars, watch.errors) == (2, [])


def test_an_editor_comments_and_is_told_why_nothing_else_works(
    reader: Reader, config: Config, campaign: LedgerScene
) -> None:
    with serving(config, "Eve:editor") as server:
        page, watch = enter(reader, server)
        page.locator(card(page, "one")).focus()
        page.keyboard.press("a")
        expect(page.locator("#why")).to_contain_text("decides nothing")
        enlarged(page, "one")
        page.keyboard.press("5")
        expect(page.locator("#player-said")).to_contain_text("decides nothing")
        page.keyboard.press("c")
        page.keyboard.type("shorter, please")
        page.keyboard.press("Enter")
        until(page, lambda: bool(campaign.ledger.reviews.current()))
        review = campaign.ledger.reviews.current()[sha("one")]
        assert (review.decision, review.stars) == ("undecided", 0)
        assert review.comments[0].by == "Eve"
        assert watch.errors == []
