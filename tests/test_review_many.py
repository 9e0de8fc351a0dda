"""Many clips at once, who decided what before, and clips that look alike."""

from __future__ import annotations

from pathlib import Path

import jsonschema
from playwright.sync_api import expect
from support.browser import Reader, browser, reader, violations
from support.ledger_scene import REPORT_SCHEMA, LedgerScene, attachment, decide, result, sha
from support.report_page import PLAYABLE, campaign, card, config, index

from pipeline.config import Config
from pipeline.model import Decision, Review
from pipeline.review import page as page_module
from pipeline.review import report

__all__ = ["browser", "campaign", "config", "index", "reader"]  # fixtures


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
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    campaign.mail(attachment("one"))
    campaign.clip(result("one"))
    campaign.mail(attachment("gone"))
    decide(campaign.ledger, sha("gone"), Review(Decision.HELD, "no longer ours", "ada"))
    campaign.ledger.custody.withdraw([sha("gone")])
    decide(campaign.ledger, sha("one"), Review(Decision.HELD, "<b>ask</b>", "ada"))
    decide(campaign.ledger, sha("one"), Review(Decision.APPROVED, "", "bob", in_s=0.5))
    index = report.write(campaign.run(config)).index
    page, _ = reader.open(index)
    history = page.locator(f"{card(page, 'one')} .history")
    history.locator("summary").click()
    expect(history.locator("summary")).to_have_text("History: 2 changes")
    expect(history.locator("li")).to_have_count(2)
    expect(history.locator("li").first).to_contain_text("bob")
    expect(history.locator("li").first.locator(".change")).to_have_text(
        ["Decision: On hold → Approved", "Note: “<b>ask</b>” → nothing", "Start: nothing → 0.5 s"]
    )
    assert "no longer ours" not in index.read_text("utf-8")


def test_what_looks_alike_stands_side_by_side(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    for hue, name in enumerate(("first", "again")):
        campaign.mail(attachment(name))
        alike = sha("first")[:12] if name == "again" else None
        outcome = result(name, warnings=("from-the-future",), looks_like=alike)
        campaign.clip(outcome, hue=hue * 90)
    campaign.mail(attachment("odd"))
    campaign.clip(result("odd", looks_like="0" * 12))
    index = report.write(campaign.run(config)).index
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
    reader: Reader, campaign: LedgerScene, config: Config, tmp_path: Path
) -> None:
    campaign.mail(attachment("one"))
    campaign.clip(result("one"))
    built = report.build(config, campaign.ledger, "2026-09-16T05:00:00Z")
    built["clips"][0]["source"]["loudness_lufs"] = -23.41
    jsonschema.Draft202012Validator(REPORT_SCHEMA).validate(built)
    index = tmp_path / "page.html"
    facts = report.collect_facts(config, campaign.ledger)
    index.write_bytes(page_module.render(report.encode(built), facts))
    page, _ = reader.open(index)
    expect(page.locator(".done")).to_contain_text("sound from −23.4 to −16.0 LUFS")
