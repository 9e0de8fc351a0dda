"""New footage of a sender who took all back or said no: a person decides before it is shown.

A mail may be on its way for days, so footage can come in after a person has dealt with a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipeline import addressees, correspondence
from pipeline.consent import Consent
from pipeline.ledger import Ledger
from pipeline.model import Attachment, Kind, Note, Status, Submission

_HELD_ALREADY = frozenset((Note.TAKES_BACK, Note.AFTER_NO))


@dataclass(frozen=True)
class Refusers:
    """The mailboxes whose owners refused, as :func:`pipeline.addressees.mailbox`.

    ``people``: a "no" of theirs is recorded, or all that they sent is withdrawn.  ``refused``: for
    others the newest mail that took footage back and with which a person has dealt.
    """

    people: frozenset[str] = frozenset()
    refused: Mapping[str, Submission] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger) -> Refusers:
        """Find them in a ledger."""
        consents = ledger.consents.current().values()
        said_no = {each.submission for each in consents if each.consent is Consent.NO}
        withdrawn, left = _withdrawn(ledger)
        mails, handled = ledger.intake.submissions(), ledger.reviews.handled()
        answers = correspondence.refusals(mails, ledger.consents.questions())
        refused = {
            addressees.mailbox(person.sender): mail
            for mail, people in answers
            if mail.id in handled
            for person in people
        }
        gone = {addressees.mailbox(it.sender) for it in mails if it.id in withdrawn}
        gone -= {addressees.mailbox(it.sender) for it in mails if it.id in left}
        gone |= {addressees.mailbox(it.sender) for it in mails if it.id in said_no}
        return cls(frozenset(gone), refused)

    def read(self, mail: Submission, items: Iterable[Attachment]) -> Submission:
        """Note that a mail brings footage after a refusal of its sender.

        :param items: what came in the mail.
        """
        owner = addressees.mailbox(mail.sender)
        has_footage = any(item.refusal is None and item.kind is not Kind.ARCHIVE for item in items)
        if not owner or not has_footage or not _HELD_ALREADY.isdisjoint(mail.notes):
            return mail
        earlier = self.refused.get(owner)
        may_be_late = earlier is not None and correspondence.may_be_delayed(mail, earlier)
        if owner in self.people or may_be_late:
            return replace(mail, notes=(*mail.notes, Note.AFTER_NO))
        return mail


def _withdrawn(ledger: Ledger) -> tuple[set[str], set[str]]:
    """The mails with footage that is withdrawn, and those with footage that is not."""
    if not ledger.custody.withdrawn():
        return set(), set()  # reading all rows takes long
    footage = [row for row in ledger.clips.rows() if row.sha256 and not row.attachment.refusal]
    gone = {row.submission for row in footage if row.status is Status.WITHDRAWN}
    left = {row.submission for row in footage if row.status is not Status.WITHDRAWN}
    return gone, left
