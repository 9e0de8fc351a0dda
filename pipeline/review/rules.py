"""The rules of the review: what can be decided, and what goes into the montage.

The page has the same rules in ``assets/rules.js``, because a page from a file has nobody to ask.
``tests/page_rules.json`` holds cases that both must answer alike.
"""

import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import replace

from pipeline import protection
from pipeline.caution import Caution
from pipeline.consent import Consent
from pipeline.model import Decision, Review, Row, Status
from pipeline.protection import Need, Protect
from pipeline.review.admission import Admission

AGREE = 2  # people, where one is not enough


def is_decidable(row: Row) -> bool:
    """Whether a row has a finished clip: accepted, verified clean, with outputs.

    A duplicate has none: its clip is that of the first row with these bytes.  The photo of a Live
    Photo has none either: photo and film are one moment, with one place in the montage.
    """
    result = row.result
    return (
        row.status is Status.ACCEPTED
        and result is not None
        and result.clean is True
        and bool(result.outputs)
        and row.pair is None
    )


def has_clip(row: Row) -> bool:
    """Whether there is a finished clip, which may have to be hidden."""
    return row.status is Status.ACCEPTED and bool(row.result and row.result.outputs)


def is_shown(row: Row) -> bool:
    """Whether there is a clip that a reviewer may see.

    The photo of a Live Photo is not shown while a part of its film may not be seen: it shows the
    same.  It has no card of its own, on which somebody could mask it.
    """
    return has_clip(row) and not row.is_hidden_with_film


def admitted(rows: Iterable[Row], admission: Admission) -> list[Row]:
    """Pick the rows whose clips go into the montage, in the order in which they came.

    They are those that are :func:`chosen` and whose clips hide what their review hides.
    """
    return [row for row in chosen(rows, admission) if hides_what_it_should(row)]


def hides_what_it_should(row: Row) -> bool:
    """Whether the finished clip has the masks and the sound of the review, and no others."""
    wanted = protection.hidden(row.review.masks, row.review.sounds)
    outputs = row.result.outputs if row.result else ()
    return all(output.hides == wanted for output in outputs)


def lacking(review: Review, other: Review) -> list[str]:
    """Name what the review of a clip that looks the same hides, and this one does not.

    A mark that a mask is needed counts until this one has a mask or the mark.
    """
    order = list(Protect)
    is_marked = bool(review.masks) or Need.MASK in review.needs
    told = {
        "masks": bool(other.masks) and not review.masks,
        "sounds": bool(other.sounds) and not review.sounds,
        "protect": order.index(other.protect) > order.index(review.protect),
        "needs-blur": Need.MASK in other.needs and not other.masks and not is_marked,
    }
    return [name for name, so in told.items() if so]


def is_agreed(review: Review, *, needs_two: bool) -> bool:
    """Whether enough people approved a clip as it is now.

    A person counts once, also with another spelling of the name.  An approval needs a name.

    :param needs_two: see :meth:`Admission.needs_two`.
    """
    return not needs_two or len(people(review.agreed_by)) >= AGREE


def people(names: Iterable[str]) -> list[str]:
    """Return each person once, as the name was written first; empty names are left out."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(_spelling(name), name)
    found.pop("", None)
    return list(found.values())


def _spelling(name: str) -> str:
    """Return a name as it is compared: one form of capitals, blanks and composed letters."""
    whole = unicodedata.normalize("NFKC", name)
    seen = "".join(letter for letter in whole if unicodedata.category(letter) != "Cf")
    return unicodedata.normalize("NFKC", " ".join(seen.upper().lower().split()))


def approvals(agreed_by: Iterable[str]) -> str:
    """Say how many of two people approved a clip, and who."""
    names = people(agreed_by)
    return f"{min(len(names), AGREE)} of {AGREE}" + (f" by {', '.join(names)}" if names else "")


def is_released(row: Row) -> bool:
    """Whether a clip that was withheld was approved by somebody who watched it to its end.

    One and the same person must have done both.  Any other clip is released.
    """
    warnings = row.result.warnings if row.result else ()
    if Caution.WITHHELD not in warnings:
        return True
    seen, agreed = people(row.review.seen_by), people(row.review.agreed_by)
    did_both = len(people((*seen, *agreed))) < len(seen) + len(agreed)
    return row.review.decision is Decision.APPROVED and did_both


def chosen(rows: Iterable[Row], admission: Admission) -> list[Row]:
    """Pick the rows whose clips the review lets into the montage, as soon as they are made.

    A clip that its sender may take back stays out, whatever was decided, until a person has dealt
    with that mail.  The same holds for a clip whose sender does not consent, one with which
    something has to be done first, one that too few people approved, and one that is withheld.
    """
    return [
        row
        for row in rows
        if is_decidable(row)
        and row.review.decision in _taken(admission)
        and not row.held_by
        and not row.review.needs
        and is_agreed(row.review, needs_two=admission.needs_two(row))
        and is_released(row)
        and row.consent.allows(needs_consent=admission.needs_consent)
    ]


def _taken(admission: Admission) -> set[Decision]:
    """The decisions with which a clip may go into the montage."""
    return {Decision.APPROVED} | (set() if admission.required else {Decision.UNDECIDED})


def waits_for_two(rows: Iterable[Row], admission: Admission) -> list[Row]:
    """Pick the rows whose clips stay out of the montage because too few people approved them."""
    return [
        row
        for row in rows
        if is_decidable(row)
        and row.review.decision in _taken(admission)
        and not is_agreed(row.review, needs_two=admission.needs_two(row))
    ]


def without_consent(rows: Iterable[Row], *, needs_consent: bool) -> list[Row]:
    """Pick the rows whose finished clips stay out of the montage because consent is missing."""
    return [
        row
        for row in rows
        if is_decidable(row) and not row.consent.allows(needs_consent=needs_consent)
    ]


def to_be_made_anew(rows: Iterable[Row], admission: Admission) -> list[Row]:
    """Pick the rows whose clips stay out because they were made before their masks were changed."""
    return [row for row in chosen(rows, admission) if not hides_what_it_should(row)]


def withheld(rows: Iterable[Row]) -> list[Row]:
    """Pick the rows whose clips stay out of films because a face may be seen in them."""
    return [
        row
        for row in rows
        if is_decidable(row)
        and row.review.decision is not Decision.REJECTED
        and not is_released(row)
    ]


def unready(rows: Iterable[Row], admission: Admission) -> dict[str, int]:
    """Count the clips that stay out of films until something is done, by what it is."""
    listed = list(rows)
    too_few = waits_for_two(listed, admission)
    approved = [
        row for row in listed if is_decidable(row) and row.review.decision is Decision.APPROVED
    ]
    return {
        "approved, but needs-blur or ask-the-sender is set": sum(
            bool(row.review.needs) for row in approved
        ),
        "approved, but a second person must approve too": sum(
            row.review.decision is Decision.APPROVED for row in too_few
        ),
        "undecided, and two people must approve": sum(
            row.review.decision is Decision.UNDECIDED for row in too_few
        ),
        "approved, but without the new masks yet (footage process)": sum(
            not hides_what_it_should(row) and row.has_original for row in approved
        ),
        "approved, but without the new masks, and can't be made anew: the original was deleted "
        "(add it again with footage add, or take the masks off)": sum(
            not hides_what_it_should(row) and not row.has_original for row in approved
        ),
        "withheld, because a face may be seen: mask it, or watch the clip to its end and approve "
        "it": len(withheld(listed)),
    }


def held_back(rows: Iterable[Row]) -> list[Row]:
    """Pick the rows whose clips a sender may take back; nobody has dealt with that mail."""
    return [row for row in rows if is_decidable(row) and row.held_by]


def waits_for_consent(rows: Iterable[Row], *, needs_consent: bool) -> dict[str, Consent]:
    """Find the submissions whose sender has not answered on consent.

    If no consent is needed, only those wait that were asked.  A mail of which every clip was
    rejected waits for nothing.  A mail that brought the same bytes again waits as well.

    :returns: the submissions in the order of receipt, each with "unknown" or "asked".
    """
    silent = {Consent.ASKED, Consent.UNKNOWN} if needs_consent else {Consent.ASKED}
    listed = list(rows)
    awaited = {
        row.sha256
        for row in listed
        if is_decidable(row)
        and row.review.decision is not Decision.REJECTED
        and row.consent in silent
    }
    return {
        row.submission: row.own_consent
        for row in listed
        if row.sha256 in awaited and row.own_consent in silent
    }


def no_longer_admitted(
    clips: Collection[str], rows: Iterable[Row], admission: Admission
) -> list[str]:
    """Find which clips of a finished montage would not go into it today.

    Somebody held or rejected them since, their sender may take them back, or does not consent.
    """
    may_stay = {row.sha256 for row in admitted(rows, admission)}
    return [sha256 for sha256 in clips if sha256 not in may_stay]


def waiting(rows: Iterable[Row]) -> list[Row]:
    """Pick the rows whose clips no reviewer has decided on."""
    return [row for row in rows if is_decidable(row) and row.review.decision is Decision.UNDECIDED]


def is_same_decision(one: Review, other: Review) -> bool:
    """Whether two reviews say the same; who made them, and when, does not count."""
    return replace(one, by="", at=None) == replace(other, by="", at=None)


def shown_seconds(row: Row) -> float:
    """How long a finished clip is between its in and out points, in seconds."""
    if row.result is None or not row.result.outputs:
        return 0.0
    output = row.result.outputs[0]
    start, stop = row.review.cut(output.frames, output.fps)
    return max(0, stop - start) / output.fps
