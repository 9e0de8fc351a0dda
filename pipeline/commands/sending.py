"""``footage letters --send``: send the letters that a person has approved.

A person approves a letter by moving its file from ``letters/`` to ``letters/approved/``.  A letter
is renamed before it is sent and moved to ``letters/sent/`` afterwards, so that it is never sent
twice: if the program is killed in between, it keeps the name that begins with ``sending-``.
"""

import email
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses, localtime
from pathlib import Path

from pipeline import addressees, correspondence, letter_ids, post
from pipeline.commands import older_ledger
from pipeline.commands.ending import Facts
from pipeline.commands.letters import APPROVED, ASKS, SENDING, SENT
from pipeline.config import SmtpSection
from pipeline.consent import Consent, ConsentRecord
from pipeline.errors import StageError, UsageError, from_os_error
from pipeline.model import Note, Row, Status, Submission
from pipeline.post import Outcome, Post, PostError
from pipeline.review import rules
from pipeline.run import Run
from pipeline.wording import counted

_BY = "footage letters --send"
_LARGEST = 1 << 20
_GONE = {Status.WITHDRAWN, Status.REJECTED}


def send_approved(run: Run, to: Path | None = None) -> Facts:
    """Send what is in ``approved/`` of the folder of letters, and mark those mails as dealt with.

    A mail that holds clips is not marked: they are held until a person has done what it asks, and
    that is what the letter promises.

    :param to: the folder of letters; the workspace's own if None.
    :raises UsageError: there is no table ``[smtp]``.
    :raises PostError: the server can't be reached or takes no more mail; the rest waits.
    :raises StageError: the folder can't be written, a letter could not be sent, or the ledger is
        older than its logs.
    """
    older_ledger.refuse_if_older(run, "letters")
    smtp, folder = run.config.smtp, to or run.workspace.letters
    if smtp is None:
        raise UsageError("letters --send needs the table [smtp] in the configuration")
    approved = folder / APPROVED
    try:
        approved.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / SENT).mkdir(mode=0o700, exist_ok=True)
        unclear = sorted(path.name for path in approved.glob(f"{SENDING}*"))
        letters = [path for path in sorted(approved.glob("*.eml")) if path.name not in unclear]
        for name in unclear:
            run.console.warn(
                f"{approved / name}: nobody knows if it was sent; look, then rename it"
            )
        sent = _send_all(run, smtp, letters) if letters else []
    except OSError as error:
        raise from_os_error(error) from error
    run.console.say(f"letters: {len(sent)} sent")
    failed = [path.name for path in letters if path.name not in sent]
    facts: Facts = {"letters": {"sent": sent, "unclear": unclear, "failed": failed}}
    if failed:
        unsent = StageError(f"{counted(len(failed), 'letter')} could not be sent")
        unsent.facts = facts
        raise unsent
    return facts


def _send_all(run: Run, smtp: SmtpSection, letters: list[Path]) -> list[str]:
    mails = run.ledger.intake.submissions()
    senders = {mail.id: addressees.person(mail.sender) for mail in mails}
    letters_sent = run.ledger.consents.questions()
    holding = correspondence.holding(mails, [*senders], letters_sent)
    asked_in_vain = _asked_in_vain(run, mails)
    sent = []
    with post.opened(smtp) as server:
        for path in letters:
            try:
                message = _letter(smtp, path)
            except (MessageError, ValueError) as error:
                run.console.warn(f"{path} can't be sent: {error}")
                continue
            asks = message.get(ASKS) is not None
            del message[ASKS]
            if asks and (why := asked_in_vain.get(path.stem)):
                run.console.warn(f"{path} asks for consent, but {why}: write another letter")
                continue
            if _is_sent(run, server, path, message):
                sent.append(path.name)
                if path.stem not in senders:
                    continue
                if _recipients(message) != [senders[path.stem]]:
                    run.console.warn(
                        f"{path.name} went to another address than the sender's, so its mail is "
                        "not marked as answered or asked; mark it by hand"
                    )
                    continue
                if path.stem in holding:
                    run.console.say(
                        f"{path.name} is sent, and its mail stays open, because it holds clips: "
                        f"withdraw the footage, or call footage handled {path.stem}"
                    )
                else:
                    run.ledger.reviews.set_handled([path.stem], _BY)
                if asks:
                    _note_question(run, path.stem, str(message["Message-ID"]))
    return sent


def _asked_in_vain(run: Run, mails: Sequence[Submission]) -> dict[str, str]:
    """The mails whose sender must not be asked for consent any more, each with the reason."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in run.ledger.clips.rows():
        rows[row.submission].append(row)
    handled = run.ledger.reviews.handled()
    letters = run.ledger.consents.questions()
    taken_back = correspondence.holds(mails, handled, (Note.TAKES_BACK,), letters=letters)
    held = correspondence.holds(mails, handled, letters=letters)
    why: dict[str, str] = {}
    for mail in mails:
        states = {row.status for row in rows[mail.id]}
        if any(row.own_consent is Consent.NO for row in rows[mail.id]):
            why[mail.id] = "the answer is no"
        elif mail.id in taken_back:
            why[mail.id] = "the sender takes footage back"
        elif mail.id in held:
            why[mail.id] = "a later mail of the sender is not dealt with"
        elif Status.WITHDRAWN in states and states <= _GONE:
            why[mail.id] = "the footage is withdrawn"
    return why


def _recipients(message: EmailMessage) -> list[str]:
    fields = [str(each) for each in message.get_all("To", [])]
    return [addressees.person(address) for _, address in getaddresses(fields)]


def _note_question(run: Run, submission: str, message_id: str) -> None:
    """Record that the sender of a submission was asked for consent, for all that came until now.

    Mails that may be from somebody else are left as they are.
    """
    mails = {mail.id: mail for mail in run.ledger.intake.submissions()}
    rows = run.ledger.clips.rows()
    silent = rules.waits_for_consent(rows, needs_consent=run.config.review.needs_consent)
    wanted = addressees.person(mails[submission].sender)
    own = {each for each in silent if addressees.person(mails[each].sender) == wanted}
    with run.ledger.transaction():
        for each in sorted(own | {submission}):
            if correspondence.is_of_doubtful_sender(mails[each]):
                continue
            run.ledger.consents.amend(each, _asked, question=message_id)


def _asked(before: ConsentRecord) -> ConsentRecord | None:
    """A person may have recorded an answer since the letter was written."""
    if before.consent not in (Consent.UNKNOWN, Consent.ASKED):
        return None
    return replace(before, consent=Consent.ASKED, by=_BY, at=None)


def _is_sent(run: Run, server: Post, path: Path, message: EmailMessage) -> bool:
    """Send a letter and move its file; a refusal of its recipient is a warning.

    :raises PostError: the server takes no more mail now, or nobody knows if it has this one.
    """
    claimed = path.rename(path.with_name(f"{SENDING}{path.name}"))
    try:
        server.send(message)
    except PostError as error:
        if error.outcome is Outcome.UNKNOWN:
            raise
        claimed.rename(path)
        if error.outcome is Outcome.NOT_SENT:
            raise
        run.console.warn(f"{path}: {error}")
        return False
    claimed.rename(path.parent.parent / SENT / path.name)
    return True


def _letter(smtp: SmtpSection, path: Path) -> EmailMessage:
    """The letter of a file as it is sent: with sender, date and id, without the mark of a draft.

    :raises ValueError: it is not a letter to one person.
    """
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError("it is too large for a letter")
    message = email.message_from_bytes(data, policy=SMTP)
    assert isinstance(message, EmailMessage)
    try:
        count = len(_recipients(message))
    except (IndexError, AttributeError):  # how Python's parser ends with half an address
        count = 0
    if count != 1:
        raise ValueError("it has not exactly one recipient that can be read")
    for name in ("X-Unsent", "From", "Date", "Message-ID", "Cc", "Bcc"):
        del message[name]
    message["From"] = smtp.sender
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = letter_ids.made(path.stem, smtp.sender)
    return message
