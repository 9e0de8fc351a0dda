"""What a reading of the inboxes leaves behind, and why; the next run tries it again.

The ledger keeps it as soon as ingest has ended, however it ended.  So the report of the same night,
``footage status`` and a later page all read the same record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from pipeline import clock, places
from pipeline.config import InboxSection
from pipeline.errors import FootageError, InboxError
from pipeline.history import InboxFailed, InboxRemains, InboxRemark, MailInInbox, Stay
from pipeline.ingest.inbox import Arrival, shown_name

_NAMED = 10  # mails in a sentence
_REMARKS = 50  # of one inbox that are kept


@dataclass(frozen=True)
class LeftArrival:
    """A mail or file that stays in its inbox.

    ``same_sender_as`` and ``tries``: as in :class:`MailInInbox`.
    """

    arrival: Arrival
    why: Stay
    same_sender_as: str = ""
    tries: int = 0


class MailsLeft(InboxError):
    """Mails that the server has were not taken in; the next run tries them again."""

    def __init__(self, why: str, left: Sequence[LeftArrival], also: str = "") -> None:
        """Name the first of the mails.

        :param why: the inbox was not read to its end; "" if it was.
        :param also: a sentence about mails that wait for another reason.
        """
        named = "; ".join(_name(each.arrival) for each in left[:_NAMED])
        more = f"; and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        said = " ".join(filter(None, (why, also)))
        super().__init__(f"{said} Left for the next run: {named}{more}.")
        self.why = why


class InboxWork:
    """What of one inbox is still to be read, and what stays in it."""

    def __init__(self, tries: Mapping[str, int]) -> None:
        """*tries*: in how many runs the machine failed at a mail before, by its shown name."""
        self._tries = tries
        self.ahead: deque[Arrival] = deque()
        self.left: list[LeftArrival] = []
        self.remarks: Sequence[str] = ()

    def plan(self, arrivals: Iterable[Arrival]) -> None:
        """Put mails behind what is ahead; those at which the machine failed before come last."""
        self.ahead.extend(sorted(arrivals, key=lambda each: self.tries(each) > 0))

    def tries(self, arrival: Arrival) -> int:
        """In how many runs the machine kept a mail from being taken apart before."""
        return self._tries.get(shown_name(arrival), 0)

    def done(self) -> None:
        """Count the mail that is read now as taken in, or as gone."""
        self.ahead.popleft()

    def leave(self, why: Stay, same_sender_as: str = "") -> None:
        """Leave the mail that is read now."""
        arrival = self.ahead.popleft()
        tries = self.tries(arrival) + (why is Stay.MACHINE)
        self.left.append(LeftArrival(arrival, why, same_sender_as, tries))

    def end(self, sentence: str, why: Stay = Stay.NOT_READ) -> MailsLeft:
        """Leave all that is ahead, and return the error that says so."""
        self.leave_all(why)
        return MailsLeft(sentence, self.left)

    def leave_all(self, why: Stay = Stay.NOT_READ) -> None:
        """Leave all that is ahead."""
        while self.ahead:
            self.leave(why)

    def remains(self, inbox: str) -> InboxRemains:
        """What stays in the inbox of this name, as it is recorded."""
        return InboxRemains(
            left=tuple(_recorded(each, inbox) for each in self.left),
            inbox_remarks=tuple(
                InboxRemark(inbox, places.masked(each)) for each in self.remarks[:_REMARKS]
            ),
        )


def not_read(sections: Iterable[InboxSection], error: FootageError) -> InboxRemains:
    """Record that inboxes were not read to their end."""
    sentence = error.why if isinstance(error, MailsLeft) else str(error)
    failed = (InboxFailed(section.name, places.masked(sentence)) for section in sections)
    return InboxRemains(inboxes_failed=tuple(failed) if sentence else ())


def joined(failed: Sequence[tuple[InboxSection, InboxError]]) -> InboxError:
    """Make one error of those of all inboxes; that of the only inbox stays what it is."""
    section, error = failed[0]
    if len(failed) == 1 and not section.name:
        return error
    sentences = (f"{section.label}{str(error).rstrip('.')}" for section, error in failed)
    return InboxError(f"{'; '.join(sentences)}.")


def as_facts(remains: InboxRemains) -> dict[str, object]:
    """What ``--json`` holds of the record."""
    return {name: list(records) for name, records in asdict(remains).items()}


def _recorded(left: LeftArrival, inbox: str) -> MailInInbox:
    arrival = left.arrival
    return MailInInbox(
        uid=shown_name(arrival),
        received_at=clock.stamp(arrival.moment) if arrival.moment else "",
        size=arrival.size,
        inbox=inbox,
        why=left.why,
        same_sender_as=left.same_sender_as,
        tries=left.tries,
    )


def _name(arrival: Arrival) -> str:
    moment = f", {clock.stamp(arrival.moment)}" if arrival.moment else ""
    size = f", {arrival.size} bytes" if arrival.size else ""
    kind = "" if arrival.name else "UID "
    return f"{kind}{shown_name(arrival)}{moment}{size}"
