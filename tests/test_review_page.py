"""The page in a real browser, from file://: it plays, finds and decides."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect
from support.browser import Reader, browser, reader, violations
from support.ledger_scene import LedgerScene, attachment, sha
from support.report_page import PLAYABLE, campaign, card, config, fill, index, names

from pipeline.caution import Caution
from pipeline.config import Config
from pipeline.history import InboxFailed, InboxRemains, InboxRemark, MailInInbox, Stay
from pipeline.model import Decision, Kind, Note, Reason
from pipeline.review import decisions, report
from pipeline.review import page as page_module

__all__ = ["browser", "campaign", "config", "index", "reader"]  # fixtures


# -- reading ----------------------------------------------------------------------------------


def test_morning_page_says_what_waits_for_whom(reader: Reader, index: Path) -> None:
    page, watch = reader.open(index)
    expect(page).to_have_title("River Week · Footage report")
    values = dict(
        zip(
            page.locator(".figure .label").all_inner_texts(),
            page.locator(".figure .value").all_inner_texts(),
            strict=True,
        )
    )
    assert values == {
        "New": "0", "Waiting for review": "3", "Refused": "2", "Failed": "1",
        "Need an answer": "1", "Montage now": "0:03",
    }  # fmt: skip
    attention = page.locator("#attention").inner_text()
    assert attention.index("Took too long") < attention.index("Damaged")  # failures first
    assert "footage retry" in attention
    assert "attachment waits to be processed" in attention
    labels = page.locator(".figure .label").all_inner_texts()
    assert labels[:3] == ["Waiting for review", "Need an answer", "Failed"]  # what is to be done
    expect(page.locator("#plot-loudness")).to_be_hidden()
    page.get_by_text("Mails by day, and loudness").click()
    for plot in ("#plot-days", "#plot-loudness"):
        expect(page.locator(f"{plot} svg[role=img][aria-label]")).to_be_visible()
    assert watch.errors == []
    assert watch.abroad == []


def test_every_attachment_has_a_card_with_its_facts(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    expect(page.locator(".card")).to_have_count(11)
    one = page.locator(card(page, "one"))
    for text in ("Verified clean", "location (QuickTime position)", "#RiverWeek", "About one"):
        expect(one).to_contain_text(text)
    expect(one).to_contain_text("25 to 30 frames a second")
    expect(page.locator(card(page, "broken"))).to_contain_text("no frame can be decoded")
    expect(page.locator(".card[data-status=duplicate]")).to_contain_text("Same file as one.mov")
    expect(page.locator(card(page, "logo"))).to_contain_text("links to something")
    expect(page.locator(card(page, "three"))).to_contain_text("too quiet")


def test_video_plays_in_place(reader: Reader, index: Path) -> None:
    page, watch = reader.open(index)
    video = page.locator(f"{card(page, 'one')} video")
    assert video.get_attribute("preload") == "none"
    video.evaluate("video => video.play()")
    handle = video.element_handle()
    page.wait_for_function("video => video.currentTime > 0.2", arg=handle)
    assert video.evaluate("video => [video.error, video.videoWidth]") == [None, 320]
    assert video.evaluate("video => video.webkitAudioDecodedByteCount") > 0
    assert watch.errors == []
    assert watch.abroad == []


def test_still_is_shown_before_anything_plays(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    poster = page.locator(f"{card(page, 'one')} video").get_attribute("poster")
    assert poster == f"thumbs/{sha('one')}.jpg"
    assert (index.parent / poster).exists()


def test_page_of_no_mail_at_all(reader: Reader, campaign: LedgerScene, config: Config) -> None:
    index = report.write(campaign.run(config)).index
    page, watch = reader.open(index)
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("#attention")).to_contain_text("Nothing was refused")
    expect(page.locator("#in-inbox-part")).to_be_hidden()
    assert violations(page) == []
    assert watch.errors == []


def test_page_says_what_is_still_in_the_inboxes(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    first = campaign.mail(sender="ana@example.org")
    campaign.ledger.runs.start("20260902T020000.000000Z", "run")
    over = [
        MailInInbox(uid, "", 900_000_000, "", Stay.SENDER_QUOTA, first) for uid in ("<b>7", "8")
    ]
    campaign.ledger.runs.note_remains(
        InboxRemains(
            (*over, MailInInbox("9", "2026-09-02T01:00:00Z", 0, "crew", Stay.NOT_GIVEN)),
            (InboxFailed("crew", "the server ana@mail.example.org is busy"),),
            (InboxRemark("drop", "a.mp4 is a symbolic link; it is left alone"),),
        )
    )
    page, watch = reader.open(report.write(campaign.run(config)).index)
    left = page.locator("#in-inbox > li")
    expect(left).to_have_count(4)
    said = "mails of sender 1 (a…@e….org) were not taken in (1.8 GB)"
    expect(left.nth(0)).to_contain_text(said)
    expect(left.nth(0)).to_contain_text("The next run goes on.")
    expect(left.nth(1)).to_contain_text("The inbox did not give it.")
    expect(left.nth(2)).to_contain_text("inbox could not be read to its end: crew")
    expect(left.nth(3)).to_contain_text("drop: a.mp4 is a symbolic link")
    assert "mail.example.org" not in page.locator(".morning").inner_text()
    assert violations(page) == []
    assert watch.errors == []


def test_all_words_are_in_the_file_of_words() -> None:
    words = page_module.texts()
    for reason in Reason:
        assert f"reason.{reason}" in words
    for caution in Caution:
        assert f"warning.{caution}" in words
    for note in Note:
        assert f"note.{note}" in words
    for decision in Decision:
        assert f"decision.{decision}" in words


# -- finding ----------------------------------------------------------------------------------


FILTERS = (
    ("status", "waiting", ["one.mov", "two.mov", "three.mov"]),
    ("status", "duplicate", ["again.mov"]),
    ("status", "failed", ["stuck.mov"]),
    ("decision", "approved", ["four.mov"]),
    ("category", "march", ["two.mov"]),
    ("reason", "corrupt", ["broken.mov"]),
)


def test_filters_show_what_fits_and_say_how_many(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    for control, value, expected in FILTERS:
        page.locator(f"#f-{control}").select_option(value)
        expect(page.locator(".card .name")).to_have_text(expected)
        expect(page.locator("#count")).to_have_text(f"{len(expected)} of 11 files and mails")
        page.locator("#clear").click()
        expect(page.locator(".card")).to_have_count(11)


def test_search_looks_at_names_mail_and_reasons(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    for words, expected in (
        ("ABOUT two", ["two.mov"]),
        ("fine", ["four.mov"]),
        ("damaged picture", ["broken.mov"]),
        ("nothing like it", []),
    ):
        page.locator("#f-text").fill(words)
        expect(page.locator(".card .name")).to_have_text(expected)
    expect(page.locator("#empty")).to_be_visible()


def test_warnings_filter_sort_and_figures_lead_to_rows(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    page.locator("#f-warnings").check()
    expect(page.locator("#count")).to_have_text("7 of 11 files and mails")
    page.locator("#f-sort").select_option("filename")
    assert names(page) == sorted(names(page), key=str.casefold)
    page.get_by_role("button", name="Failed").click()
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("button", name="Damaged").click()
    expect(page.locator(".card .name")).to_have_text("broken.mov")


def test_long_list_is_laid_out_as_the_reader_comes_near(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    for mail in range(30):
        campaign.mail(*(attachment(f"m{mail}-{part}", part, kind=Kind.IMAGE) for part in range(10)))
    index = report.write(campaign.run(config)).index
    page, _ = reader.open(index)
    expect(page.locator("#count")).to_have_text("300 of 300 attachments")
    first = page.locator(".card").count()
    assert first < 150
    page.locator(".card").last.scroll_into_view_if_needed()
    page.wait_for_function("n => document.querySelectorAll('.card').length > n", arg=first)
    page.locator("#f-text").fill("m29-9")
    expect(page.locator(".card .name")).to_have_text(["m29-9.mov"])


# -- one place --------------------------------------------------------------------------------


def test_place_and_filters_survive_filters_reloads_and_links(reader: Reader, index: Path) -> None:
    page, watch = reader.open(index)
    current = page.locator(".card.current")
    page.locator(card(page, "three")).click(position={"x": 5, "y": 5})
    page.locator("#f-text").fill("about two")
    expect(page.locator(".card .name")).to_have_text(["two.mov"])
    expect(current).to_have_count(0)
    page.keyboard.press("Tab")
    page.locator("#clips").focus()
    page.keyboard.press("h")  # the clip is out of sight, so nothing is decided
    expect(page.locator("#why")).to_contain_text("No card is highlighted")
    page.locator("#clear").click()
    expect(current).to_have_count(1)
    expect(current.locator(".name")).to_have_text("three.mov")
    page.keyboard.press("k")
    expect(current.locator(".name")).to_have_text("two.mov")
    page.locator("#f-decision").select_option("undecided")
    page.locator("#f-warnings").check()
    wanted = f"#decision=undecided&warnings=1&clip={sha('two')[:16]}"
    page.wait_for_function("wanted => location.hash === wanted", arg=wanted)
    page.reload()
    expect(page.locator(".card .name")).to_have_text(["three.mov"])
    page.locator("#clips").focus()
    page.keyboard.press("j")  # goes on from where the clip is that the filters hide
    expect(current.locator(".name")).to_have_text("three.mov")
    page.keyboard.press("f")
    page.wait_for_function("() => location.hash.endsWith('&player=1')")
    page.reload()
    expect(page.locator("#player-name")).to_have_text("three.mov")
    # a link to a clip, into a page that is open, and into a new one
    page.evaluate("hash => { location.hash = hash; }", f"clip={sha('four')[:8]}")
    expect(page.locator(card(page, "four"))).to_be_focused()
    expect(page.locator(".card")).to_have_count(11)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(current.locator(".name")).to_have_text("four.mov")
    other = page.context.new_page()
    other.goto(f"{index.as_uri()}#status=failed")
    expect(other.locator(".card .name")).to_have_text(["stuck.mov"])
    other.goto(f"{index.as_uri()}#clip=x&status=nothing&mail=%3Cb%3E")
    expect(other.locator(".card")).to_have_count(11)
    assert watch.errors == watch.abroad == []


def test_back_closes_the_player_where_it_was_and_then_undoes_a_filter(
    reader: Reader, index: Path
) -> None:
    page, _ = reader.open(index)
    page.locator("#f-decision").select_option("undecided")
    page.wait_for_function("() => location.hash.startsWith('#decision=undecided')")
    page.locator(card(page, "one")).focus()
    for key in ("f", "ArrowDown"):
        page.keyboard.press(key)
    page.wait_for_function("() => location.hash.endsWith('&player=1')")
    page.go_back()
    expect(page.locator("#player")).to_be_hidden()
    expect(page.locator(".card.current .name")).to_have_text("two.mov")
    page.go_back()
    expect(page.locator("#f-decision")).to_have_value("")
    expect(page.locator(".card")).to_have_count(11)
    # a link in the page opens the player, and leads to no other clip than it names
    go = "hash => { location.hash = hash; }"
    page.evaluate(go, f"clip={sha('one')[:16]}&player=1")
    expect(page.locator("#player")).to_be_visible()
    page.go_back()
    expect(page.locator("#player")).to_be_hidden()
    page.evaluate(go, f"clip={sha('one')[:16]}&player=1")
    expect(page.locator("#player")).to_be_visible()
    page.evaluate(go, "clip=ffffffffffffffff&player=1")
    expect(page.locator("#player")).to_be_hidden()
    expect(page.locator("#why")).to_contain_text("a clip that this page does not have")
    expect(page.locator(".card.current")).to_have_count(0)
    page.wait_for_function("() => location.hash === '#clip=ffffffffffffffff'")
    page.evaluate(go, f"decision=rejected&clip={sha('one')[:16]}&player=1")
    expect(page.locator("#why")).to_contain_text("filters in the address hide")


# -- deciding ---------------------------------------------------------------------------------


def test_decisions_by_mouse_go_through_the_file_into_the_ledger(
    reader: Reader, campaign: LedgerScene, config: Config, tmp_path: Path
) -> None:
    fill(campaign)
    index = report.write(campaign.run(config)).index
    page, _ = reader.open(index)
    expect(page.locator("#dock")).to_be_hidden()
    page.locator(f"{card(page, 'one')} button.approved").click()
    expect(page.locator(".figure.montage .value")).to_have_text("0:06")
    two = page.locator(card(page, "two"))
    two.locator("button.rejected").click()
    two.locator(".edit summary").click()
    two.get_by_label("Note").fill("a face — say no")
    two.get_by_label("Caption instead").fill("Other words")
    two.get_by_label("Start at").fill("0.5")
    two.get_by_label("End at").fill("2.25")
    two.get_by_label("End at").press("Tab")
    page.get_by_label("Your name").fill("Zoë")
    expect(page.locator("#dock-count")).to_have_text("2 decisions are not saved yet")
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save decisions file").click()
    path = tmp_path / "saved.json"
    caught.value.save_as(path)
    expect(page.locator("#dock-count")).to_contain_text("footage decide decisions-")

    saved = json.loads(path.read_text("utf-8"))
    assert (saved["schema"], saved["campaign"]) == (1, "River Week")
    summary = decisions.take_file(campaign.ledger, path, "shell", campaign="River Week")
    assert (len(summary.decided), summary.not_taken) == (2, ())
    stored = campaign.ledger.reviews.current()
    assert (stored[sha("one")].decision, stored[sha("one")].by) == (Decision.APPROVED, "Zoë")
    after = stored[sha("two")]
    assert (after.decision, after.note, after.caption, after.in_s, after.out_s) == (
        Decision.REJECTED, "a face — say no", "Other words", 0.5, 2.25,
    )  # fmt: skip


def test_decisions_by_keyboard_alone(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    keys = page.keyboard
    keys.press("n")
    expect(page.locator(card(page, "one"))).to_be_focused()
    keys.press("a")
    keys.press("n")
    keys.press("h")
    keys.press("j")
    keys.press("r")
    decided = [page.locator(card(page, name)).get_attribute("data-decision") for name in PLAYABLE]
    assert decided == ["approved", "held", "rejected", "approved"]
    keys.press("n")
    expect(page.locator("#why")).to_have_text("Every clip in this list has a decision.")
    keys.press("u")
    keys.press("u")
    expect(page.locator(card(page, "two"))).to_have_attribute("data-decision", "undecided")
    keys.press("k")
    expect(page.locator(card(page, "one"))).to_be_focused()
    keys.press(" ")
    video = page.locator(f"{card(page, 'one')} video").element_handle()
    page.wait_for_function("video => video.currentTime > 0.2", arg=video)
    keys.press(" ")
    page.wait_for_function("video => video.paused", arg=video)
    keys.press("i")
    expect(page.locator(f"{card(page, 'one')} .cut")).to_contain_text("of 0:03, from")
    keys.press("/")
    keys.type("aha")  # in a field, letters are letters
    expect(page.locator("#f-text")).to_have_value("aha")


def test_help_lists_the_keys_and_can_turn_them_off(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    assert page.locator("#help dt").all_inner_texts()[:2] == ["J", "K"]
    expect(page.locator("#help-player-keys dt")).to_have_count(25)
    assert violations(page) == []
    page.get_by_label("Use these keys").uncheck()
    page.get_by_role("button", name="Close").click()
    page.locator(card(page, "one")).focus()
    page.keyboard.press("a")
    expect(page.locator(card(page, "one"))).to_have_attribute("data-decision", "undecided")


def test_end_before_the_start_is_told_and_not_taken(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    one = page.locator(card(page, "one"))
    one.locator(".edit summary").click()
    one.get_by_label("Start at").fill("2")
    one.get_by_label("End at").fill("1")
    one.get_by_label("End at").press("Tab")
    message = one.get_by_label("End at").evaluate("input => input.validationMessage")
    assert message == "The end must come after the start."


def test_unsaved_decisions_are_not_lost_by_a_slip(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    page.locator(f"{card(page, 'one')} button.approved").click()
    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    expect(page.locator(card(page, "one"))).to_have_attribute("data-decision", "approved")
