"""Mails that came in after a page was made, and that may spoil a "yes" recorded on that page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from pipeline import correspondence
from pipeline.consent import Consent
from pipeline.history import EventKind
from pipeline.ledger import Ledger
from pipeline.model import Row, Submission
from pipeline.review.entries import InvalidEntry
from pipeline.texts import consenting, taking_back


class UnseenMail(InvalidEntry):
    """A "yes" that a newer mail may refuse or limit; ``mail`` is the id of that mail."""

    def __init__(self, mail: str) -> None:
        super().__init__(f"a newer mail of this sender is here: read it first ({mail})")
        self.mail = mail


def newest_mail(ledger: Ledger) -> int:
    """The number of the event by which the newest mail was taken in; 0 if there is none.

    A page has it, so that it can say later which mails it showed.
    """
    return ledger.chain.last(EventKind.RECEIVED)


def check_yes(ledger: Ledger, submission: str, consent: Consent, knows: object) -> None:
    """Refuse a "yes" if a mail that its author could not see refuses, limits, or has to be read.

    Anything but a "yes" is right whatever came in.

    :param knows: as :func:`newest_mail` gave it when the page was made.  Pages of older versions
        give None: then each later mail counts with which nobody has dealt.
    :raises UnseenMail: there is such a mail.
    :raises InvalidEntry: *knows* is not a number.
    """
    if knows is not None and (isinstance(knows, bool) or not isinstance(knows, int)):
        raise InvalidEntry("knows is not the number of an event")
    if not consent.is_given:
        return
    # a page of a newer ledger, in whose place an older one was put, names other events
    is_known = knows is not None and knows <= ledger.chain.head().number
    handled = {} if is_known else ledger.reviews.handled()
    for mail in _objections(ledger, submission, knows if knows and is_known else 0):
        if mail not in handled:
            raise UnseenMail(mail)


def _objections(ledger: Ledger, submission: str, knows: int) -> Iterator[str]:
    """The mails that may spoil a "yes" for a submission, the newest first."""
    mails = ledger.intake.submissions()
    taken = {
        mail: number for mail, (number, _) in ledger.chain.first_of(EventKind.RECEIVED).items()
    }
    since = max(knows, taken.get(submission, 0))
    newer = [mail for mail in mails if taken.get(mail.id, 0) > since]
    if not newer:
        return
    by_id = {mail.id: mail for mail in mails}
    shown, letters = by_id[submission], ledger.consents.questions()
    holding = correspondence.holds(mails, (), letters=letters).get(submission, ())
    answers = correspondence.relate(mails, (), letters).answers
    story = [
        mail
        for mail in newer
        if mail.id in holding
        or correspondence.may_be_same_person(mail, shown)
        or _is_of(by_id.get(answers.get(mail.id, "")), shown)
    ]
    rows = _rows_of(ledger) if story else {}
    for mail in sorted(story, key=lambda it: -taken[it.id]):
        if mail.id in holding or _may_spoil(mail, rows.get(mail.id, ()), shown):
            yield mail.id


def _is_of(answered: Submission | None, shown: Submission) -> bool:
    """Whether an answered mail is the one that is shown, or of its sender."""
    return answered is not None and (
        answered.id == shown.id or correspondence.may_be_same_person(answered, shown)
    )


def _rows_of(ledger: Ledger) -> Mapping[str, Sequence[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in ledger.clips.rows():
        found[row.submission].append(row)
    return found


def _may_spoil(mail: Submission, rows: Sequence[Row], shown: Submission) -> bool:
    """Whether a mail may refuse or limit what was agreed: it is not known as harmless."""
    if not correspondence.HOLDING.isdisjoint(mail.notes):
        return True
    if correspondence.is_automatic(mail) or correspondence.brings_footage(rows):
        return consenting.may_limit(mail.subject, mail.text) or taking_back.is_meant(
            mail.subject, mail.text
        )
    is_known = consenting.bare_subject(mail.subject) == consenting.bare_subject(shown.subject)
    known = f"{mail.name} {mail.sender.rpartition('@')[0]}"
    return bool(correspondence.not_opened(rows)) or not consenting.is_harmless(
        "" if is_known else mail.subject, mail.text, known=known
    )
