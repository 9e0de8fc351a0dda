"""The rules that the program and the page both have give the same answers in both.

``page_rules.json`` has the cases.  The page's module runs in a real browser.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from support.browser import browser
from support.ledger_scene import sha

from pipeline import clip_order, protection
from pipeline.clip_order import OrderFile, OrderLine
from pipeline.config import Output
from pipeline.consent import Consent, combined
from pipeline.model import Attachment, ClipOutput, ClipResult, Decision, Kind, Review, Row, Status
from pipeline.render import timeline
from pipeline.review import page, protecting, rules
from pipeline.review.admission import Admission
from pipeline.review.protecting import ReviewAct

__all__ = ["browser"]  # a fixture

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "page_rules.json").read_text("utf-8")
)
BASE = Review(Decision.APPROVED, "fine", "ada", "2026-09-01T07:00:00Z")

# Fields of a review that JSON has in another form.
READ: dict[str, Callable[[str, Any], Any]] = {
    "masks": protecting.read_masks,
    "sounds": protecting.read_sounds,
    "protect": protecting.read_protect,
    "needs": protecting.read_needs,
    "decision": lambda _, value: Decision(value),
    "agreed_by": lambda _, value: tuple(value),
    "seen_by": lambda _, value: tuple(value),
}

# How the page's rules answer a case of each table.
ASKED = {
    "decidable": """({ status, clean, outputs, pair }) => rules.isDecidable(
        { status, metadata: { clean }, outputs: new Array(outputs).fill({}), pair })""",
    "admitted": """({ decision, required, held_by, consent, needed }) => rules.isAdmittedBy(
        decision, required, held_by ?? [],
        rules.allowsClip(consent ?? "unknown", needed ?? false))""",
    "consent": "({ consents }) => rules.combinedConsent(consents)",
    "silent": "({ consent, decision, needed }) => rules.waitsForConsent(consent, decision, needed)",
    "released": "(it) => rules.isReleased(it.warnings, it)",
    "people": "({ names }) => rules.people(names)",
    "two": "({ why, review, four_eyes }) => rules.needsTwo(why, review, four_eyes)",
    "ready": "(it) => rules.isReady(it, it.two)",
    "hides": "({ one, other }) => rules.hiddenText(one) === rules.hiddenText(other)",
    "lacking": """({ base, one, other }) => rules.lacking(
        { ...base, ...one }, { ...base, ...other })""",
    "picture": "({ base, change }) => rules.hidesPicture({ ...base, ...change })",
    "settled": """({ base, before, after, by, watched, approved }) => {
        const act = { by, watched, approved };
        const it = rules.settledReview({ ...base, ...before }, { ...base, ...after }, act);
        return { agreed_by: it.agreed_by, seen_by: it.seen_by };
    }""",
    "same": "({ base, change }) => rules.isSameDecision(base, { ...base, ...change })",
    "frames": "(it) => rules.shownFrames(it, it, it.most)",
    "starts": "({ lengths, fade }) => rules.montageStarts(lengths, fade)",
    "order_text": """({ lines, left_out, names }) => rules.orderText(
        lines.map(([sha256, pinned]) => ({ sha256, pinned })), left_out, (sha) => names[sha])""",
}


def row(status: Status, *, clean: bool | None, outputs: int, review: Review | None = None) -> Row:
    made = ClipOutput("landscape", "a.mp4", "", 1920, 1080, 30, 90, 3.0, None, "")
    result = ClipResult(sha("a"), "", status, clean=clean, outputs=(made,) * outputs)
    attachment = Attachment(0, "a.mov", Kind.VIDEO, sha("a"), 1)
    return Row("", attachment, None, status, None, None, result, review or Review())


def film(lengths: list[int], fade: int) -> timeline.Timeline:
    segments = tuple(timeline.Segment("", "", "", length, "", 0, length) for length in lengths)
    return timeline.Timeline(Output(), segments, timeline.fades(lengths, fade), "fade")


def of_program(table: str, case: dict[str, Any]) -> Any:
    match table:
        case "decidable":
            status = Status(case["status"])
            made = row(status, clean=case["clean"], outputs=case["outputs"])
            return rules.is_decidable(replace(made, pair=case.get("pair")))
        case "admitted":
            review = Review(Decision(case["decision"]))
            accepted = row(Status.ACCEPTED, clean=True, outputs=1, review=review)
            consent = Consent(case.get("consent", Consent.UNKNOWN))
            held_by, needed = tuple(case.get("held_by", ())), case.get("needed", False)
            accepted = replace(accepted, held_by=held_by, consent=consent)
            return rules.admitted(
                [accepted], Admission(required=case["required"], needs_consent=needed)
            ) == [accepted]
        case "consent":
            return combined(map(Consent, case["consents"]))
        case "silent":
            review = Review(Decision(case["decision"]))
            made = row(Status.ACCEPTED, clean=True, outputs=1, review=review)
            consent = Consent(case["consent"])
            made = replace(made, consent=consent, own_consent=consent)
            return bool(rules.waits_for_consent([made], needs_consent=case["needed"]))
        case "released":
            seen, agreed = tuple(case["seen_by"]), tuple(case["agreed_by"])
            review = Review(Decision(case["decision"]), seen_by=seen, agreed_by=agreed)
            made = row(Status.ACCEPTED, clean=True, outputs=1, review=review)
            assert made.result is not None
            result = replace(made.result, warnings=tuple(case["warnings"]))
            return rules.is_released(replace(made, result=result))
        case "same" | "picture":
            changed = reviewed(**case["change"])
            is_same = rules.is_same_decision(BASE, changed)
            return is_same if table == "same" else changed.hides_picture
        case "people" | "two" | "ready" | "hides" | "lacking" | "settled":
            return of_protection(table, case)
        case _:
            return of_montage(table, case)


def reviewed(**changes: Any) -> Review:
    """The base with fields of JSON."""
    fields = {
        key: READ[key](key, value) if key in READ else value for key, value in changes.items()
    }
    return replace(BASE, **fields)


def of_protection(table: str, case: dict[str, Any]) -> Any:
    match table:
        case "people":
            return rules.people(case["names"])
        case "two":
            made = row(Status.ACCEPTED, clean=True, outputs=1, review=reviewed(**case["review"]))
            came_for = frozenset({made.sha256} if case.get("why") == "mail" else ())
            chosen = frozenset(case["four_eyes"])
            admission = Admission(required=True, four_eyes=chosen, came_for=came_for)
            return admission.needs_two(made)
        case "ready":
            review = reviewed(needs=case["needs"], agreed_by=case["agreed_by"])
            return not review.needs and rules.is_agreed(review, needs_two=case["two"])
        case "lacking":
            return rules.lacking(reviewed(**case["one"]), reviewed(**case["other"]))
        case "hides":
            reviews = [reviewed(**case[name]) for name in ("one", "other")]
            one, other = (protection.hidden(each.masks, each.sounds) for each in reviews)
            return one == other
        case _:
            before, after = reviewed(**case["before"]), reviewed(**case["after"])
            act = ReviewAct(case["by"], watched=case["watched"], approved=case["approved"])
            settled = protecting.settled(before, after, act)
            return {"agreed_by": list(settled.agreed_by), "seen_by": list(settled.seen_by)}


def of_montage(table: str, case: dict[str, Any]) -> Any:
    match table:
        case "frames":
            start, stop = Review(in_s=case["in_s"], out_s=case["out_s"]).cut(
                case["frames"], case["fps"]
            )
            length = max(0, stop - start)
            return min(length, case["most"]) if case["most"] else length
        case "starts":
            whole = film(case["lengths"], case["fade"])
            return {"starts": list(whole.starts), "frames": whole.frames}
        case _:
            lines = tuple(OrderLine(sha256, pinned=pinned) for sha256, pinned in case["lines"])
            names = {key: " ".join(name.split()) for key, name in case["names"].items()}
            return clip_order.as_text(OrderFile(lines, tuple(case["left_out"])), names)


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    tab = browser.new_page()
    source = page.asset("rules.js")
    tab.evaluate(
        """async (source) => {
        const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        window.rules = await import(url);
        }""",
        source,
    )
    return tab


def of_page(tab: Page, table: str, case: dict[str, Any]) -> Any:
    return tab.evaluate(ASKED[table], case | {"base": vars(BASE)})


def test_the_page_has_the_limits_of_the_program() -> None:
    panel = page.asset("mask_panel.js")
    assert f"const MOST_MASKS = {protection.MOST_MASKS};" in panel
    assert f"const MOST_SOUNDS = {protection.MOST_SOUND_CHANGES};" in panel


def test_every_rule_of_the_page_is_in_the_table(tab: Page) -> None:
    assert CASES.keys() == ASKED.keys()
    asked = "".join(ASKED.values())
    for name in tab.evaluate("Object.keys(rules)"):
        assert f"rules.{name}(" in asked


@pytest.mark.parametrize("table", CASES)
def test_program_and_page_answer_alike(tab: Page, table: str) -> None:
    for case in CASES[table]:
        ours, theirs = of_program(table, case), of_page(tab, table, case)
        if table == "order_text":  # the program writes a line about the file above it
            assert ours.partition("\n")[2] == theirs, case
            continue
        fields = ("agreed_by", "seen_by") if table == "settled" else ("starts", "frames")
        expected = case["is"] if "is" in case else {key: case[key] for key in fields}
        assert ours == expected, case
        assert theirs == expected, case
