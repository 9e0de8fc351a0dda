"""Senders who were asked for consent or gave it: what they write later may refuse or limit it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline import addressees, correspondence
from pipeline.consent import Consent
from pipeline.ledger import Ledger
from pipeline.model import Attachment, Kind, Note, Submission
from pipeline.texts import consenting, taking_back
from pipeline.texts.receipt import languages

_ASKED = frozenset((Consent.ASKED, Consent.YES, Consent.YES_WITH_NAME))
_READ = frozenset((Note.TAKES_BACK, Note.AFTER_CONSENT))


@dataclass(frozen=True)
class AskedPeople:
    """The senders who were asked, or who said yes.

    ``people``: as :func:`pipeline.addressees.mailbox`, each with the number of the event by which
    the newest consent was recorded.  ``messages``: so the Message-IDs of their mails and of the
    letters to them.  ``subjects``: those of their mails and of our receipts.
    """

    people: Mapping[str, int] = field(default_factory=dict)
    messages: Mapping[str, int] = field(default_factory=dict)
    subjects: frozenset[str] = frozenset()
    campaign: str = ""

    @classmethod
    def of(cls, ledger: Ledger, campaign: str) -> AskedPeople:
        """Find them in a ledger."""
        courses = ledger.consents.courses()
        asked = {mail: it for mail, it in courses.items() if it.record.consent in _ASKED}
        if not asked:
            return cls()
        mails = [it for it in ledger.intake.submissions() if it.id in asked and it.sender]
        people: dict[str, int] = {}
        messages: dict[str, int] = {}
        for mail in mails:
            course, owner = asked[mail.id], addressees.mailbox(mail.sender)
            people[owner] = max(course.entered, people.get(owner, 0))
            named = (mail.message_id, *course.questions)
            messages |= {each: course.entered for each in named if each}
        receipts = (each.subject.format(campaign=campaign) for each in languages().values())
        subjects = (*(mail.subject for mail in mails), *receipts, campaign)
        return cls(
            people,
            messages,
            frozenset(
                consenting.bare_subject(it) for it in subjects if not consenting.condition(it, "")
            ),
            campaign,
        )

    def read(self, mail: Submission, items: Iterable[Attachment]) -> Submission:
        """Read a mail as an answer if it is of one of them or answers one, also with footage.

        "My mother does not want it" takes footage back only if there is something that it answers.
        What is neither a refusal nor known as harmless may be a condition.

        :param items: what came in the mail.
        """
        is_own = addressees.mailbox(mail.sender) in self.people
        if not _READ.isdisjoint(mail.notes):
            return mail
        if is_own and taking_back.is_meant(mail.subject, mail.text, may_answer=True):
            return replace(mail, notes=(*mail.notes, Note.TAKES_BACK))
        if (is_own or self._is_answered_by(mail)) and self._may_limit(mail, list(items)):
            return replace(mail, notes=(*mail.notes, Note.AFTER_CONSENT))
        return mail

    def _is_answered_by(self, mail: Submission) -> bool:
        """Whether somebody else answers one of their mails or a letter to them."""
        is_named = any(each in self.messages for each in mail.answers)
        return is_named and not correspondence.is_automatic(mail)

    def are_older(self, mail: Submission, taken: int) -> bool:
        """Whether each consent that a mail may limit was recorded before the mail was taken in.

        :param taken: the number of the event by which it was taken in.
        """
        named = (self.messages.get(each, 0) for each in mail.answers)
        return taken > max(self.people.get(addressees.mailbox(mail.sender), 0), *named, 0)

    def _may_limit(self, mail: Submission, items: list[Attachment]) -> bool:
        """Whether a mail may limit what was agreed."""
        is_footage = [item.refusal is None and item.kind is not Kind.ARCHIVE for item in items]
        if any(is_footage) or correspondence.is_automatic(mail):
            return consenting.may_limit(mail.subject, mail.text)
        is_known = consenting.bare_subject(mail.subject) in self.subjects
        known = f"{mail.name} {mail.sender.rpartition('@')[0]} {self.campaign}"
        return any(
            correspondence.is_not_opened(item.filename, item.refusal) for item in items
        ) or not consenting.is_harmless("" if is_known else mail.subject, mail.text, known=known)
