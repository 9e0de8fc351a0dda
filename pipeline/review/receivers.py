"""Who may get a letter or a receipt, and whose receipt was never sent."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from pipeline import addressees, correspondence
from pipeline.config import Config
from pipeline.consent import Consent
from pipeline.ledger import Ledger
from pipeline.model import Note, Reason, Row, Status, Submission

RECEIPT_DAYS = 3
"""For older mails no receipt is sent: it helps nobody, and a campaign may begin with old mails."""

MOST_A_YEAR = 50
"""Receipts for one sender: two programs that answer each other end here."""


def is_own(config: Config, address: str) -> bool:
    """Whether an address is that of an inbox of the campaign."""
    local, at, domain = addressees.person(address).rpartition("@")
    names = {f"{local}{at}{domain}", f"{local.partition('+')[0]}{at}{domain}"}
    own = {addressees.person(inbox.user) for inbox in config.inbox}
    own |= {addressees.person(config.smtp.sender)} if config.smtp else set()
    return bool(names & own)


def reaches_a_person(mail: Submission) -> bool:
    """Whether a letter to the sender gets to a person, and not to a list or to nobody."""
    person = addressees.person(mail.sender)
    return person != addressees.person(mail.through) and not addressees.is_nobody(mail.sender)


def may_program_answer(mail: Submission) -> bool:
    """Whether a program may answer a mail unasked: by RFC 3834 only what a person sent to us."""
    return (
        reaches_a_person(mail)
        and not correspondence.is_automatic(mail)
        and not {Note.NO_RECEIPT, Note.NOT_AUTHENTIC} & set(mail.notes)
        and not addressees.is_program(mail.sender)
    )


def gets_receipt(config: Config, mail: Submission, rows: Sequence[Row]) -> bool:
    """Whether a mail may be answered by a program, and brought something that is worth it."""
    if Note.NOT_AUTHENTIC in mail.notes or mail.through:
        return False
    if not mail.sender or is_own(config, mail.sender) or not may_program_answer(mail):
        return False
    if {Note.TAKES_BACK, Note.AFTER_NO} & set(mail.notes):
        return False  # a person answers
    if any(row.status is Status.WITHDRAWN or row.own_consent is Consent.NO for row in rows):
        return False  # nobody is thanked for what was deleted, or may not be shown
    return Note.HAS_A_LINK in mail.notes or any(
        row.refusal is None or row.refusal.reason is not Reason.DECORATION for row in rows
    )


def missed_receipts(config: Config, ledger: Ledger, today: date) -> list[str]:
    """The mails whose receipt was due in a night, and was held until it was too old to be sent.

    A mail that a person has dealt with is left out, and so is a sender who had all receipts of a
    year.

    :returns: their ids, in the order of receipt.
    """
    began = ledger.runs.began_with_receipts()
    if not config.receipts.send or not began:
        return []
    first = _days_before(datetime.fromisoformat(began).astimezone(UTC).date())
    answered = {mail for receipt in ledger.receipts.all() for mail in receipt.submissions}
    answered |= ledger.reviews.handled().keys()
    mails = ledger.intake.submissions()
    letters = ledger.consents.questions()
    answered |= correspondence.holds(mails, (), (Note.TAKES_BACK,), letters=letters).keys()
    late = [
        mail
        for mail in mails
        if first <= mail.received_at < _days_before(today) and mail.id not in answered
    ]
    if not late:
        return []
    of_mail: dict[str, list[Row]] = defaultdict(list)
    for row in ledger.clips.rows():
        of_mail[row.submission].append(row)
    year = (today - timedelta(days=365)).isoformat()
    return [
        mail.id
        for mail in late
        if gets_receipt(config, mail, of_mail[mail.id])
        and ledger.receipts.count(mail.sender, year) < MOST_A_YEAR
    ]


def _days_before(day: date) -> str:
    return (day - timedelta(days=RECEIPT_DAYS)).isoformat()
