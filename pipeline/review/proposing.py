"""What the words of a mail propose on consent.  A person reads the mail and decides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from pipeline import correspondence
from pipeline.consent import Consent, ConsentCourse, ConsentRecord
from pipeline.correspondence import Matter
from pipeline.model import Submission
from pipeline.review.mails import MailView
from pipeline.review.presenting import JsonObject, shown_text
from pipeline.review.stories import Unread, mailbox, stories
from pipeline.texts.consenting import ConsentHint, bare_subject, condition, first_words, hint
from pipeline.texts.remembering import Remembered

_YES = (Consent.YES, Consent.YES_WITH_NAME)
_ANSWERABLE = (Consent.ASKED, *_YES)
_MOST_REMEMBERED = 50_000  # texts, about 20 MB
_HINTS = Remembered[ConsentHint | None](_MOST_REMEMBERED)
_FIRST_WORDS = Remembered[ConsentHint](_MOST_REMEMBERED)
_CONDITIONS = Remembered[ConsentHint | None](_MOST_REMEMBERED)
_MOST_FILES = 5  # that are named beside a proposal


class _Part(Enum):
    """The mails of a story that may say something on consent, limit a "yes", or need a person."""

    SPEAKS = "speaks"
    LIMITS = "limits"
    UNSURE = "unsure"


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
    by_mailbox = stories(views)
    words = _Words(campaign, {view.mail.id: view for view in views}, courses)
    found = {}
    for view in views:
        if not correspondence.brings_footage(view.rows):
            continue
        course = courses.get(view.mail.id, ConsentCourse(ConsentRecord(view.mail.id)))
        proposal = words.newest(Unread(by_mailbox[mailbox(view.mail)], view, course))
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
    subjects: dict[str, str] = field(default_factory=dict)
    places: dict[tuple[int, _Part, bool], list[int]] = field(default_factory=dict)
    taken_later: dict[tuple[int, int], list[int]] = field(default_factory=dict)

    def newest(self, unread: Unread) -> ConsentProposal | None:
        """What the newest words say on the footage of a mail; None if they propose nothing."""
        course = unread.course
        for place in self._of(unread, _Part.SPEAKS):
            said = self._said(unread.at(place), unread.view, course)
            if said is None:
                continue
            if said.is_yes and (limit := self._limit_of(unread, place)):
                return limit
            if said.hint.consent is not course.record.consent:
                return said
            return self._unsure_before(unread, place)
        return self._unsure_before(unread, unread.end + 1)

    def _limit_of(self, unread: Unread, place: int) -> ConsentProposal | None:
        """What limits the "yes" at a place: a newer mail, or one that may be newer."""
        for other in self._of(unread, _Part.LIMITS):
            if other >= place:
                break
            if limit := self._limit(unread.at(other), unread.view, unread.course):
                return limit
        # the clocks of two servers may differ: what came in later may be newer, too
        for other in self._taken_later(unread, place):
            if limit := self._spoils(unread.at(other), unread.view, unread.course):
                return limit
        return None

    def _unsure_before(self, unread: Unread, end: int) -> ConsentProposal | None:
        """The newest mail with which somebody has to deal, among those before a place."""
        if unread.course.record.consent in _ANSWERABLE:
            for place in self._of(unread, _Part.UNSURE):
                if place >= end:
                    break
                return self._unsure(unread.at(place), unread.course)
        return None

    def _of(self, unread: Unread, part: _Part) -> Iterator[int]:
        """The places of the unread mails that may speak, limit or be unsure, the newest first."""
        is_asked = unread.course.record.consent is Consent.ASKED
        key = (id(unread.story), part, is_asked)
        if key not in self.places:
            mails = enumerate(unread.story.mails)
            self.places[key] = [at for at, it in mails if self._may(it, part, is_asked=is_asked)]
        yield from unread.among(self.places[key])
        if unread.has_view:
            yield unread.end

    def _may(self, mail: MailView, part: _Part, *, is_asked: bool) -> bool:
        """Whether a mail may be in a part of its story, whatever footage it is about.

        Its subject counts here, and a bare "yes" if somebody was asked, because both can only add
        to what a mail says.
        """
        if part is _Part.UNSURE:
            is_after = Matter.AFTER_CONSENT in mail.matters
            return mail.is_open and (is_after or self._condition_of(mail) is not None)
        if part is _Part.SPEAKS and not _speaks(mail):
            return False
        if part is _Part.LIMITS and self._condition_of(mail) is not None:
            return True
        said = self._read(mail, is_answer=is_asked, is_known=False)
        return said is not None and (part is _Part.SPEAKS or said.consent not in _YES)

    def _taken_later(self, unread: Unread, place: int) -> Iterator[int]:
        """The places after a place at which a mail was taken in later than the one there."""
        rest, taken = unread.story.rest_taken, unread.at(place).taken
        if place + 1 >= unread.end or rest[place + 1] <= taken:
            return
        key = (id(unread.story), place)
        if key not in self.taken_later:
            after = range(place + 1, unread.end)
            self.taken_later[key] = [at for at in after if unread.at(at).taken > taken]
        yield from unread.among(self.taken_later[key])
        if unread.has_view and unread.view.taken > taken:
            yield unread.end

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
            text = mail.mail.text
            said = _FIRST_WORDS.of((text,), lambda: first_words(text))
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
            words = mail.mail.subject, mail.mail.text
            self.conditions[mail.mail.id] = _CONDITIONS.of(words, lambda: condition(*words))
        return self.conditions[mail.mail.id]

    def _hint_of(self, mail: MailView, view: MailView, course: ConsentCourse) -> ConsentHint | None:
        """What a mail seems to say about consent; a bare "yes" counts in an answer."""
        # an answer has the subject of what it answers
        is_known = mail is not view and self._subject(mail) == self._subject(view)
        return self._read(mail, is_answer=self._answers(mail, view, course), is_known=is_known)

    def _read(self, mail: MailView, *, is_answer: bool, is_known: bool) -> ConsentHint | None:
        """Read a mail; a subject that is known counts only if it sets a condition."""
        sent, key = mail.mail, (mail.mail.id, is_answer, is_known)
        if key not in self.hints:
            # many mails have the name only in the address
            known = f"{sent.name} {sent.sender.rpartition('@')[0]} {self.campaign}"
            subject = "" if is_known and not condition(sent.subject, "") else sent.subject
            self.hints[key] = _HINTS.of(
                (subject, sent.text, known, str(is_answer)),
                lambda: hint(subject, sent.text, answers_question=is_answer, known=known),
            )
        return self.hints[key]

    def _subject(self, mail: MailView) -> str:
        if mail.mail.id not in self.subjects:
            self.subjects[mail.mail.id] = bare_subject(mail.mail.subject)
        return self.subjects[mail.mail.id]

    def _answers(self, mail: MailView, view: MailView, course: ConsentCourse) -> bool:
        """Whether a mail answers our question about the footage of *view*.

        A letter asks about all that a sender sent until then, and answers one of these mails.
        """
        if course.record.consent is not Consent.ASKED:
            return False
        answered = self.by_id.get(mail.answers or "")
        if answered is None or not correspondence.is_same_person(answered.mail, view.mail):
            return False
        asked = self.courses.get(answered.mail.id)
        return asked is not None and asked.record.consent is Consent.ASKED


def _speaks_for(mail: MailView, view: MailView) -> bool:
    """Whether a "yes" of a mail may be one for the footage of *view*.

    Any newer mail can limit an older "yes".  But nobody agrees for somebody else, a program agrees
    to nothing, and a mail with footage of its own may speak of that.
    """
    return mail is view or (correspondence.is_same_person(mail.mail, view.mail) and _speaks(mail))


def _refuses(mail: MailView, view: MailView) -> bool:
    """Whether a "no" of a mail counts for the footage of *view*, also if a "yes" would not."""
    return correspondence.may_be_same_person(mail.mail, view.mail) and _speaks(mail)


def _speaks(mail: MailView) -> bool:
    """Whether a mail may speak for the footage of another one: a person wrote it, without more."""
    return not (correspondence.is_automatic(mail.mail) or correspondence.brings_footage(mail.rows))


def _is_sure(mail: Submission) -> bool:
    """Whether a mail has a sender, and surely came from that sender."""
    return bool(mail.sender) and not correspondence.is_of_doubtful_sender(mail)


def _is_older(mail: MailView, course: ConsentCourse) -> bool:
    """Whether a mail was sent before the newest answer was recorded.

    A mail that names a question of ours is newer than that question, whatever the clocks say.
    """
    if not course.questions.isdisjoint(mail.mail.answers):
        return False
    return mail.mail.received_at <= course.answered_at
