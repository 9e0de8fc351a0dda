"""Recording what senders agreed to: from the shell, the page and the file of the offline page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace

from pipeline import clock, correspondence, places
from pipeline.consent import Consent, ConsentRecord
from pipeline.ledger import Ledger
from pipeline.model import Note, Submission
from pipeline.review import entries, unseen
from pipeline.review.entries import InvalidEntry
from pipeline.review.presenting import JsonObject, shown_text

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_MARKS = r"\u0300-\u036f\u0610-\u065f\u0900-\u0d7f\u200c\u200d"
# A word with its vowel signs.  In scripts that write no blanks, each sign counts as a word.
_WORD = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_]|[{_MARKS}])+")
_THREE_WORDS = re.compile(
    r"[^\W_]{2,}(?:(?:[.\u3002\uff0e\u30fb·]| [.·] )[^\W_]{2,}){2}"
)  # what3words
Amended = tuple[ConsentRecord, ConsentRecord]


@dataclass(frozen=True)
class ConsentEntry:
    """What is to be recorded for a submission, and by whom.

    ``at``: when it was said, in a file of the offline page; None means now.  ``knows``: which mails
    the page showed, as :func:`pipeline.review.unseen.newest_mail`; not checked yet.
    """

    consent: Consent
    name: str = ""
    place: str = ""
    by: str = ""
    at: str | None = None
    knows: object = None

    @classmethod
    def of(cls, consent: object, name: object, place: object, by: str) -> ConsentEntry:
        """Check what a person entered.

        :raises InvalidEntry: there is no such consent, the name to show is missing, or the words
            may be an exact place.
        """
        if not isinstance(consent, str) or consent not in set(Consent):
            raise InvalidEntry(f"consent must be one of {', '.join(Consent)}")
        if not isinstance(name, str) or not isinstance(place, str):
            raise InvalidEntry("name and place must be text")
        if any(map(_may_be_exact, (name, place, f"{name}, {place}"))):
            raise InvalidEntry(
                "the name or the place holds coordinates or a link to a map, or a number or three "
                "words with dots, which may be an exact place; no film may show it: write both in "
                "words, as the sender did"
            )
        entered = cls(
            Consent(consent),
            entries.clean_text("name", name),
            entries.clean_text("place", place),
            by,
        )
        if entered.consent is not Consent.YES_WITH_NAME:
            if entered.name or entered.place:
                raise InvalidEntry(f"a name and a place are for {Consent.YES_WITH_NAME} only")
        elif not entered.name:
            raise InvalidEntry(f"{Consent.YES_WITH_NAME} needs the name to show")
        return entered


def record(ledger: Ledger, submission: str, entered: ConsentEntry) -> Amended:
    """Record the consent of a submission; the same consent again changes nothing.

    :returns: the consent before and after.
    :raises InvalidEntry: the place is not in the words of the sender.
    """
    _check_place(ledger, submission, entered.place)
    return ledger.consents.amend(submission, lambda before: _changed(before, entered))


def record_if_seen(
    ledger: Ledger, submission: object, entered: ConsentEntry, seen: object
) -> Amended | None:
    """Record a consent if nobody has changed it since the reviewer saw it; None if somebody has.

    :param seen: as :func:`as_data` gave it.
    :raises InvalidEntry: the mail is unknown, or the place is not in the words of the sender.
    :raises UnseenMail: it is a "yes", and a mail that may limit it came in after the page was made.
    """
    known = {mail.id for mail in ledger.intake.submissions()}
    if not isinstance(submission, str) or submission not in known:
        raise InvalidEntry("no mail has this id")
    _check_place(ledger, submission, entered.place)
    overtaken = False

    def change(before: ConsentRecord) -> ConsentRecord | None:
        nonlocal overtaken
        overtaken = as_data(before) != seen
        return None if overtaken else _checked(ledger, before, entered)

    amended = ledger.consents.amend(submission, change)
    return None if overtaken else amended


def take(ledger: Ledger, entry: object, known: Collection[str], by: str) -> bool:
    """Take a consent of a decisions file; False if it changes nothing.

    :param known: the ids of all submissions.
    :param by: who recorded it, if the entry does not say.
    :raises InvalidEntry: it is malformed, its mail is unknown, or somebody recorded another
        consent since.
    :raises UnseenMail: it is a "yes", and a mail that may limit it came in after the page was made.
    """
    if not isinstance(entry, dict):
        raise InvalidEntry("is not a JSON object")
    submission, said_at, said_by = (entry.get(key) for key in ("submission", "at", "by"))
    if submission not in known:
        raise InvalidEntry("no mail has this id")
    if not isinstance(said_at, str) or not _MOMENT.fullmatch(said_at):
        raise InvalidEntry("at is not a time like 2026-09-01T07:30:00Z")
    author = entries.clean_text("by", said_by) if isinstance(said_by, str) else ""
    said = ConsentEntry.of(
        entry.get("consent"), entry.get("name", ""), entry.get("place", ""), author or by
    )
    entered = replace(said, at=min(said_at, clock.now()), knows=entry.get("knows"))
    _check_place(ledger, str(submission), entered.place)

    def change(before: ConsentRecord) -> ConsentRecord | None:
        if _changed(before, entered) and before.at and before.at > said_at:
            raise InvalidEntry(f"somebody recorded another consent since ({before.at})")
        return _checked(ledger, before, entered)

    before, after = ledger.consents.amend(str(submission), change)
    return before is not after


def as_data(record: ConsentRecord) -> JsonObject:
    """Give a consent as the report and the page take it."""
    return {
        "state": record.consent.value,
        "name": shown_text(record.name),
        "place": shown_text(record.place),
        "by": shown_text(record.by),
        "at": record.at,
    }


def _checked(ledger: Ledger, before: ConsentRecord, entered: ConsentEntry) -> ConsentRecord | None:
    """The consent after an entry of a page, which must have shown what may limit a "yes"."""
    after = _changed(before, entered)
    if after:
        unseen.check_yes(ledger, before.submission, after.consent, entered.knows)
    return after


def _changed(before: ConsentRecord, entered: ConsentEntry) -> ConsentRecord | None:
    wanted = (entered.consent, entered.name, entered.place)
    if (before.consent, before.name, before.place) == wanted:
        return None
    return replace(
        before,
        consent=entered.consent,
        name=entered.name,
        place=entered.place,
        by=entered.by,
        at=entered.at,
    )


def _may_be_exact(text: str) -> bool:
    """Whether a name or a place may be an exact place: coordinates, a code or a street's number.

    Any number counts, because a house number looks like the number of a class.
    """
    has_number = any(unicodedata.category(char).startswith("N") for char in text)
    return has_number or places.found(text, in_file=True) or _THREE_WORDS.search(text) is not None


def _check_place(ledger: Ledger, submission: str, place: str) -> None:
    """Refuse a place that the sender gave in no mail.

    A reviewer may know from the picture where it was made, and nobody else may learn that.

    :raises InvalidEntry: no mail of the sender has these words.
    """
    if not place:
        return
    mails = {mail.id: mail for mail in ledger.intake.submissions()}
    own = (mail for mail in mails.values() if _says_where(mail, mails[submission]))
    if not _words(place).strip() or not any(
        _words(place) in _words(f"{mail.subject}\n{mail.text}") for mail in own
    ):
        raise InvalidEntry(
            "the sender gave this place in no mail, so it is not shown; ask for it in a letter"
        )


def _says_where(mail: Submission, shown: Submission) -> bool:
    """Whether the words of a mail count for the place of the footage of *shown*.

    Its own count unless it is forged.  So do those of other mails which are surely from its sender.
    """
    if mail.id == shown.id:
        return Note.NOT_AUTHENTIC not in mail.notes
    is_sure = not correspondence.is_of_doubtful_sender(mail)
    return is_sure and correspondence.is_same_person(mail, shown)


def _words(text: str) -> str:
    """The words of a text, each with a blank before and behind it."""
    return f" {' '.join(_WORD.findall(unicodedata.normalize('NFKC', text).casefold()))} "
