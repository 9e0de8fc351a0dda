"""Send receipts: tell senders that their footage has come, and how to take it back.

The rules are those of RFC 3834 for programs that answer.  A receipt is never sent to a list, to a
returned mail, to a program, to an address that is forged, or to the campaign itself.  It quotes
nothing, has a null envelope sender, so that nobody can answer it in a loop, and a sender gets at
most one a day.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from pipeline import addressees, correspondence, letter_ids, post
from pipeline.commands.ending import RECEIPTS_FAULT, Facts
from pipeline.commands.letters import message_id_of
from pipeline.config import Config, SmtpSection
from pipeline.errors import FootageError
from pipeline.ledger import Ledger
from pipeline.ledger.receipts import ReceiptClaim
from pipeline.model import Note, Reason, Row, Submission
from pipeline.post import Outcome, Post, PostError
from pipeline.review.receivers import MOST_A_YEAR, RECEIPT_DAYS, gets_receipt
from pipeline.run import Run
from pipeline.texts.receipt import ReceiptTexts, language_of, languages

_TRIED = "receipts_tried"
_NIGHTS = 30  # that are searched for the last round: most of them may have been killed
_ADVICE = {
    "again": (Reason.CORRUPT, Reason.TRUNCATED_TRANSFER, Reason.BROKEN_MAIL),
    "size": (Reason.TOO_LARGE, Reason.TOO_LONG),
    "locked": (Reason.ENCRYPTED,),
    "kind": (Reason.UNSUPPORTED, Reason.NO_VIDEO, Reason.NOT_MEDIA),
}


@dataclass(frozen=True)
class DueReceipt:
    """A receipt that a sender should get: for these mails, with the rows of what came in them."""

    sender: str
    mails: Sequence[Submission]
    rows: Sequence[Row]


def send_receipts(run: Run) -> Facts:
    """Send the receipts that are due, if the configuration asks for them.

    What fails is a warning: the night went well all the same.  A recipient that the server does
    not take now waits, and the others get theirs.  If the server itself fails, all wait.  What was
    tried in vain comes last in the next night, so that one address never keeps the others waiting.
    """
    smtp = run.config.smtp
    if not run.config.receipts.send or smtp is None:
        return {}
    now = datetime.now(UTC)
    before = _tried_before(run)
    due = _in_turn(due_receipts(run.config, run.ledger, now.date()), before)
    counts = dict.fromkeys(("sent", "refused", "unclear", "waiting"), 0)
    tried: list[DueReceipt] = []
    faults: list[str] = []
    try:
        if due:
            with post.opened(smtp) as server:
                for receipt in due[: run.config.receipts.most_a_night]:
                    tried.append(receipt)
                    try:
                        counts[_send(run, server, receipt, now)] += 1
                    except PostError as error:
                        if error.outcome is not Outcome.LATER:
                            counts["unclear"] += error.outcome is Outcome.UNKNOWN
                            raise
                        faults.append(str(error))
                        continue
                    tried.pop()
    except FootageError as error:
        faults.append(str(error))
    counts["waiting"] = len(due) - counts["sent"] - counts["refused"] - counts["unclear"]
    run.console.say(f"receipts: {counts['sent']} sent")
    facts: Facts = {"receipts": counts}
    if faults:
        fault = f"{'; '.join(dict.fromkeys(faults))}; {counts['waiting']} wait for the next night"
        run.console.warn(f"receipts: {fault}")
        facts[RECEIPTS_FAULT] = fault
    if tried or before:
        now_tried = [mail.id for receipt in tried for mail in receipt.mails]
        still = {mail.id for receipt in due for mail in receipt.mails}.difference(now_tried)
        facts[_TRIED] = [mail for mail in before if mail in still] + now_tried
    return facts


def _tried_before(run: Run) -> list[str]:
    """The mails whose receipts could not be sent in earlier nights, the last tried at the end."""
    for night in run.ledger.runs.latest("run", _NIGHTS):
        if "receipts" in night.summary:
            found = night.summary.get(_TRIED)
            return list(map(str, found)) if isinstance(found, list) else []
    return []


def _in_turn(due: Iterable[DueReceipt], tried: Sequence[str]) -> list[DueReceipt]:
    """Put what was tried in vain behind the others, what was tried last at the end."""
    turns = {mail: turn for turn, mail in enumerate(tried, 1)}
    return sorted(due, key=lambda each: max(turns.get(mail.id, 0) for mail in each.mails))


def due_receipts(config: Config, ledger: Ledger, today: date) -> Iterator[DueReceipt]:
    """The receipts that are due, in the order of receipt of the first mail of each sender."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in ledger.clips.rows():
        rows[row.submission].append(row)
    answered = {mail for receipt in ledger.receipts.all() for mail in receipt.submissions}
    oldest = (today - timedelta(days=RECEIPT_DAYS)).isoformat()
    mails: dict[str, list[Submission]] = defaultdict(list)
    submissions = ledger.intake.submissions()
    # a person answers what somebody takes back
    held = correspondence.holds(
        submissions, (), (Note.TAKES_BACK,), letters=ledger.consents.questions()
    )
    for mail in submissions:
        is_new = mail.id not in answered and mail.received_at >= oldest
        if is_new and mail.id not in held and gets_receipt(config, mail, rows[mail.id]):
            mails[addressees.person(mail.sender)].append(mail)
    year = (today - timedelta(days=365)).isoformat()
    for own in mails.values():
        if ledger.receipts.count(own[0].sender, today.isoformat()):
            continue
        if ledger.receipts.count(own[0].sender, year) < MOST_A_YEAR:
            yield DueReceipt(own[0].sender, own, [row for mail in own for row in rows[mail.id]])


def receipt(config: Config, smtp: SmtpSection, due: DueReceipt, code: str) -> EmailMessage:
    """Write a receipt.

    :raises ValueError: the sender has no address that can be answered.
    """
    last = due.mails[-1]
    found = next(filter(None, (language_of(mail.text) for mail in reversed(due.mails))), None)
    name = found or config.receipts.language
    texts = languages().get(name) or languages()["en"]
    message = EmailMessage(policy=SMTP)
    message["From"] = smtp.sender
    message["To"] = Address(addr_spec=due.sender)
    message["Subject"] = texts.subject.format(campaign=config.campaign.name)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = letter_ids.made(last.id, smtp.sender)
    if answered := message_id_of(last):
        message["In-Reply-To"] = message["References"] = answered
    message["Auto-Submitted"] = "auto-replied"  # RFC 3834, 3.1.7
    message.set_content("\n\n".join(_paragraphs(config, texts, due, code)) + "\n")
    message["Content-Language"] = name  # set_content removes it
    return message


def _paragraphs(config: Config, texts: ReceiptTexts, due: DueReceipt, code: str) -> Iterator[str]:
    top = [row for row in due.rows if row.attachment.parent is None]
    files = [row for row in top if not row.refusal or row.refusal.reason is not Reason.DECORATION]
    if files:
        yield texts.thanks.format(campaign=config.campaign.name, count=len(files))
    reasons = {row.refusal.reason for row in due.rows if row.refusal}
    advice: Mapping[str, str] = {
        "again": texts.again, "size": texts.size, "locked": texts.locked, "kind": texts.kind
    }  # fmt: skip
    for name, of in _ADVICE.items():
        if reasons & set(of):
            yield advice[name]
    if any(Note.HAS_A_LINK in mail.notes for mail in due.mails) and not files:
        yield texts.link
    yield texts.code.format(code=code)
    yield texts.automatic


def _send(run: Run, server: Post, due: DueReceipt, now: datetime) -> str:
    """Claim a receipt, send it, and record what became of it; return the name of its count.

    :raises PostError: the server did not take it, or takes no more mail now; the receipt is due
        again unless the outcome is UNKNOWN.
    """
    smtp = run.config.smtp
    assert smtp is not None
    mails = [mail.id for mail in due.mails]
    claim = run.ledger.receipts.claim(mails, due.sender, now.date().isoformat())
    if claim is None:
        return "waiting"
    try:
        message = receipt(run.config, smtp, due, claim.code)
        server.send(message, "")
    except (MessageError, ValueError, IndexError):
        run.ledger.receipts.settle(claim, "refused")  # it can't be an address
        return "refused"
    except PostError as error:
        return _unsent(run, claim, error)
    run.ledger.receipts.settle(claim, "sent")
    return "sent"


def _unsent(run: Run, claim: ReceiptClaim, error: PostError) -> str:
    if error.outcome is Outcome.REFUSED:
        run.ledger.receipts.settle(claim, "refused")
        return "refused"
    if error.outcome is not Outcome.UNKNOWN:
        run.ledger.receipts.settle(claim, None)
    raise error  # if it is not known, the claim stays: it is never sent again
