"""What the words of a mail propose on consent.  A person reads the mail and decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline import addressees, correspondence
from pipeline.consent import Consent, ConsentCourse, ConsentRecord
from pipeline.correspondence import Matter
from pipeline.model import Submission
from pipeline.review.mails import MailView
from pipeline.review.presenting import JsonObject, shown_text
from pipeline.texts.consenting import ConsentHint, bare_subject, condition, first_words, hint

_YES = (Consent.YES, Consent.YES_WITH_NAME)
_ANSWERABLE = (Consent.ASKED, *_YES)
_MOST_FILES = 5  # that are named beside a proposal


@dataclass(frozen=True)
class ConsentProposal:
    """What a mail seems to say about the footage of a submission; ``mail`` is the mail's id.

    ``files``: the names of files in the mail that nobody has read, for example a document.
    """

    mail: str
    hint: ConsentHint
    files: tuple[str, ...] = ()

    @classmethod
    def to_read(cls, mail: MailView, said: ConsentHint) -> ConsentProposal:
        """Propose that a person reads a mail."""
        files = tuple(correspondence.not_opened(mail.rows)[:_MOST_FILES])
        return cls(mail.mail.id, replace(said, consent=None), files)

    @property
    def is_yes(self) -> bool:
        """Whether it proposes a "yes"."""
        return self.hint.consent in _YES

    def as_data(self) -> JsonObject:
        """Give it as the report has it; the state is null if a person has to read it."""
        data: JsonObject = {
            "state": self.hint.consent,
            "language": self.hint.language,
            "sentence": shown_text(self.hint.sentence),
            "mail": self.mail,
        }
        return data | ({"files": [*map(shown_text, self.files)]} if self.files else {})


def proposals(
    views: Sequence[MailView], courses: Mapping[str, ConsentCourse], campaign: str = ""
) -> dict[str, ConsentProposal]:
    """Find the newest words on consent for each submission with footage.

    Only mails count that nobody could read when the consent was recorded.  A bare "yes" counts in
    an answer to our question.  A "yes" counts for no mail that somebody else may have sent.  A
    person has to read it if a newer mail sets a condition, and if a document came with the "yes".
    So has a mail that came after a question or a "yes" and is not known as harmless.

    :param views: in the order of receipt.
    :param courses: those of the submissions for which a consent was recorded.
    :param campaign: its name, which subjects hold.
    """
    stories = _stories(views)
    words = _Words(campaign, {view.mail.id: view for view in views}, courses)
    found = {}
    for view in views:
        if not correspondence.brings_footage(view.rows):
            continue
        course = courses.get(view.mail.id, ConsentCourse(ConsentRecord(view.mail.id)))
        proposal = words.newest(view, course, list(_unread(view, stories, course)))
        if proposal:
            found[view.mail.id] = proposal
    return found


@dataclass
class _Words:
    """What mails say, each read once; ``campaign``: its name, which subjects hold."""

    campaign: str
    by_id: Mapping[str, MailView]
    courses: Mapping[str, ConsentCourse]
    hints: dict[tuple[str, bool, bool], ConsentHint | None] = field(default_factory=dict)
    conditions: dict[str, ConsentHint | None] = field(default_factory=dict)

    def newest(
        self, view: MailView, course: ConsentCourse, unread: Sequence[MailView]
    ) -> ConsentProposal | None:
        """What the newest words say on the footage of *view*; None if they propose nothing.

        :param unread: the mails that count, the newest first.
        """
        limit = unsure = None
        for at, mail in enumerate(unread):
            said = self._said(mail, view, course)
            if said is None:
                limit = limit or self._limit(mail, view, course)
                unsure = unsure or self._unsure(mail, course)
                continue
            if said.is_yes and limit is None:
                # the clocks of two servers may differ: what came in later may be newer, too
                later = (other for other in unread[at + 1 :] if other.taken > mail.taken)
                limit = next(
                    filter(None, (self._spoils(each, view, course) for each in later)), None
                )
            if said.is_yes and limit:
                return limit
            return said if said.hint.consent is not course.record.consent else unsure
        return unsure

    def _said(
        self, mail: MailView, view: MailView, course: ConsentCourse
    ) -> ConsentProposal | None:
        """What a mail says on the footage of *view*, unless its words do not count for that."""
        said = self._hint_of(mail, view, course)
        is_refusal = said is not None and said.consent is Consent.NO
        if said is None or not (_speaks_for(mail, view) or (is_refusal and _refuses(mail, view))):
            return None
        if said.consent in _YES and (
            _is_older(mail, course) or not (_is_sure(view.mail) and _is_sure(mail.mail))
        ):
            return None
        if said.consent in _YES and correspondence.not_opened(mail.rows):
            return ConsentProposal.to_read(mail, said)
        return ConsentProposal(mail.mail.id, said)

    def _unsure(self, mail: MailView, course: ConsentCourse) -> ConsentProposal | None:
        """The words of a mail that somebody has to deal with, after a question or a "yes"."""
        if course.record.consent not in _ANSWERABLE or not mail.is_open:
            return None
        said = self._condition_of(mail)
        if said is None and Matter.AFTER_CONSENT in mail.matters:
            said = first_words(mail.mail.text)
        return ConsentProposal.to_read(mail, said) if said else None

    def _limit(
        self, mail: MailView, view: MailView, course: ConsentCourse
    ) -> ConsentProposal | None:
        """The words of a mail that limit an older "yes"."""
        if mail is view:
            return None
        said = self._hint_of(mail, view, course)
        if said is None or said.consent in _YES or _speaks_for(mail, view):
            said = self._condition_of(mail)
        return ConsentProposal.to_read(mail, said) if said else None

    def _spoils(
        self, mail: MailView, view: MailView, course: ConsentCourse
    ) -> ConsentProposal | None:
        """The words of a mail that make a "yes" uncertain that came in about the same time."""
        said = self._said(mail, view, course)
        if said is None:
            return self._limit(mail, view, course)
        return None if said.is_yes else ConsentProposal.to_read(mail, said.hint)

    def _condition_of(self, mail: MailView) -> ConsentHint | None:
        if mail.mail.id not in self.conditions:
            self.conditions[mail.mail.id] = condition(mail.mail.subject, mail.mail.text)
        return self.conditions[mail.mail.id]

    def _hint_of(self, mail: MailView, view: MailView, course: ConsentCourse) -> ConsentHint | None:
        """What a mail seems to say about consent; a bare "yes" counts in an answer."""
        sent, is_answer = mail.mail, self._answers(mail, view, course)
        # an answer has the subject of what it answers
        is_known = mail is not view and bare_subject(sent.subject) == bare_subject(
            view.mail.subject
        )
        key = (sent.id, is_answer, is_known)
        if key not in self.hints:
            # many mails have the name only in the address
            known = f"{sent.name} {sent.sender.rpartition('@')[0]} {self.campaign}"
            subject = "" if is_known and not condition(sent.subject, "") else sent.subject
            self.hints[key] = hint(subject, sent.text, answers_question=is_answer, known=known)
        return self.hints[key]

    def _answers(self, mail: MailView, view: MailView, course: ConsentCourse) -> bool:
        """Whether a mail answers our question about the footage of *view*.

        A letter asks about all that a sender sent until then, and answers one of these mails.
        """
        answered = self.by_id.get(mail.answers or "")
        if answered is None or not correspondence.is_same_person(answered.mail, view.mail):
            return False
        asked = (course, self.courses.get(answered.mail.id))
        return all(it is not None and it.record.consent is Consent.ASKED for it in asked)


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


def _refuses(mail: MailView, view: MailView) -> bool:
    """Whether a "no" of a mail counts for the footage of *view*, also if a "yes" would not."""
    return (
        correspondence.may_be_same_person(mail.mail, view.mail)
        and not correspondence.is_automatic(mail.mail)
        and not correspondence.brings_footage(mail.rows)
    )


def _is_sure(mail: Submission) -> bool:
    """Whether a mail has a sender, and surely came from that sender."""
    return bool(mail.sender) and not correspondence.is_of_doubtful_sender(mail)


def _was_read(mail: MailView, course: ConsentCourse) -> bool:
    """Whether the person who recorded the consent could read a mail: it was in the ledger.

    The order of the events tells it, because several may be in one second.  An entry of a file of
    the offline page is older than its event, so its time counts too.
    """
    at = course.record.at
    if at is None or mail.taken > course.entered:
        return False
    return mail.taken_at < at or (mail.taken_at == at and course.entered_at == at)


def _is_older(mail: MailView, course: ConsentCourse) -> bool:
    """Whether a mail was sent before the newest answer was recorded.

    A mail that names a question of ours is newer than that question, whatever the clocks say.
    """
    if not course.questions.isdisjoint(mail.mail.answers):
        return False
    return mail.mail.received_at <= course.answered_at


def _mailbox(mail: Submission) -> str:
    """The mailbox of who wrote a mail; a mail without an address is of nobody else."""
    return addressees.mailbox(mail.sender) or mail.id


def _stories(views: Sequence[MailView]) -> dict[str, list[MailView]]:
    """The mails of each mailbox, and those that answer one of them, in the order of receipt."""
    by_id = {view.mail.id: view for view in views}
    stories: dict[str, list[MailView]] = defaultdict(list)
    for view in views:
        answered = by_id.get(view.answers or "", view)
        for owner in {_mailbox(view.mail), _mailbox(answered.mail)}:
            stories[owner].append(view)
    return stories


def _unread(
    view: MailView, stories: Mapping[str, Sequence[MailView]], course: ConsentCourse
) -> Iterator[MailView]:
    """The mails of the story of a mail with footage that nobody has read, the newest first.

    They came later than that mail, or answer a question about it.  The mail itself is the last.
    """
    is_later = True
    for each in reversed(stories[_mailbox(view.mail)]):
        is_later = is_later and each is not view
        if not is_later and not course.questions:
            break
        is_answer = each is not view and not course.questions.isdisjoint(each.mail.answers)
        if (is_later or is_answer) and not _was_read(each, course):
            yield each
    if course.record.at is None:
        yield view
