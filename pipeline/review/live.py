"""Decisions that are made while others review too, and their undo.

Every change names the review that the reviewer saw.  Where somebody else decided in between, the
change is not written, and the reviewer is shown the current review.  What goes together is written,
such as a star and a decision, or the same decision of two people.  What is decided in one act is
undone in one act.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from pipeline import clock
from pipeline.history import TrailEntry
from pipeline.ledger import Ledger
from pipeline.ledger.reviews import Amendment, Change
from pipeline.model import OriginalState, Review
from pipeline.review import commenting, consents, entries, merging
from pipeline.review.commenting import ImpossibleComment
from pipeline.review.entries import InvalidEntry
from pipeline.review.presenting import JsonObject, review_data, shown_text


@dataclass(frozen=True)
class ActOutcome:
    """The result of one act: the reviews that were written, and those that others made in between.

    Both are by SHA-256, as the ledger has them now.  ``undone``: the number of the act that an undo
    was for, None if there was none.
    """

    written: Mapping[str, Review] = field(default_factory=dict)
    overtaken: Mapping[str, Review] = field(default_factory=dict)
    undone: int | None = None

    @classmethod
    def of(cls, done: Mapping[str, Amendment]) -> ActOutcome:
        """Tell the changes that were written from those that were refused."""
        return cls(
            {sha256: it.after for sha256, it in done.items() if it.after is not it.before},
            {sha256: it.after for sha256, it in done.items() if it.after is it.before},
        )


def decide(ledger: Ledger, wanted: object, by: str) -> ActOutcome:
    """Write decisions as one act.

    :param wanted: ``[{"entry", "seen"}…]``: an entry as in a decisions file, and the review
        that the reviewer saw, as the report has it.
    :raises InvalidEntry: an entry is malformed, or its clip is unknown or withdrawn.  Then nothing
        is written.
    """
    if not isinstance(wanted, list) or not wanted:
        raise InvalidEntry("entries is not a list of decisions")
    changes = {}
    for item in wanted:
        if not isinstance(item, dict):
            raise InvalidEntry("is not a JSON object")
        sha256, values = entries.parse(item.get("entry"))
        _check_known(ledger, sha256)
        if "comments" in values:
            values["comments"] = commenting.signed(values["comments"], by)
        values = entries.with_clip(values | {"by": by}, ledger.clips.result(sha256))
        changes[sha256] = _change(values, item.get("seen"))
    return ActOutcome.of(ledger.reviews.amend_all(changes))


def comment(ledger: Ledger, sha256: object, item: object, by: str) -> ActOutcome:
    """Add a comment of *by* to a clip, or mark one as resolved or not.

    It overtakes nobody, so it is written whatever others did in between.

    :raises InvalidEntry: it is malformed, or its clip is unknown or withdrawn.
    """
    if not isinstance(sha256, str):
        raise InvalidEntry("sha256 is not text")
    try:
        (given,) = commenting.signed([commenting.read_comment(item)], by)
    except ImpossibleComment as problem:
        raise InvalidEntry(str(problem)) from problem
    _check_known(ledger, sha256)

    def change(before: Review) -> Review | None:
        after = entries.applied(before, {"comments": (given,)}, by, clock.now())
        return None if after == before else after

    return ActOutcome.of(ledger.reviews.amend_all({sha256: change}, by=by))


def _check_known(ledger: Ledger, sha256: str) -> None:
    match ledger.custody.state(sha256):
        case None:
            raise InvalidEntry("no clip has this SHA-256")
        case OriginalState.WITHDRAWN:
            raise InvalidEntry("the clip is withdrawn")


def _change(values: JsonObject, seen: object) -> Change:
    def change(before: Review) -> Review | None:
        wanted: JsonObject | None = values
        if not isinstance(seen, dict) or _besides(review_data(before)) != _besides(seen):
            wanted = _added(before, values, seen)
        if wanted is None:
            return None
        return entries.applied(before, wanted | {"at": clock.now()}, values["by"], clock.now())

    return change


def _added(before: Review, values: JsonObject, seen: object) -> JsonObject | None:
    try:
        (was,) = entries.parse_was({"was": [seen]})
    except InvalidEntry:
        return None
    return merging.added(before, values, was)


def _besides(review: JsonObject) -> JsonObject:
    """A review without its comments: a decision does not overtake those of others."""
    return {key: value for key, value in review.items() if key != "comments"}


def undo(
    ledger: Ledger, by: str, *, decides: bool = True, passed: Collection[int] = ()
) -> ActOutcome:
    """Undo the newest act of *by* that is not undone yet, if there is one.

    A clip on which somebody else decided since is left as it is.

    :param decides: *by* may decide.  If not, only comments are undone, and no decision of *by*
        from another review.
    :param passed: the numbers of acts to pass over, because somebody else decided since.
    """
    own = [event for event in ledger.reviews.trail() if event.by == by]
    if not decides:
        own = [event for event in own if _decided(event.before) == _decided(event.after)]
    undone = {event.undoes for event in own}
    left = [
        event
        for event in own
        if event.undoes is None and event.id not in undone and event.act not in passed
    ]
    act = {event.sha256: event for event in left if event.act == left[-1].act}
    changes = {sha256: _back(event) for sha256, event in act.items()}
    undoes = {sha256: event.id for sha256, event in act.items()}
    outcome = ActOutcome.of(ledger.reviews.amend_all(changes, by=by, undoes=undoes))
    return replace(outcome, undone=left[-1].act if left else None)


def _back(event: TrailEntry) -> Change:
    def change(now: Review) -> Review | None:
        before, after = event.before, event.after
        comments = commenting.taken_back(now.comments, before.comments, after.comments)
        if _decided(before) == _decided(after):  # nothing but comments, which overtake nobody
            return replace(now, comments=comments)
        if _decided(now) != _decided(after):
            return None
        # the time is that of the undo, so that others see that something changed
        return replace(before, comments=comments, at=clock.now())

    return change


def _decided(review: Review) -> Review:
    """A review without its comments, and without its time, which an undo of a later one changes."""
    return replace(review, comments=(), at=None)


def mark_mail(ledger: Ledger, submission: object, handled: object, by: str) -> bool:
    """Record that *by* has dealt with a mail, or take the mark back; False if that is so already.

    :raises InvalidEntry: the mail is unknown, or *handled* is neither true nor false.
    """
    if not isinstance(handled, bool):
        raise InvalidEntry("handled is neither true nor false")
    known = {mail.id for mail in ledger.intake.submissions()}
    if not isinstance(submission, str) or submission not in known:
        raise InvalidEntry("no mail has this id")
    return ledger.reviews.set_handled([submission], by, handled=handled) > 0


def set_consent(ledger: Ledger, body: JsonObject, by: str) -> bool:
    """Record a consent that a reviewer entered; False if somebody else did since.

    :param body: ``submission``, ``consent``, ``name``, ``place``, ``seen``, the consent that the
        reviewer saw, and ``knows``, which mails the page showed.
    :raises InvalidEntry: what was entered is malformed, or its mail is unknown.
    :raises UnseenMail: it is a "yes", and a mail that may limit it came in after the page was made.
    """
    said = consents.ConsentEntry.of(
        body.get("consent"), body.get("name", ""), body.get("place", ""), by
    )
    entered = replace(said, knows=body.get("knows"))
    done = consents.record_if_seen(ledger, body.get("submission"), entered, body.get("seen"))
    return done is not None


def mails_version(ledger: Ledger) -> str:
    """Name the state of the mails: which a person has dealt with, and what senders agreed to."""
    marks = [(mark.submission, mark.at, mark.by) for mark in ledger.reviews.handled().values()]
    agreed = ledger.consents.newest()
    return hashlib.sha256(json.dumps([sorted(marks), agreed]).encode()).hexdigest()[:16]


def mails_data(ledger: Ledger) -> JsonObject:
    """Give the mails that were dealt with and the clips that are held, as the page takes them."""
    version = mails_version(ledger)  # read first: a later change is then reported twice, not lost
    return {
        "version": version,
        "handled": {
            mark.submission: {"by": shown_text(mark.by), "at": mark.at}
            for mark in ledger.reviews.handled().values()
        },
        "held": {row.sha256: row.held_by for row in ledger.clips.rows() if row.held_by},
        "consents": {
            record.submission: consents.as_data(record)
            for record in ledger.consents.current().values()
        },
    }
