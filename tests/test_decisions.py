"""Decisions from the shell and from the file that the offline report saves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.ledger_scene import LedgerScene, attachment, decide, opened, refused, result, sha

from pipeline.errors import UsageError
from pipeline.model import Decision, OriginalState, Reason, Review
from pipeline.review import decisions, rules
from pipeline.review.admission import Admission

NAMES = ("one", "two", "three")


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[LedgerScene]:
    with opened(tmp_path / "work") as campaign:
        for name in NAMES:
            campaign.mail(attachment(name))
            campaign.clip(result(name))
        yield campaign


def save(folder: Path, entries: Any, **changes: Any) -> Path:
    path = folder / "decisions.json"
    data = {"schema": 1, "campaign": "River Week", "decisions": entries, **changes}
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


# -- from the shell ---------------------------------------------------------------------------


def test_unique_prefix_is_enough(campaign: LedgerScene) -> None:
    (decided,) = decisions.decide(
        campaign.ledger, [sha("one")[:6].upper()], Review(Decision.APPROVED, "lovely", "ada")
    )
    assert decided.sha256 == sha("one")
    assert decided.before == Review()
    stored = campaign.ledger.reviews.current()[sha("one")]
    assert stored == decided.after
    assert (stored.decision, stored.note, stored.by) == (Decision.APPROVED, "lovely", "ada")


def test_same_clip_named_twice_is_decided_once(campaign: LedgerScene) -> None:
    named = [sha("one")[:4], sha("one")]
    assert len(decisions.decide(campaign.ledger, named, Review(Decision.HELD, "", "ada"))) == 1


@pytest.mark.parametrize(
    ("prefix", "problem"),
    [
        ("abc", "at least 4 hex digits"),
        ("../../etc", "at least 4 hex digits"),
        ("", "at least 4 hex digits"),
        ("0" * 64, "no clip has this SHA-256"),
        ("0" * 65, "at least 4 hex digits"),
    ],
)
def test_prefix_that_names_nothing_is_told_and_nothing_is_decided(
    campaign: LedgerScene, prefix: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        decisions.decide(
            campaign.ledger, [sha("one"), prefix], Review(Decision.APPROVED, "", "ada")
        )
    assert caught.value.exit_code == 2
    assert campaign.ledger.reviews.current() == {}


def test_ambiguous_prefix_is_refused(campaign: LedgerScene) -> None:
    for last in "ab":
        campaign.mail(attachment("x", sha256="feed" * 15 + "000" + last))
    with pytest.raises(UsageError, match="more than one clip"):
        decisions.decide(campaign.ledger, ["feedfeed"], Review(Decision.APPROVED, "", "ada"))


def test_caption_category_and_cut_outlive_a_new_decision(campaign: LedgerScene) -> None:
    earlier = Review(Decision.HELD, "hm", "ada", None, "A caption", "march", 0.5, 2.0)
    decide(campaign.ledger, sha("one"), earlier)
    (decided,) = decisions.decide(
        campaign.ledger, [sha("one")], Review(Decision.APPROVED, "", "bob")
    )
    after = decided.after
    assert decided.before.decision is Decision.HELD
    assert (after.caption, after.category, after.in_s, after.out_s) == (
        "A caption",
        "march",
        0.5,
        2.0,
    )
    assert (after.decision, after.note, after.by) == (Decision.APPROVED, "", "bob")


def test_note_holds_no_location(campaign: LedgerScene) -> None:
    decisions.decide(
        campaign.ledger, [sha("one")], Review(Decision.HELD, "at 48.85837, 2.29448, please", "ada")
    )
    assert campaign.ledger.reviews.current()[sha("one")].note == "at [location removed], please"


# -- from a file ------------------------------------------------------------------------------


def test_file_is_taken_entry_by_entry(campaign: LedgerScene, tmp_path: Path) -> None:
    campaign.mail(attachment("broken"))
    campaign.clip(refused("broken", Reason.CORRUPT, "no frame can be decoded"))
    path = save(
        tmp_path,
        [
            {"sha256": sha("one"), "decision": "approved", "note": "yes", "by": "carol",
             "at": "2026-09-02T07:00:00Z", "caption": "New words", "category": None,
             "in_s": 0.25, "out_s": 2},
            {"sha256": sha("nobody"), "decision": "approved"},
            {"sha256": sha("broken"), "decision": "approved"},
            {"sha256": sha("two"), "decision": "perhaps"},
            {"sha256": "../originals", "decision": "held"},
            {"sha256": sha("two"), "decision": "held", "in_s": 2, "out_s": 1},
            {"sha256": sha("two"), "decision": "held", "in_s": "2"},
            {"sha256": sha("two"), "decision": "held", "in_s": float("nan")},
            {"sha256": sha("two"), "decision": "held", "out_s": 10**400},
            {"sha256": sha("two"), "decision": "held", "at": "yesterday"},
            {"sha256": sha("two"), "decision": "held", "note": None},
            {"sha256": sha("two"), "decision": ["held"]},
            "held",
            {"sha256": sha("three"), "decision": "held", "added later": 1},
        ],
    )  # fmt: skip
    summary = decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")
    assert [decided.sha256 for decided in summary.decided] == [sha("one"), sha("three")]
    assert {item.entry: item.problem for item in summary.not_taken} == {
        2: "no clip has this SHA-256",
        3: "the clip is rejected",
        4: "decision must be one of approved, held, rejected, undecided",
        5: "sha256 is not 64 hex digits",
        6: "out_s is not after in_s",
        7: "in_s is not a number",
        8: "in_s is not a time in seconds",
        9: "out_s is not a time in seconds",
        10: "at is not a time like 2026-09-01T07:30:00Z",
        11: "note is not text",
        12: "decision must be one of approved, held, rejected, undecided",
        13: "is not a JSON object",
    }
    stored = campaign.ledger.reviews.current()
    assert stored[sha("one")] == Review(
        *(Decision.APPROVED, "yes", "carol", "2026-09-02T07:00:00Z"),
        *("New words", None, 0.25, 2.0),
        agreed_by=("carol",),
    )
    assert (stored[sha("three")].decision, stored[sha("three")].by) == (Decision.HELD, "ada")


def test_file_taken_twice_changes_nothing(campaign: LedgerScene, tmp_path: Path) -> None:
    path = save(tmp_path, [{"sha256": sha("one"), "decision": "approved"}])
    decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")
    before = campaign.ledger.reviews.current()
    again = decisions.take_file(campaign.ledger, path, "bob", campaign="River Week")
    assert (again.decided, again.same, again.not_taken) == ((), 1, ())
    assert campaign.ledger.reviews.current() == before


def test_decision_made_since_wins_over_an_older_file(campaign: LedgerScene, tmp_path: Path) -> None:
    path = save(
        tmp_path,
        [{"sha256": sha("one"), "decision": "approved", "at": "2026-09-02T07:00:00Z"}],
    )
    decide(
        campaign.ledger,
        sha("one"),
        Review(Decision.REJECTED, "a face", "bob", "2026-09-02T08:00:00Z"),
    )
    summary = decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")
    assert summary.decided == ()
    assert "decided on it since" in summary.not_taken[0].problem
    assert campaign.ledger.reviews.current()[sha("one")].decision is Decision.REJECTED


def test_time_from_a_clock_that_runs_ahead_is_not_believed(
    campaign: LedgerScene, tmp_path: Path
) -> None:
    path = save(
        tmp_path, [{"sha256": sha("one"), "decision": "held", "at": "2999-01-01T00:00:00Z"}]
    )
    decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")
    at = campaign.ledger.reviews.current()[sha("one")].at
    assert at is not None
    assert at < "2999"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a decisions file"),
        ("[" * 100_000, "is not JSON"),
        ('{"schema": 1, "campaign": "River Week", "decisions": {}}', "is not a decisions file"),
        ('{"schema": 2, "campaign": "River Week", "decisions": []}', "schema is not 1"),
        ('{"schema": 1, "campaign": "Other", "decisions": []}', "another campaign"),
        ("\ufffe", "is not JSON"),
    ],
)
def test_file_that_is_none_is_refused_whole(
    campaign: LedgerScene, tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "decisions.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=problem):
        decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")


def test_missing_file_is_told(campaign: LedgerScene, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        decisions.take_file(campaign.ledger, tmp_path / "no", "ada", campaign="River Week")


# -- what the review admits -------------------------------------------------------------------


def test_admission_follows_the_decisions(campaign: LedgerScene) -> None:
    ledger = campaign.ledger
    campaign.mail(attachment("four"))
    campaign.clip(result("four"))
    for name, decision in zip(
        NAMES, (Decision.APPROVED, Decision.HELD, Decision.REJECTED), strict=True
    ):
        decisions.decide(ledger, [sha(name)], Review(decision, "", "ada"))

    def shas(*, required: bool) -> list[str | None]:
        rows = rules.admitted(ledger.clips.rows(), Admission(required=required))
        return [row.attachment.sha256 for row in rows]

    assert shas(required=True) == [sha("one")]
    assert shas(required=False) == [sha("one"), sha("four")]
    assert [row.attachment.sha256 for row in rules.waiting(ledger.clips.rows())] == [sha("four")]


def test_only_finished_clean_first_clips_are_admitted(campaign: LedgerScene) -> None:
    campaign.mail(attachment("one"))  # the same bytes again
    campaign.mail(attachment("unclean"), attachment("empty", 1), attachment("waiting", 2))
    campaign.clip(result("unclean", clean=False))
    campaign.clip(result("empty", outputs=()))
    campaign.ledger.custody.set_state(sha("three"), OriginalState.WITHDRAWN)
    rows = rules.admitted(campaign.ledger.clips.rows(), Admission(required=False))
    assert [row.attachment.sha256 for row in rows] == [sha("one"), sha("two")]


def test_amending_sees_what_stands_there_and_may_leave_it(campaign: LedgerScene) -> None:
    seen = []

    def change(before: Review) -> Review | None:
        seen.append(before.decision)
        return None

    decisions.decide(campaign.ledger, [sha("one")], Review(Decision.HELD, "", "ada"))
    campaign.ledger.reviews.amend(sha("one"), change)
    assert seen == [Decision.HELD]
    assert campaign.ledger.reviews.current()[sha("one")].by == "ada"
