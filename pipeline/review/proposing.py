"""What the words of a mail propose on consent.  A person reads the mail and decides."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline import addressees, correspondence
from pipeline.consent import Consent, ConsentRecord
from pipeline.model import Submission
from pipeline.review.mails import MailView
from pipeline.review.presenting import JsonObject, shown_text
from pipeline.texts.consenting import ConsentHint, condition, hint

_YES = (Consent.YES, Consent.YES_WITH_NAME)


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
    answer to our question.  A "yes" counts for no mail that somebody else may have sent.  A person
    has to read it if a newer mail sets a condition.

    :param views: in the order of receipt.
    :param campaign: its name, which subjects hold.
    """
    by_id = {view.mail.id: view for view in views}
    stories = _stories(views)
    words = _Words(campaign)
    found = {}
    for view in views:
        if not correspondence.brings_footage(view.rows):
            continue
        record = records.get(view.mail.id, ConsentRecord(view.mail.id))
        spoiled = None
        for mail in _newest_first(view, stories):
            # a person who records a consent has read what was taken in until then
            if record.at and (mail is view or mail.taken_at <= record.at):
                continue
            is_answer = _answers(mail, view, by_id, records)
            said = words.hint_of(mail.mail, is_answer=is_answer)
            is_yes = said is not None and said.consent in _YES
            if not _speaks_for(mail, view) or (said is None and mail is not view):
                limit = said if said and not is_yes else words.condition_of(mail.mail)
                if limit and spoiled is None:
                    limit = replace(limit, consent=None)
                    spoiled = ConsentProposal(mail.mail.id, limit)
                continue
            is_older = bool(record.at) and mail.mail.received_at <= str(record.at)
            if is_yes and (is_older or not (_is_sure(view.mail) and _is_sure(mail.mail))):
                continue
            if said:
                if said.consent is not record.consent:
                    proposal = ConsentProposal(mail.mail.id, said)
                    found[view.mail.id] = spoiled if is_yes and spoiled else proposal
                break
    return found


@dataclass
class _Words:
    """What mails say, each read once; ``campaign``: its name, which subjects hold."""

    campaign: str
    hints: dict[tuple[str, bool], ConsentHint | None] = field(default_factory=dict)
    conditions: dict[str, ConsentHint | None] = field(default_factory=dict)

    def hint_of(self, mail: Submission, *, is_answer: bool) -> ConsentHint | None:
        """What a mail seems to say about consent; a bare "yes" counts in an answer."""
        key = (mail.id, is_answer)
        if key not in self.hints:
            # many mails have the name only in the address
            known = f"{mail.name} {mail.sender.rpartition('@')[0]} {self.campaign}"
            self.hints[key] = hint(mail.subject, mail.text, answers_question=is_answer, known=known)
        return self.hints[key]

    def condition_of(self, mail: Submission) -> ConsentHint | None:
        """The words of a mail that limit an older "yes"."""
        if mail.id not in self.conditions:
            self.conditions[mail.id] = condition(mail.subject, mail.text)
        return self.conditions[mail.id]


def _speaks_for(mail: MailView, view: MailView) -> bool:
    """Whether a "yes" of a mail may be one for the footage of *view*.

    Any newer mail can limit an older "yes".  But nobody agrees for somebody else, a program agrees
    to nothing, and a mail with footage of its own may speak of that.
    """
    return mail is view or (
        correspondence.is_same_person(mail.mail, view.mail)
        and not correspondence.is_automatic(mail.mail)
        and not correspondence.brings_footage(mail.rows)
    )


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


def _person(mail: Submission) -> str:
    """The person who wrote a mail; a mail without an address is of somebody else than any other."""
    return addressees.person(mail.sender) or mail.id


def _stories(views: Sequence[MailView]) -> dict[str, list[MailView]]:
    """The mails of each person, and those that answer one of them, in the order of receipt."""
    by_id = {view.mail.id: view for view in views}
    stories: dict[str, list[MailView]] = defaultdict(list)
    for view in views:
        answered = by_id.get(view.answers or "", view)
        for person in {_person(view.mail), _person(answered.mail)}:
            stories[person].append(view)
    return stories


def _newest_first(view: MailView, stories: Mapping[str, Sequence[MailView]]) -> Iterator[MailView]:
    """The later mails of the story of a mail with footage, then that mail."""
    for each in reversed(stories[_person(view.mail)]):
        if each.mail.received_at >= view.mail.received_at:
            yield each
        if each is view:
            return
