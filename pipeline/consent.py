"""What a sender agreed to, and what follows for the clips that came in the mail."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Consent(StrEnum):
    """Whether a sender agrees that the footage of a mail is shown.

    The ledger and its chain store the values, so they are never renamed.
    """

    UNKNOWN = "unknown"
    ASKED = "asked"
    YES = "yes"
    YES_WITH_NAME = "yes-with-name"
    NO = "no"

    @property
    def is_given(self) -> bool:
        """Whether the sender agreed, with or without a name."""
        return self in (Consent.YES, Consent.YES_WITH_NAME)

    def allows(self, *, needs_consent: bool) -> bool:
        """Whether it lets a clip into a montage.

        :param needs_consent: a clip needs the consent of its sender. Otherwise only a "no" keeps
            it out.
        """
        return self.is_given if needs_consent else self is not Consent.NO


# A clip may have come in several mails, and those may disagree: the first of these counts.
_ORDER = (
    Consent.NO,
    Consent.ASKED,
    Consent.UNKNOWN,
    Consent.YES,
    Consent.YES_WITH_NAME,
)


@dataclass(frozen=True)
class ConsentRecord:
    """The consent of one submission, as a person recorded it; ``at`` is RFC 3339 in UTC.

    ``name`` and ``place`` are what a film may show of the sender.  Only ``YES_WITH_NAME`` has them.
    """

    submission: str
    consent: Consent = Consent.UNKNOWN
    name: str = ""
    place: str = ""
    by: str = ""
    at: str | None = None

    @property
    def credit(self) -> str:
        """The name to show, with the place behind it; empty if no name may be shown."""
        return ", ".join(filter(None, (self.name, self.place)))


@dataclass(frozen=True)
class ConsentCourse:
    """The consent of a submission, and how it came to it.

    ``entered``: the number of its newest event in the chain of custody; ``entered_at``: the time of
    that event, which is later than the entry if a file of the offline page brought it.
    ``answered_at``: when the newest entry was made that is not a question; "" if all are questions.
    ``questions``: the Message-IDs of the letters that have asked since.
    """

    record: ConsentRecord
    entered: int = 0
    entered_at: str = ""
    answered_at: str = ""
    questions: frozenset[str] = frozenset()


def combined(consents: Iterable[Consent]) -> Consent:
    """The consent for a clip that came in mails with these consents.

    The strictest counts: "no", then no answer, then "yes", then "yes" with a name.  So nothing is
    shown that one of the mails does not allow.
    """
    found = set(consents)
    return next((each for each in _ORDER if each in found), Consent.UNKNOWN)
