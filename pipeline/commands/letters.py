"""``footage letters``: a draft of an answer for each mail that needs one.

A draft is an ``.eml`` file that a mail program opens for writing.  Nothing is sent.  A draft that
somebody changed is never written again or deleted.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from pipeline import addressees, correspondence, publishing, texts
from pipeline.commands.ending import Facts
from pipeline.config import Config
from pipeline.consent import Consent
from pipeline.correspondence import Matter
from pipeline.errors import from_os_error
from pipeline.model import Note, Reason, Row, Submission, is_submission_id
from pipeline.review import mails, rules
from pipeline.review.mails import MailView
from pipeline.review.receivers import is_own, may_program_answer, reaches_a_person
from pipeline.run import Run
from pipeline.texts import consenting
from pipeline.texts.receipt import language_of, languages
from pipeline.wording import counted

_MADE = ".drafts.json"  # the SHA-256 of each draft as it was written
_CODES = ".codes.json"  # the case code in each draft that asks for consent
ASKS = "X-Asks-For-Consent"
"""The header of a draft that asks for consent; it is not sent."""
APPROVED, SENT = "approved", "sent"
"""The folders of letters that a person has approved, and of those that were sent."""
SENDING = "sending-"
"""What the name of a letter begins with while it is sent."""

_MESSAGE_ID = re.compile(r"<[!-~]{1,250}>")  # anything else would be encoded, and fit no mail
_SPEAKS_OF_NO_FILE = frozenset(
    (
        *(Matter.TAKES_BACK, Matter.AFTER_CONSENT, Matter.AFTER_NO),
        *(Matter.WROTE_AGAIN, Matter.WORDS_ONLY),
    )
)
_EXPLAINED = (
    *(Reason.TOO_LARGE, Reason.TOO_LONG, Reason.ENCRYPTED, Reason.UNSUPPORTED, Reason.NO_VIDEO),
    Reason.CORRUPT,
)


def write_drafts(run: Run, to: Path | None = None) -> Facts:
    """Write the drafts that are missing, and remove those of mails that were dealt with.

    :param to: the folder; the workspace's own if None.
    :raises StageError: the folder can't be written.
    """
    folder = to or run.workspace.letters
    rows = run.ledger.clips.rows()
    views = mails.view(run.ledger, rows)
    asking = _asking(run, views, rows)
    codes = _Codes(run, folder / _CODES)
    wanted: dict[str, bytes] = {}
    unwritable = []
    for each in views:
        if not is_submission_id(each.mail.id):
            run.console.warn("a mail has an id that no version writes: see footage verify")
            continue
        asks = each.mail.id in asking
        # such a mail stays open until a person has done what it asks, and gets one answer
        was_answered = (
            bool({Matter.TAKES_BACK, Matter.AFTER_CONSENT, Matter.AFTER_NO} & set(each.matters))
            and (folder / SENT / f"{each.mail.id}.eml").exists()
        )
        is_wanted = asks or (each.is_open and not was_answered)
        if is_wanted and not is_own(run.config, each.mail.sender):
            try:
                question = codes.question(each.mail.id, asking[each.mail.id]) if asks else None
                letter = draft(run.config, each, question)
                wanted[f"{each.mail.id}.eml"] = letter.as_bytes()
            except (MessageError, ValueError, IndexError):
                unwritable.append(each.mail.id)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        codes.store()
        changed = _bring_up_to_date(folder, wanted)
    except OSError as error:
        raise from_os_error(error) from error
    run.console.say(f"letters: {counted(len(wanted), 'draft')} in {folder}; nothing was sent")
    for name in changed:
        run.console.warn(f"{folder / name} was changed by hand and is kept as it is")
    for submission in unwritable:
        run.console.warn(f"{submission} has no address that can be answered")
    written = sorted(wanted)
    return {"letters": {"drafts": written, "kept": changed, "no_address": unwritable}}


def draft(config: Config, seen: MailView, question: Sequence[str] | None = None) -> EmailMessage:
    """Write the answer to a mail.

    :param question: the paragraphs that ask for consent; None if the letter does not ask.
    :raises ValueError: the sender has no address that can be answered.
    """
    mail, campaign = seen.mail, config.campaign.name
    if correspondence.is_automatic(mail) or not reaches_a_person(mail):
        raise ValueError("a program or a list would get the letter")
    if Note.NOT_AUTHENTIC in mail.notes:
        raise ValueError("the owner of the address did not write the mail")
    message = EmailMessage(policy=SMTP)
    message["To"] = Address(addr_spec=mail.sender)
    subject = " ".join(mail.subject.split()) or campaign
    message["Subject"] = subject if subject.casefold().startswith("re:") else f"Re: {subject}"
    if answered := message_id_of(mail):
        message["In-Reply-To"] = message["References"] = answered
    message["X-Unsent"] = "1"
    paragraphs = [texts.letter("greeting", campaign=campaign)]
    if seen.is_open or question is None:
        paragraphs += [texts.letter(name, campaign=campaign) for name in _topics(seen)]
        if _SPEAKS_OF_NO_FILE.isdisjoint(seen.matters):
            paragraphs.append(texts.letter("keep"))
    if question is not None:
        message[ASKS] = "yes"
        paragraphs += question
    paragraphs.append(texts.letter("closing", campaign=campaign))
    message.set_content("\n\n".join(paragraphs) + "\n")
    return message


def _asking(run: Run, views: Sequence[MailView], rows: Sequence[Row]) -> dict[str, str]:
    """The mails whose letter asks for consent, one for each person who was never asked.

    Somebody who may want footage back is not asked until a person has dealt with that mail.  Who
    said no to something is asked only about a mail that a person has dealt with.  Lists and
    programs are not asked.  A file that came without a mail has no sender who could be asked.

    :returns: what the person wrote in all mails, by the id of the mail.
    """
    needs_consent = run.config.review.needs_consent
    silent = rules.waits_for_consent(rows, needs_consent=needs_consent)
    unsure = {row.submission for row in rows if row.held_by}
    refused = {row.submission for row in rows if row.own_consent is Consent.NO}
    people = {addressees.mailbox(each.mail.sender) for each in views if each.mail.id in refused}
    first: dict[str, str] = {}
    words: dict[str, str] = defaultdict(str)
    for each in views:
        words[addressees.person(each.mail.sender)] += f"{each.mail.text}\n"
        is_silent = silent.get(each.mail.id) is Consent.UNKNOWN and each.mail.id not in unsure
        is_silent &= each.handled is not None or addressees.mailbox(each.mail.sender) not in people
        if is_silent and each.mail.sender and may_program_answer(each.mail):
            first.setdefault(addressees.person(each.mail.sender), each.mail.id)
    return {mail: words[person] for person, mail in first.items()}


class _Codes:
    """The case codes in the drafts that ask for consent.

    The ledger has their hashes only.  They are kept beside the drafts, so that a draft stays the
    same when it is written again.
    """

    def __init__(self, run: Run, path: Path) -> None:
        self._run, self._path = run, path
        self._known, self._used = _strings(path), dict[str, str]()

    def question(self, submission: str, words: str) -> list[str]:
        """The paragraphs that ask the sender of a submission.

        They are in English and in the language of the *words*.
        """
        language = language_of(words) or "en"
        wanted = dict.fromkeys(("en", language))
        paragraphs = [consenting.question(each) for each in wanted]
        if self._run.config.receipts.send:
            issue = self._run.ledger.receipts.issue_code
            code = self._known.get(submission) or issue(submission)
            self._used[submission] = code
            paragraphs += [languages()[each].code.format(code=code) for each in wanted]
        return paragraphs

    def store(self) -> None:
        """Keep the codes of the drafts that there are now."""
        if self._used != self._known:
            publishing.write_text(self._path, json.dumps(self._used, indent=0, sort_keys=True))


def _topics(seen: MailView) -> Iterator[str]:
    reasons = {row.refusal.reason for row in seen.rows if row.refusal}
    for matter in seen.matters:
        if matter is Matter.REFUSED:
            yield from (reason.value for reason in _EXPLAINED if reason in reasons)
            if correspondence.has_unopened_archive(seen.rows):
                yield "unopened-archive"
        elif matter is Matter.TAKES_BACK and not seen.holds:
            yield "takes-back-unknown"
        else:
            yield matter.value


def copies_of(folder: Path, submission: str) -> list[Path]:
    """The letters to the sender of a submission that were approved or sent."""
    name = f"{submission}.eml"
    places = (Path(APPROVED, name), Path(APPROVED, f"{SENDING}{name}"), Path(SENT, name))
    return [path for path in (folder / place for place in places) if path.exists()]


def message_id_of(mail: Submission) -> str:
    """The Message-ID that an answer names; "" if the mail has none that can be named."""
    return mail.message_id if _MESSAGE_ID.fullmatch(mail.message_id) else ""


def _bring_up_to_date(folder: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """Write, rewrite and remove drafts.

    :returns: the names of those that somebody changed, which are left alone.
    """
    made = _strings(folder / _MADE)
    kept = []
    for name in sorted({*made, *wanted}):
        path, data = folder / name, wanted.get(name)
        before = path.read_bytes() if path.exists() else None
        if before is not None and _sum(before) != made.get(name) and before != data:
            kept.append(name)
        elif data is None:
            path.unlink(missing_ok=True)
        elif before != data:
            with publishing.new_file(path) as file:
                file.write(data)
    sums = {name: _sum(data) for name, data in wanted.items() if name not in kept}
    sums |= {name: made[name] for name in kept if name in made}
    publishing.write_text(folder / _MADE, json.dumps(sums, indent=0, sort_keys=True))
    return kept


def _strings(path: Path) -> dict[str, str]:
    """What a file of our own says by name; nothing if it is not there."""
    try:
        loaded = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return {name: str(value) for name, value in loaded.items()} if loaded else {}


def _sum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
