"""The page in a real browser, from file://: it plays, filters, decides, and obeys no sender."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from browser import Reader, browser, overflow, reader, violations
from playwright.sync_api import Page, expect
from synthetic import (
    SMALL,
    Campaign,
    attachment,
    quiet,
    refused,
    result,
    settings,
    sha,
)

from pipeline.config import Config
from pipeline.files import Workspace
from pipeline.ledger import Ledger
from pipeline.model import Caution, Decision, Kind, Note, Reason, Refusal, Review
from pipeline.review import decisions, report
from pipeline.review import page as page_module

__all__ = ["browser", "reader"]  # fixtures

PLAYABLE = ("one", "two", "three", "four")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return settings(tmp_path)


@pytest.fixture
def campaign(config: Config) -> Iterator[Campaign]:
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        yield Campaign(ledger, workspace)


def fill(campaign: Campaign) -> None:
    for hue, name in enumerate(PLAYABLE):
        campaign.mail(attachment(name), sender=f"{name}@example.org", subject=f"About {name}")
        campaign.clip(
            result(
                name,
                category="march" if name == "two" else None,
                warnings=("too-quiet",) if name == "three" else (),
                source=SMALL,
            ),
            plays=True,
            hue=hue * 60,
        )
    campaign.ledger.decide(sha("four"), Review(Decision.APPROVED, "fine", "ada"))
    campaign.mail(attachment("one", filename="again.mov"))
    campaign.mail(
        attachment("broken"),
        attachment("stuck", 1),
        attachment("late", 2),
        attachment("all", 3, kind=Kind.ARCHIVE, filename="all.zip"),
        attachment("logo", 4, refusal=Refusal(Reason.DECORATION, "a logo")),
        notes=(Note.HAS_A_LINK,),
    )
    campaign.clip(refused("broken", Reason.CORRUPT, "no frame can be decoded"))
    campaign.clip(refused("stuck", Reason.TIMEOUT, "took too long"))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One report for all tests: a page from file:// changes nothing."""
    config = settings(tmp_path_factory.mktemp("shared"))
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        fill(Campaign(ledger, workspace))
        return report.write(config, ledger, workspace, quiet()).index


def names(page: Page) -> list[str]:
    return page.locator(".card .name").all_inner_texts()


def card(page: Page, name: str) -> str:
    return f'.card[data-sha256="{sha(name)}"]:not([data-status="duplicate"])'


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
        "New": "0", "Waiting for review": "3", "Refused": "2", "Failed": "1", "Montage now": "0:03",
    }  # fmt: skip
    attention = page.locator("#attention").inner_text()
    assert attention.index("Took too long") < attention.index("Damaged")  # failures first
    assert "footage retry" in attention
    assert "1 attachment waits to be processed" in attention
    for plot in ("#plot-days", "#plot-loudness"):
        expect(page.locator(f"{plot} svg[role=img][aria-label]")).to_be_visible()
    assert watch.errors == []
    assert watch.abroad == []


def test_every_attachment_has_a_card_with_its_facts(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    expect(page.locator(".card")).to_have_count(10)
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


def test_page_of_no_mail_at_all(reader: Reader, campaign: Campaign, config: Config) -> None:
    index = report.write(config, campaign.ledger, campaign.workspace, quiet()).index
    page, watch = reader.open(index)
    expect(page.locator("#empty")).to_be_visible()
    expect(page.locator("#attention")).to_contain_text("Nothing was refused")
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
        expect(page.locator("#count")).to_have_text(f"{len(expected)} of 10 attachments")
        page.locator("#clear").click()
        expect(page.locator(".card")).to_have_count(10)


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
    expect(page.locator("#count")).to_have_text("6 of 10 attachments")
    page.locator("#f-sort").select_option("filename")
    assert names(page) == sorted(names(page))
    page.get_by_role("button", name="Failed").click()
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("button", name="Damaged").click()
    expect(page.locator(".card .name")).to_have_text("broken.mov")


def test_long_list_is_laid_out_as_the_reader_comes_near(
    reader: Reader, campaign: Campaign, config: Config
) -> None:
    for mail in range(30):
        campaign.mail(*(attachment(f"m{mail}-{part}", part, kind=Kind.IMAGE) for part in range(10)))
    index = report.write(config, campaign.ledger, campaign.workspace, quiet()).index
    page, _ = reader.open(index)
    expect(page.locator("#count")).to_have_text("300 of 300 attachments")
    first = page.locator(".card").count()
    assert first < 150
    page.locator(".card").last.scroll_into_view_if_needed()
    page.wait_for_function("n => document.querySelectorAll('.card').length > n", arg=first)
    page.locator("#f-text").fill("m29-9")
    expect(page.locator(".card .name")).to_have_text(["m29-9.mov"])


# -- deciding ---------------------------------------------------------------------------------


def test_decisions_by_mouse_go_through_the_file_into_the_ledger(
    reader: Reader, campaign: Campaign, config: Config, tmp_path: Path
) -> None:
    fill(campaign)
    index = report.write(config, campaign.ledger, campaign.workspace, quiet()).index
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
    stored = campaign.ledger.reviews()
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
    expect(page.locator("#said")).to_have_text("Every clip in this list has a decision.")
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
    expect(page.locator(card(page, "one")).get_by_label("Start at")).not_to_have_value("")
    keys.press("/")
    keys.type("aha")  # in a field, letters are letters
    expect(page.locator("#f-text")).to_have_value("aha")


def test_help_lists_the_keys_and_can_turn_them_off(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("#help dt")).to_have_count(13)
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


# -- for everyone -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["laptop", "phone"])
def test_axe_finds_nothing(reader: Reader, index: Path, scheme: str, size: str) -> None:
    page, _ = reader.open(index, scheme=scheme, size=size)
    for button in ("approved", "held", "rejected"):
        at = ("approved", "held", "rejected").index(button)
        page.locator(f"{card(page, PLAYABLE[at])} button.{button}").click()
    page.locator(f"{card(page, 'one')} .edit summary").click()
    assert violations(page) == []
    assert overflow(page) <= 0


# -- what senders write -----------------------------------------------------------------------

HOSTILE = {
    "script": "</script><script>window.pwned = 1</script>",
    "image": '"><img src=x onerror="window.pwned = 1">',
    "comment": "<!--<script>",
    "template": "{{script}} ${alert(1)} {n}",
    "attribute": "' onfocus=window.pwned=1 autofocus x='",
    "override": "\u202egpj.exe\u202c \u2066abc \u200f",
    "long": "W" * 5000,
    "zalgo": "Z" + "\u0301\u0489\u0353" * 300 + "algo",
    "arabic": "مقطع من النهر (1).mov",
    "null": "nul\x00l \ufffe \u2028 \u2029",
    "dollar": "$& $1 \\u003c/script>",
}


@pytest.mark.parametrize("size", ["laptop", "narrow"])
def test_hostile_words_neither_run_nor_break_the_layout(
    reader: Reader, campaign: Campaign, tmp_path: Path, size: str
) -> None:
    for name, text in HOSTILE.items():
        campaign.mail(
            attachment(name, filename=text), sender=text, subject=text, text=f"{text}\n{text}"
        )
        campaign.clip(result(name, caption=text, category=text, warnings=(text,)), plays=False)
        campaign.ledger.decide(sha(name), Review(Decision.HELD, text, text, None, None, text))
    campaign.mail(attachment("bad", filename=HOSTILE["script"]))
    campaign.clip(refused("bad", Reason.UNSAFE, HOSTILE["image"]))
    config = settings(tmp_path, name="</title><b>River</b> {{script}}", sender="full")
    index = report.write(config, campaign.ledger, campaign.workspace, quiet()).index
    page, watch = reader.open(index, size=size)
    expect(page.locator(".card")).to_have_count(len(HOSTILE) + 1)
    expect(page.locator("h1")).to_have_text("</title><b>River</b> {{script}}")
    assert page.evaluate("window.pwned") is None
    assert page.locator("article img, article script, h1 b").count() == 0
    shown = names(page)
    assert shown[0] == HOSTILE["script"]
    assert "\u202e" not in page.locator("#list").inner_text()
    assert overflow(page) <= 0
    for box in page.locator(".card").all():
        box.scroll_into_view_if_needed()
        size_of = box.bounding_box()
        assert size_of is not None
        assert size_of["height"] < 1600
    assert violations(page) == []
    assert watch.dialogs == []
    assert [error for error in watch.errors if "ERR_FILE_NOT_FOUND" not in error] == []
    assert watch.abroad == []


def test_policy_of_the_page_stops_what_is_not_its_own(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.pwned = 1";
            document.body.append(script);
            document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.pwned = 2'>");
        }"""
    )
    refused_fetch = page.evaluate(
        "fetch('http://127.0.0.1:9/').then(() => 'went out', (error) => error.name)"
    )
    assert refused_fetch == "TypeError"
    assert page.evaluate("window.pwned") is None


# -- many at once -----------------------------------------------------------------------------


def test_selection_is_decided_at_once_and_undone_at_once(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)

    def decided() -> list[str | None]:
        return [page.locator(card(page, n)).get_attribute("data-decision") for n in PLAYABLE]

    box = {name: page.locator(f"{card(page, name)} .pick input") for name in PLAYABLE}
    box["one"].click()
    box["three"].click(modifiers=["Shift"])
    expect(page.locator("#selection-count")).to_have_text("3 clips selected")
    page.locator("#selection .held").click()
    expect(page.locator("#selection")).to_be_hidden()
    assert decided() == ["held", "held", "held", "approved"]
    page.get_by_role("button", name="Undo").click()
    assert decided() == ["undecided", "undecided", "undecided", "approved"]

    page.get_by_role("button", name="Select all shown").click()
    expect(page.locator("#selection-count")).to_have_text("4 clips selected")
    page.get_by_role("button", name="Clear selection").click()
    expect(page.locator(".card.selected")).to_have_count(0)

    page.locator("#f-decision").select_option("undecided")
    page.get_by_role("button", name="Select all shown").click()
    page.locator("#f-category").select_option("march")  # what is not shown is not selected
    expect(page.locator("#selection-count")).to_have_text("1 clip selected")


def test_selection_by_keyboard(reader: Reader, index: Path) -> None:
    page, _ = reader.open(index)
    keys = page.keyboard
    for key in ("j", "x", "j", "j", "Shift+X"):
        keys.press(key)
    expect(page.locator("#selection-count")).to_have_text("3 clips selected")
    keys.press("r")
    expect(page.locator("#said")).to_have_text("Rejected: 3 clips")
    keys.press("u")
    expect(page.locator("#said")).to_have_text("Undone on 3 clips")
    expect(page.locator(card(page, "three"))).to_have_attribute("data-decision", "undecided")


def test_history_tells_who_decided_what_and_what_stood_there_before(
    reader: Reader, campaign: Campaign, config: Config
) -> None:
    campaign.mail(attachment("one"))
    campaign.clip(result("one"))
    campaign.mail(attachment("gone"))
    campaign.ledger.decide(sha("gone"), Review(Decision.HELD, "taken back", "ada"))
    campaign.ledger.withdraw([sha("gone")])
    campaign.ledger.decide(sha("one"), Review(Decision.HELD, "<b>ask</b>", "ada"))
    campaign.ledger.decide(sha("one"), Review(Decision.APPROVED, "", "bob", in_s=0.5))
    index = report.write(config, campaign.ledger, campaign.workspace, quiet()).index
    page, _ = reader.open(index)
    history = page.locator(f"{card(page, 'one')} .history")
    history.locator("summary").click()
    expect(history.locator("summary")).to_have_text("History: 2 decisions")
    expect(history.locator("li")).to_have_count(2)
    expect(history.locator("li").first).to_contain_text("bob")
    expect(history.locator("li").first.locator(".change")).to_have_text(
        ["Decision: On hold → Approved", "Note: “<b>ask</b>” → nothing", "Start: nothing → 0.5 s"]
    )
    assert "taken back" not in index.read_text("utf-8")


def test_what_looks_alike_stands_side_by_side(
    reader: Reader, campaign: Campaign, config: Config
) -> None:
    for hue, name in enumerate(("first", "again")):
        campaign.mail(attachment(name))
        alike = (f"looks-like:{sha('first')[:12]}",) if name == "again" else ()
        campaign.clip(result(name, warnings=(*alike, "from-the-future")), hue=hue * 90)
    campaign.mail(attachment("odd"))
    campaign.clip(result("odd", warnings=("looks-like:" + "0" * 12,)))
    index = report.write(config, campaign.ledger, campaign.workspace, quiet()).index
    page, watch = reader.open(index)
    again = page.locator(card(page, "again"))
    expect(again.locator(".warnings")).to_contain_text("Looks like first.mov")
    expect(again.locator(".warnings")).to_contain_text("from-the-future")
    images = again.locator(".alike img")
    images.first.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.images].every(image => image.naturalWidth > 0)")
    boxes = [image.bounding_box() for image in images.all()]
    assert len(boxes) == 2
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[1]["x"] >= boxes[0]["x"] + boxes[0]["width"]
    expect(page.locator(card(page, "odd")).locator(".warnings")).to_have_text(
        "looks-like:000000000000"
    )
    assert violations(page) == []
    again.get_by_role("button", name="Show the other").click()
    expect(page.locator(card(page, "first"))).to_be_focused()
    page.locator("#f-text").fill("looks like")
    expect(page.locator(".card .name")).to_have_text(["again.mov", "odd.mov"])
    assert watch.errors == []


def test_loudness_is_told_before_and_after_where_it_is_known(
    reader: Reader, campaign: Campaign, config: Config, tmp_path: Path
) -> None:
    campaign.mail(attachment("one"))
    campaign.clip(result("one"))
    built = report.build(config, campaign.ledger, "2026-09-16T05:00:00Z")
    built["clips"][0]["source"]["loudness_lufs"] = -23.41
    jsonschema.Draft202012Validator(report.schema()).validate(built)
    index = tmp_path / "page.html"
    facts = report.facts(config, campaign.ledger)
    index.write_bytes(page_module.render(report.encode(built), facts))
    page, _ = reader.open(index)
    expect(page.locator(".done")).to_contain_text("sound from −23.4 to −16.0 LUFS")
