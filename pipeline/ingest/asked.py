"""Senders who were asked for consent or gave it: a short refusal in a new mail of theirs counts."""

from collections.abc import Collection
from dataclasses import replace

from pipeline import addressees
from pipeline.consent import Consent
from pipeline.ledger import Ledger
from pipeline.model import Note, Submission
from pipeline.texts import taking_back

_ASKED = frozenset((Consent.ASKED, Consent.YES, Consent.YES_WITH_NAME))


def asked_people(ledger: Ledger) -> frozenset[str]:
    """The senders who were asked, or who said yes, as :func:`pipeline.addressees.person`."""
    asked = {mail for mail, said in ledger.consents.current().items() if said.consent in _ASKED}
    if not asked:
        return frozenset()
    mails = (mail for mail in ledger.intake.submissions() if mail.id in asked and mail.sender)
    return frozenset(addressees.person(mail.sender) for mail in mails)


def read_as_answer(mail: Submission, asked: Collection[str]) -> Submission:
    """Read a mail as an answer if its sender was asked, also if it brings footage.

    "My mother does not want it" takes footage back only if there is something that it answers.
    """
    if Note.TAKES_BACK in mail.notes or addressees.person(mail.sender) not in asked:
        return mail
    if not taking_back.is_meant(mail.subject, mail.text, may_answer=True):
        return mail
    return replace(mail, notes=(*mail.notes, Note.TAKES_BACK))
