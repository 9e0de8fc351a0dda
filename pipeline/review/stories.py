"""The mails of one mailbox and the answers to them, and which of them nobody has read.

A web form sends all mails from one address, so a story may have ten thousand of them.  So each
question is put to those of its mails that can answer it, by their places in the story.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from pipeline import addressees
from pipeline.consent import ConsentCourse
from pipeline.model import Submission
from pipeline.review.mails import MailView


@dataclass
class Story:
    """Mails of which each may say something on the footage of the others, the newest first.

    ``places`` has the place of each mail by its id, ``answers`` those of the answers to a letter.
    ``rest_taken`` and ``rest_taken_at``: the newest among a mail and those after it.
    """

    mails: list[MailView]
    places: dict[str, int] = field(default_factory=dict)
    answers: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    rest_taken: list[int] = field(default_factory=list)
    rest_taken_at: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Note the places."""
        for place, each in enumerate(self.mails):
            self.places[each.mail.id] = place
            for letter in set(each.mail.answers):
                self.answers[letter].append(place)
        oldest_first = self.mails[::-1]
        self.rest_taken = [*accumulate((each.taken for each in oldest_first), max)][::-1]
        self.rest_taken_at = [*accumulate((each.taken_at for each in oldest_first), max)][::-1]


@dataclass(frozen=True)
class Unread:
    """The mails of a story that count for the footage of one mail, and that nobody has read.

    They came later than that mail, or answer a question about it.  The mail itself is the last, at
    the place ``end``, if no consent was recorded.
    """

    story: Story
    view: MailView
    course: ConsentCourse

    @property
    def end(self) -> int:
        """The place after all others, which the mail itself has here."""
        return len(self.story.mails)

    @property
    def has_view(self) -> bool:
        """Whether the mail itself counts."""
        return self.course.record.at is None

    def at(self, place: int) -> MailView:
        """The mail at a place."""
        return self.view if place == self.end else self.story.mails[place]

    def among(self, places: Sequence[int]) -> Iterator[int]:
        """Those of the *places* at which a mail counts, the mail itself left out.

        :param places: in ascending order.
        """
        own = self.story.places[self.view.mail.id]
        for place in places:
            if place >= own:
                break
            if self._is_rest_read(place):
                return
            if not _was_read(self.story.mails[place], self.course):
                yield place
        answers = {
            place for it in self.course.questions for place in self.story.answers.get(it, ())
        }
        for place in sorted(each for each in answers if each > own):
            at = bisect_left(places, place)
            is_asked = at < len(places) and places[at] == place
            if is_asked and not _was_read(self.story.mails[place], self.course):
                yield place

    def _is_rest_read(self, place: int) -> bool:
        """Whether the mails from a place on were all read; most often they were."""
        at = self.course.record.at
        return (
            at is not None
            and self.story.rest_taken[place] <= self.course.entered
            and self.story.rest_taken_at[place] < at
        )


def stories(views: Sequence[MailView]) -> dict[str, Story]:
    """The story of each mailbox: its mails, and those that answer one of them.

    :param views: in the order of receipt.
    """
    by_id = {view.mail.id: view for view in views}
    found: dict[str, list[MailView]] = defaultdict(list)
    for view in reversed(views):
        answered = by_id.get(view.answers or "", view)
        for owner in {mailbox(view.mail), mailbox(answered.mail)}:
            found[owner].append(view)
    return {owner: Story(mails) for owner, mails in found.items()}


def mailbox(mail: Submission) -> str:
    """The mailbox of who wrote a mail; a mail without an address is of nobody else."""
    return addressees.mailbox(mail.sender) or mail.id


def _was_read(mail: MailView, course: ConsentCourse) -> bool:
    """Whether the person who recorded the consent could read a mail: it was in the ledger.

    The order of the events tells it, because several may be in one second.  An entry of a file of
    the offline page is older than its event, so its time counts too.
    """
    at = course.record.at
    if at is None or mail.taken > course.entered:
        return False
    return mail.taken_at < at or (mail.taken_at == at and course.entered_at == at)
