"""What the words of a mail propose on consent.  A person reads the mail and decides."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline import correspondence
from pipeline.consent import Consent, ConsentRecord
from pipeline.model import Submission
from pipeline.review.mails import MailView
from pipeline.review.presenting import JsonObject, shown_text
from pipeline.texts.consenting import ConsentHint, hint


@dataclass(frozen=True)
class ConsentProposal:
    """What a mail seems to say about the footage of a submission; ``mail`` is the mail's id."""

    mail: str
    hint: ConsentHint

    def as_data(self) -> JsonObject:
        """Give it as the report has it; the state is null if a person has to read it."""
        return {
            "state": self.hint.consent,
            "language": self.hint.language,
            "sentence": shown_text(self.hint.sentence),
            "mail": self.mail,
        }


def proposals(
    views: Sequence[MailView], records: Mapping[str, ConsentRecord], campaign: str = ""
) -> dict[str, ConsentProposal]:
    """Find the newest words on consent for each submission with footage.

    Only mails count that were taken in after the consent was recorded.  A bare "yes" counts in an
    answer to our question.  A "yes" counts for no mail that somebody else may have sent.

    :param views: in the order of receipt.
    :param campaign: its name, which subjects hold.
    """
    by_id = {view.mail.id: view for view in views}
    found = {}
    for view in views:
        if not correspondence.brings_footage(view.rows):
            continue
        is_sure = _is_sure(view.mail)
        record = records.get(view.mail.id, ConsentRecord(view.mail.id))
        for mail in _newest_first(view, by_id):
            # a person who records a consent has read what was taken in until then
            if record.at and (mail is view or mail.taken_at <= record.at):
                continue
            is_answer = _answers(mail, view, by_id, records)
            # many mails have the name only in the address
            known = f"{mail.mail.name} {mail.mail.sender.rpartition('@')[0]} {campaign}"
            said = hint(mail.mail.subject, mail.mail.text, answers_question=is_answer, known=known)
            is_yes = said and said.consent is not None and said.consent is not Consent.NO
            is_older = bool(record.at) and mail.mail.received_at <= str(record.at)
            if is_yes and (is_older or not (is_sure and _is_sure(mail.mail))):
                continue
            if said:
                if said.consent is not record.consent:
                    found[view.mail.id] = ConsentProposal(mail.mail.id, said)
                break
    return found


def _is_sure(mail: Submission) -> bool:
    """Whether a mail has a sender, and surely came from that sender."""
    return bool(mail.sender) and not correspondence.is_of_doubtful_sender(mail)


def _answers(
    mail: MailView,
    view: MailView,
    by_id: Mapping[str, MailView],
    records: Mapping[str, ConsentRecord],
) -> bool:
    """Whether a mail answers our question about the footage of *view*.

    A letter asks about all that a sender sent until then, and answers one of these mails.
    """
    answered = by_id.get(mail.answers or "")
    if answered is None or not correspondence.is_same_person(answered.mail, view.mail):
        return False
    both = (view.mail.id, answered.mail.id)
    return all(each in records and records[each].consent is Consent.ASKED for each in both)


def _newest_first(view: MailView, by_id: Mapping[str, MailView]) -> Iterator[MailView]:
    """The later mails of a sender, then the mail with the footage; none that a program wrote.

    An answer from another address is left out: nobody agrees for somebody else.
    """
    own = [view, *(by_id[each] for each in view.later if each in by_id)]
    for each in sorted(own, key=lambda it: it.mail.received_at, reverse=True):
        if each is not view and not correspondence.is_same_person(each.mail, view.mail):
            continue
        if not correspondence.is_automatic(each.mail):
            yield each
