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


def test_an_earlier_note_stays_unless_another_is_given(campaign: LedgerScene) -> None:
    decide(campaign.ledger, sha("one"), Review(Decision.HELD, "her mother called", "ben"))
    wanted = Review(Decision.APPROVED, "", "ana")
    (kept,) = decisions.decide(campaign.ledger, [sha("one")], wanted, keeps_note=True)
    assert (kept.after.decision, kept.after.note) == (Decision.APPROVED, "her mother called")
    (removed,) = decisions.decide(campaign.ledger, [sha("one")], wanted)
    assert removed.after.note == ""


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


@pytest.mark.parametrize("at", ["2026-09-02T08:00:00Z", "2026-09-02T07:00:00Z"])
def test_decision_made_since_wins_over_an_older_file(
    campaign: LedgerScene, tmp_path: Path, at: str
) -> None:
    path = save(
        tmp_path,
        [{"sha256": sha("one"), "decision": "approved", "at": "2026-09-02T07:00:00Z"}],
    )
    decide(
        campaign.ledger,
        sha("one"),
        Review(Decision.REJECTED, "a face", "bob", at),
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


# -- a page that is older than the ledger -----------------------------------------------------

AREA = {"at_s": 0, "x": 0.1, "y": 0.1, "width": 0.2, "height": 0.2}
MASK = {"points": [AREA], "shape": "rectangle", "fill": "solid"}
OTHER = {"points": [AREA | {"x": 0.6}], "shape": "rectangle", "fill": "solid"}
NEW: dict[str, Any] = {"decision": "undecided", "note": "", "masks": []}
WAS = {"decision": "approved", "note": "", "masks": [MASK], "agreed_by": ["ana"]}


def take(
    campaign: LedgerScene, folder: Path, was: dict[str, Any], author: str = "cy", **now: Any
) -> decisions.TakeSummary:
    """Take the file of a page that showed *was*, and whose reviewer changed *now*."""
    entry = {"agreed": False, **was, **now}
    entry |= {"sha256": sha("one"), "by": author, "at": "2026-09-02T09:00:00Z", "was": [was]}
    path = save(folder, [entry])
    return decisions.take_file(campaign.ledger, path, "", campaign="River Week")


def stored(campaign: LedgerScene) -> Review:
    return campaign.ledger.reviews.current()[sha("one")]


def known(campaign: LedgerScene, folder: Path, **changes: Any) -> Review:
    """Let the ledger know what the old page shows, and then a change by somebody else."""
    take(campaign, folder, NEW, "ana", **WAS, agreed=True)
    assert stored(campaign).agreed_by == ("ana",)
    if changes:
        take(campaign, folder, WAS, "ben", **changes)
    return stored(campaign)


def test_stars_of_an_old_page_bring_no_decision_back(campaign: LedgerScene, tmp_path: Path) -> None:
    before = known(campaign, tmp_path, decision="rejected", note="her mother called")
    summary = take(campaign, tmp_path, WAS, stars=3)
    assert (len(summary.decided), summary.not_taken) == (1, ())
    after = stored(campaign)
    assert after.stars == 3
    assert (after.decision, after.note) == (Decision.REJECTED, "her mother called")
    assert after.masks == before.masks


def test_a_mask_that_was_drawn_since_stays(campaign: LedgerScene, tmp_path: Path) -> None:
    known(campaign, tmp_path, masks=[MASK, OTHER])
    assert len(stored(campaign).masks) == 2
    take(campaign, tmp_path, WAS, tags=["river"])
    assert (len(stored(campaign).masks), stored(campaign).tags) == (2, ("river",))
    summary = take(campaign, tmp_path, WAS, masks=[])
    assert "this was kept: masks" in summary.not_taken[0].problem
    assert len(stored(campaign).masks) == 2


def test_an_approval_of_another_version_is_not_taken(campaign: LedgerScene, tmp_path: Path) -> None:
    take(campaign, tmp_path, NEW, "ben", masks=[OTHER])
    summary = take(campaign, tmp_path, NEW, decision="approved", agreed=True, note="fine")
    assert "this was kept: decision" in summary.not_taken[0].problem
    after = stored(campaign)
    assert (after.decision, after.agreed_by, after.note) == (Decision.UNDECIDED, (), "fine")


@pytest.mark.parametrize("since", [{"decision": "held"}, {"masks": [MASK, OTHER]}])
def test_a_second_approval_that_comes_too_late_is_named(
    campaign: LedgerScene, tmp_path: Path, since: dict[str, Any]
) -> None:
    before = known(campaign, tmp_path, **since)
    summary = take(campaign, tmp_path, WAS, agreed=True)
    assert "this was kept: decision" in summary.not_taken[0].problem
    assert stored(campaign) == before


def test_who_approves_again_after_a_hold_approves(campaign: LedgerScene, tmp_path: Path) -> None:
    """The page was made before all of it, and saved a file after the hold."""
    known(campaign, tmp_path, decision="held")
    entry = WAS | {"sha256": sha("one"), "by": "ana", "at": "2026-09-03T09:00:00Z", "agreed": True}
    path = save(tmp_path, [entry | {"was": [WAS, WAS | {"decision": "held", "agreed_by": []}]}])
    decisions.take_file(campaign.ledger, path, "", campaign="River Week")
    assert stored(campaign).agreed_by == ("ana",)


def test_a_star_is_no_approval(campaign: LedgerScene, tmp_path: Path) -> None:
    known(campaign, tmp_path)
    take(campaign, tmp_path, WAS, "cy", stars=4)
    assert (stored(campaign).stars, stored(campaign).agreed_by) == (4, ("ana",))
    take(campaign, tmp_path, WAS, "ben", decision="held")
    take(campaign, tmp_path, WAS, "ana", tags=["river"], agreed=True)  # as she knew it
    assert (stored(campaign).tags, stored(campaign).agreed_by) == (("river",), ())


def test_a_careful_decision_of_an_old_page_counts(campaign: LedgerScene, tmp_path: Path) -> None:
    known(campaign, tmp_path, note="lovely")
    take(campaign, tmp_path, WAS, decision="held")
    assert (stored(campaign).decision, stored(campaign).note) == (Decision.HELD, "lovely")
    summary = take(campaign, tmp_path, NEW, decision="approved", agreed=True)
    assert "this was kept: decision" in summary.not_taken[0].problem
    assert stored(campaign).decision is Decision.HELD


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        ({"points": [AREA | {"x": 1, "y": 1}]}, "beside the picture"),
        ({"points": [AREA | {"x": -0.2}, AREA | {"at_s": 1, "x": -0.5}]}, "beside the picture"),
        ({"points": [AREA, AREA | {"at_s": 1, "y": 1}], "from_s": 1}, "beside the picture"),
        ({"points": [AREA], "frame": "1920x1080 fill"}, "pictures change their size"),
        ({"points": [AREA], "from_s": 99}, "but the clip ends at"),
        (
            {"points": [AREA | {"x": 1}, AREA | {"x": 1, "at_s": 90}, AREA | {"at_s": 99}]},
            "as long as the clip lasts",
        ),
        (
            {"points": [AREA | {"x": -0.2}, AREA | {"at_s": 1, "x": 1}]},
            "",
        ),  # it crosses the picture
    ],
)
def test_a_mask_that_hides_nothing_is_refused(
    campaign: LedgerScene, tmp_path: Path, mask: dict[str, Any], problem: str
) -> None:
    summary = take(campaign, tmp_path, NEW, masks=[mask])
    assert [problem in each.problem for each in summary.not_taken] == [True] * bool(problem)
    assert len(summary.decided) == (not problem)


def test_comments_are_added_whatever_else_was_decided(
    campaign: LedgerScene, tmp_path: Path
) -> None:
    known(campaign, tmp_path, decision="held")
    take(campaign, tmp_path, WAS, comments=[{"id": "0123456789ab", "text": "cut the end"}])
    (comment,) = stored(campaign).comments
    assert (comment.text, comment.by, stored(campaign).decision) == (
        *("cut the end", "cy"),
        Decision.HELD,
    )


@pytest.mark.parametrize("was", [1, [1], [{}], [{"decision": "held", "agreed_by": 3}], [{}] * 51])
def test_what_a_page_knew_is_checked(campaign: LedgerScene, tmp_path: Path, was: object) -> None:
    path = save(tmp_path, [{"sha256": sha("one"), "decision": "approved", "was": was}])
    summary = decisions.take_file(campaign.ledger, path, "ada", campaign="River Week")
    assert len(summary.not_taken) == 1
    assert campaign.ledger.reviews.current() == {}
