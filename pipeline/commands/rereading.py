"""Read the mails of the ledger again by newer rules for words of taking back and of limits.

A mail is read when it comes in, by the rules of that version.  Rules that came later may find a
refusal in it.  So the first run of a version with other rules reads all mails once more.  What it
finds holds the clips of the sender until a person has read the mail, as in a new mail.
"""

from collections import defaultdict
from collections.abc import Sequence

from pipeline import correspondence
from pipeline.history import EventKind, WordsRead
from pipeline.ingest.asked import AskedPeople
from pipeline.ingest.sender import is_of_returned
from pipeline.ledger import Ledger
from pipeline.model import Attachment, Note, Submission
from pipeline.run import Run
from pipeline.texts import taking_back
from pipeline.wording import counted

_CUT = "…"  # at the end of a text that the ledger has not as a whole


def read_again(run: Run) -> None:
    """Read the mails that came in before the rules changed, if that was not done yet.

    A mail that a person has dealt with stays as it is.
    """
    rules = taking_back.rules()
    if run.ledger.runs.words_read().rules == rules:
        return
    handled = run.ledger.reviews.handled()
    asked = AskedPeople.of(run.ledger, run.config.campaign.name)
    items, taken = _attachments(run.ledger), run.ledger.chain.first_of(EventKind.RECEIVED)
    found: dict[Note, list[str]] = {Note.TAKES_BACK: [], Note.AFTER_CONSENT: []}
    cut = []
    for mail in run.ledger.intake.submissions():
        if mail.id in handled or not set(found).isdisjoint(mail.notes):
            continue
        number, _ = taken.get(mail.id, (0, ""))
        note = _note(mail, items[mail.id], asked, taken=number)
        if note:
            found[note].append(mail.id)
        elif mail.text.endswith(_CUT):
            cut.append(mail.received_at)
    for note, mails in found.items():
        run.ledger.intake.add_note(mails, note)
    held = tuple(mail for mails in found.values() for mail in mails)
    read = WordsRead(rules, held, len(cut), max(cut, default=""))
    run.ledger.runs.note_words_read(read)
    for line in lines(read):
        run.console.warn(line)


def _note(
    mail: Submission, items: Sequence[Attachment], asked: AskedPeople, *, taken: int
) -> Note | None:
    """The note by which a mail holds clips, as if it came in now; None if it holds none."""
    # a server may have written the words of a mail that came back
    is_returned = Note.BOUNCE in mail.notes and is_of_returned(mail.subject)
    may_answer = (bool(mail.answers) or correspondence.is_of_words(items)) and not is_returned
    if taking_back.is_meant(mail.subject, mail.text, may_answer=may_answer):
        return Note.TAKES_BACK
    notes = () if is_returned else asked.read(mail, items).notes
    if Note.TAKES_BACK in notes:
        return Note.TAKES_BACK
    return (
        Note.AFTER_CONSENT if Note.AFTER_CONSENT in notes and asked.are_older(mail, taken) else None
    )


def _attachments(ledger: Ledger) -> dict[str, list[Attachment]]:
    found: dict[str, list[Attachment]] = defaultdict(list)
    for row in ledger.clips.rows():
        found[row.submission].append(row.attachment)
    return found


def lines(read: WordsRead) -> list[str]:
    """Say what was found, and what could not be read."""
    said = []
    if read.held:
        mails = counted(len(read.held), "mail")
        verb = "has" if len(read.held) == 1 else "have"
        said.append(
            f"{mails} from before {verb} words of taking back or of a limit, by newer rules; the "
            f"clips of the senders are held until a person has read: {', '.join(read.held)}"
        )
    if read.cut:
        mails = counted(read.cut, "long mail")
        said.append(
            f"{mails} up to {read.before}: the ledger has only the beginning, so the rest was read "
            "by older rules for words of taking back"
        )
    return said
