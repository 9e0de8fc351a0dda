"""Each mail with what came of it, and whether somebody has to answer it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline import addressees, correspondence, texts
from pipeline.correspondence import Matter
from pipeline.history import EventKind, Handled
from pipeline.ledger import Ledger
from pipeline.ledger.intake import UNREAD
from pipeline.model import Row, Submission


@dataclass(frozen=True)
class MailView:
    """A mail, the rows of what came in it, and what there is to do about it.

    ``matters``: why somebody has to answer it, also if a person has dealt with it since.
    ``answers``: the earlier mail that it answers.  ``later``: later mails of this person.
    ``holds``: it takes back footage that is known to be this person's.  ``taken_at``: when the
    program took it in, which may be long after its receipt; ``taken``: the number of that event in
    the chain of custody.
    """

    mail: Submission
    rows: Sequence[Row]
    matters: tuple[Matter, ...]
    handled: Handled | None
    answers: str | None
    later: tuple[str, ...]
    holds: bool = False
    taken_at: str = ""
    taken: int = 0

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to answer it."""
        return bool(self.matters) and self.handled is None

    @property
    def is_unread(self) -> bool:
        """Whether at most its header could be read."""
        refusals = (row.attachment.refusal for row in self.rows if row.attachment.sha256 is None)
        return any(each.code in UNREAD for each in refusals if each)


def view(ledger: Ledger, rows: Iterable[Row]) -> list[MailView]:
    """Put together what is known of each mail, in the order of receipt.

    :param rows: those of the ledger.
    """
    mails, handled = ledger.intake.submissions(), ledger.reviews.handled()
    by_mail: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_mail[row.submission].append(row)
    with_footage = {each for each, own in by_mail.items() if correspondence.brings_footage(own)}
    letters = ledger.consents.questions()
    relations = correspondence.relate(mails, with_footage, letters)
    holding = correspondence.holding(mails, with_footage, letters)
    taken = ledger.chain.first_of(EventKind.RECEIVED)
    persons: set[str] = set()
    views = []
    for mail in mails:
        person = addressees.person(mail.sender)
        number, at = taken.get(mail.id, (0, mail.received_at))
        follows = mail.id in relations.answers or person in persons
        if person:
            persons.add(person)
        views.append(
            MailView(
                mail,
                by_mail[mail.id],
                tuple(correspondence.matters(mail, by_mail[mail.id], follows=follows)),
                handled.get(mail.id),
                relations.answers.get(mail.id),
                relations.later.get(mail.id, ()),
                mail.id in holding,
                *(at, number),
            )
        )
    return views


def open_counts(views: Iterable[MailView]) -> dict[str, int]:
    """Count the mails that wait for an answer, by reason; a mail may have several."""
    counted = Counter(matter for each in views if each.is_open for matter in each.matters)
    return {matter.value: counted[matter] for matter in Matter if counted[matter]}


def open_line(views: Sequence[MailView]) -> str:
    """Say how many mails wait for an answer, and why; empty if none does."""
    waiting = sum(each.is_open for each in views)
    if not waiting:
        return ""
    counts = open_counts(views).items()
    reasons = ", ".join(f"{count} {texts.matter(name)}" for name, count in counts)
    return f"{waiting} {'mail needs' if waiting == 1 else 'mails need'} an answer: {reasons}"
