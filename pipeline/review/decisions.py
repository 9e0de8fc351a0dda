"""Decisions of reviewers, from the shell and from the file that the offline report saves.

A decision binds to the bytes of an original.  Each is one short transaction that reads the current
review and writes the new one, so that two reviewers at once lose nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline import clock
from pipeline.errors import UsageError
from pipeline.ledger import Ledger
from pipeline.ledger.reviews import Amendment
from pipeline.model import Decision, Review, Status
from pipeline.review import consents, entries, merging, protecting, rules
from pipeline.review.entries import InvalidEntry
from pipeline.review.presenting import JsonObject

_PREFIX = re.compile(r"[0-9a-f]{4,64}")
_VERSION = ("caption", "category", "in_s", "out_s", "masks", "sounds", "protect")
_DECIDABLE = {Status.ACCEPTED, Status.DUPLICATE, Status.PENDING}


@dataclass(frozen=True)
class NotTaken:
    """An entry of a decisions file that was left out; ``entry`` counts from 1, consents last."""

    entry: int
    problem: str


@dataclass(frozen=True)
class TakeSummary:
    """The result of taking a decisions file.

    ``same`` counts the entries that changed nothing, ``consents`` the consents that were recorded.
    """

    decided: tuple[Amendment, ...]
    same: int
    not_taken: tuple[NotTaken, ...]
    consents: int = 0


def decide(
    ledger: Ledger, prefixes: Sequence[str], wanted: Review, *, keeps_note: bool = False
) -> list[Amendment]:
    """Decide on the clips whose SHA-256 begin with *prefixes*.

    Caption, category, in and out points of an earlier review are kept.

    :param wanted: the decision, the note, and by whom.
    :param keeps_note: the note of an earlier review is kept, too.

    :raises UsageError: a prefix is too short, is not hex, or does not name exactly one clip; a
        line for each.  Then nothing is decided.
    """
    found = [_find(ledger, prefix) for prefix in prefixes]
    problems = [problem for _, problem in found if problem]
    if problems:
        raise UsageError("\n".join([*problems, "nothing was decided"]))
    note = entries.clean_text("note", wanted.note)

    def change(before: Review) -> Review:
        now = clock.now()
        values = {"decision": wanted.decision, "by": wanted.by, "at": now}
        if not keeps_note:
            values["note"] = note
        return entries.applied(before, values, wanted.by, now)

    changes = {sha256: change for sha256, _ in found}
    return list(ledger.reviews.amend_all(changes).values())


def take_file(ledger: Ledger, path: Path, by: str, *, campaign: str) -> TakeSummary:
    """Take the decisions that the offline report saved, each in a transaction of its own.

    An entry is left out and named where its clip is unknown, withdrawn or refused, or where
    somebody decided on it since.  All others are applied.

    :param by: who decided, for entries that do not say it.
    :param campaign: the name of the campaign that the file must belong to.
    :raises UsageError: the file can't be read, is not a decisions file, or belongs to another
        campaign.
    """
    listed, consented = entries.read(path, campaign)
    statuses: dict[str | None, set[Status]] = {}
    for row in ledger.clips.rows():
        statuses.setdefault(row.attachment.sha256, set()).add(row.status)
    decided, left_out, same = [], [], 0
    for number, entry in enumerate(listed, 1):
        try:
            sha256, values = entries.parse(entry)
            values = entries.with_clip(values, ledger.clips.result(sha256))
            was = entries.parse_was(entry)
            _check_fits(statuses.get(sha256, set()))
            if was:
                outcome, overtaken = _take_changes(ledger, sha256, values, by, was)
            else:
                outcome, overtaken = _take(ledger, sha256, values, by), ""
        except InvalidEntry as problem:
            left_out.append(NotTaken(number, str(problem)))
            continue
        if overtaken:
            left_out.append(NotTaken(number, overtaken))
        if outcome.before != outcome.after:
            decided.append(outcome)
        elif not overtaken:
            same += 1
    known = {mail.id for mail in ledger.intake.submissions()}
    recorded = 0
    for number, entry in enumerate(consented, len(listed) + 1):
        try:
            is_new = consents.take(ledger, entry, known, by)
        except InvalidEntry as problem:
            left_out.append(NotTaken(number, f"consent: {problem}"))
            continue
        recorded += is_new
        same += not is_new
    return TakeSummary(tuple(decided), same, tuple(left_out), recorded)


def _take(ledger: Ledger, sha256: str, values: JsonObject, by: str) -> Amendment:
    said_at = values.get("at")

    def change(before: Review) -> Review | None:
        wanted = _agreeing(before, values)
        if not is_named and before.decision is Decision.APPROVED:
            wanted = wanted | {"agreed": False}  # the same file, taken again by somebody else
        after = entries.applied(before, wanted, by, said_at or clock.now())
        if rules.is_same_decision(before, after):
            return None
        is_close = before.at == said_at and before.by != by  # nobody knows who was first
        if said_at and before.at and (before.at > said_at or is_close):
            # two people may approve the same at the same time, each on a page of their own
            after = _only_approved(before, after)
            if rules.is_same_decision(before, after):
                raise InvalidEntry(f"somebody decided on it since ({before.at})")
        # a reviewer's clock may be fast, and the trail must stay in the order of events
        now = clock.now()
        return replace(after, at=min(said_at, now) if said_at else now)

    is_named = bool(values.get("by"))
    by = values.get("by") or by
    values = values | {"by": by}
    return ledger.reviews.amend(sha256, change)


def _take_changes(
    ledger: Ledger, sha256: str, values: JsonObject, by: str, was: Sequence[Review]
) -> tuple[Amendment, str]:
    """Take what the author of an entry changed, and say what somebody else changed since."""
    overtaken: list[str] = []
    values = values | {"by": values.get("by") or by}

    def change(before: Review) -> Review | None:
        merged = merging.merge(before, values, was)
        if merged.conflicts:
            fields = ", ".join(merged.conflicts)
            overtaken[:] = [f"somebody changed since ({before.at}), and this was kept: {fields}"]
        now = clock.now()
        said_at = values.get("at") or now
        after = entries.applied(before, merged.values, values["by"], said_at)
        if rules.is_same_decision(before, after):
            return None
        # a reviewer's clock may be wrong, and the trail must stay in the order of events
        return replace(after, at=min(max(said_at, before.at or ""), now))

    amendment = ledger.reviews.amend(sha256, change)
    return amendment, "".join(overtaken)


def _agreeing(before: Review, values: JsonObject) -> JsonObject:
    """Return the entry; it does not approve if its author saw another version of the clip.

    A page names in the entry what it shows: what is left out there is not in that version.
    """
    if not values.get("agreed"):
        return values
    fields = {key: value for key, value in values.items() if key in _VERSION}
    shown, becomes = replace(Review(), **fields), replace(before, **fields)
    return values | {"agreed": protecting.shows_the_same(shown, becomes)}


def _only_approved(before: Review, after: Review) -> Review:
    """Return *before* with the approval that *after* adds to it, if both show the same."""
    is_same = before.decision is after.decision and protecting.shows_the_same(before, after)
    if not is_same or before.agreed_by == after.agreed_by:
        return before
    added = {name: getattr(after, name) for name in ("agreed_by", "seen_by", "comments", "by")}
    return replace(before, **added)


def _check_fits(statuses: set[Status]) -> None:
    if not statuses:
        raise InvalidEntry("no clip has this SHA-256")
    if not statuses & _DECIDABLE:
        raise InvalidEntry(f"the clip is {min(statuses)}")


def _find(ledger: Ledger, prefix: str) -> tuple[str, str]:
    """The SHA-256 that a prefix names, or the problem with it."""
    wanted = prefix.strip().lower()
    if not _PREFIX.fullmatch(wanted):
        return "", f"{prefix!r}: a clip is named by at least 4 hex digits of its SHA-256"
    match ledger.custody.matching(wanted):
        case []:
            return "", f"{wanted}: no clip has this SHA-256"
        case [sha256]:
            return sha256, ""
        case _:
            return "", f"{wanted}: more than one clip begins like this; give more digits"
