"""Read the mails of the ledger again by newer rules for words of taking back.

A mail is read when it comes in, by the rules of that version.  Rules that came later may find a
refusal in it.  So the first run of a version with other rules reads all mails once more.  What it
finds holds the clips of the sender until a person has read the mail, as in a new mail.
"""

from pipeline.history import WordsRead
from pipeline.ingest.asked import asked_people, read_as_answer
from pipeline.model import Note
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
    asked = asked_people(run.ledger)
    found, cut = [], []
    for mail in run.ledger.intake.submissions():
        if mail.id in handled or {Note.TAKES_BACK, Note.BOUNCE} & set(mail.notes):
            continue
        may_answer = bool(mail.answers) or Note.NO_ATTACHMENT in mail.notes
        may_answer = may_answer or Note.TAKES_BACK in read_as_answer(mail, asked).notes
        if taking_back.is_meant(mail.subject, mail.text, may_answer=may_answer):
            found.append(mail.id)
        elif mail.text.endswith(_CUT):
            cut.append(mail.received_at)
    run.ledger.intake.add_note(found, Note.TAKES_BACK)
    read = WordsRead(rules, tuple(found), len(cut), max(cut, default=""))
    run.ledger.runs.note_words_read(read)
    for line in lines(read):
        run.console.warn(line)


def lines(read: WordsRead) -> list[str]:
    """Say what was found, and what could not be read."""
    said = []
    if read.held:
        mails = counted(len(read.held), "mail")
        verb = "has" if len(read.held) == 1 else "have"
        said.append(
            f"{mails} from before {verb} words of taking back, by newer rules; the clips of the "
            f"senders are held until a person has read: {', '.join(read.held)}"
        )
    if read.cut:
        mails = counted(read.cut, "long mail")
        said.append(
            f"{mails} up to {read.before}: the ledger has only the beginning, so the rest was read "
            "by older rules for words of taking back"
        )
    return said
