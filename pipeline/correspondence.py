"""What mails are to each other: answers, later mails of a sender, footage that is taken back.

Everything is computed from the submissions in the order of their receipt, in linear time.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline import addressees, letter_ids
from pipeline.model import Attachment, Kind, Note, Reason, Refusal, Row, Status, Submission
from pipeline.texts import Detail

_THREAD = 50  # earlier mails that a mail can name
_LATER = 5  # mails of the same sender that are named on an earlier one
_MENDABLE = frozenset(
    (
        *(Reason.TOO_LARGE, Reason.TOO_LONG, Reason.CORRUPT, Reason.ENCRYPTED),
        *(Reason.UNSUPPORTED, Reason.NO_VIDEO),
    )
)
_UNOPENED = frozenset(
    {
        Detail.CLOSED_ARCHIVE,
        Detail.TOO_MANY_MEMBERS,
        Detail.UNPACKS_TOO_LARGE,
        Detail.EXPANDS_TOO_MUCH,
        Detail.NESTED_TOO_DEEP,
    }
)
_DAMAGED = frozenset((Reason.TRUNCATED_TRANSFER, Reason.BROKEN_MAIL))
_FOOTAGE = frozenset((Status.ACCEPTED, Status.PENDING, Status.DUPLICATE, Status.WITHDRAWN))
_DOUBTFUL = frozenset((Note.NOT_AUTHENTIC, Note.NO_RECEIPT, Note.BOUNCE))
_LONGEST_WAY = timedelta(days=5)  # so long a server tries to deliver a mail (RFC 5321, 4.5.4.1)
HOLDING = frozenset((Note.TAKES_BACK, Note.AFTER_CONSENT))
"""The notes of a mail that holds clips until a person has dealt with it."""
_NOT_OPENED = frozenset(
    (Reason.NOT_MEDIA, Reason.NO_VIDEO, Reason.ENCRYPTED, Reason.UNSAFE, Reason.BROKEN_MAIL)
)
_DAMAGED_OR_SIGNED = frozenset(
    {Detail.SIGNED_MAIL, Detail.BROKEN_ZIP, Detail.BROKEN_ARCHIVE, Detail.BROKEN_OUTLOOK}
)
_READ_BY_NAME = (".txt", ".text", ".md", ".htm", ".html")  # by ingest, as words of the mail
_DOCUMENTS = frozenset(
    {Detail.PDF, Detail.OFFICE_DOCUMENT, Detail.DOCUMENT_OR_PROGRAM, Detail.WEB_PAGE}
)
_OF_WORDS = (*_READ_BY_NAME, ".pdf", ".doc", ".docx", ".odt", ".rtf", ".pages")
_INCOMPLETE = "incomplete"  # the caution of a clip whose file is cut


class Matter(StrEnum):
    """Why somebody has to answer a mail."""

    TAKES_BACK = "takes-back"
    AFTER_CONSENT = "after-consent"
    AFTER_NO = "after-no"
    LINK_ONLY = "link-only"
    MORE_BY_LINK = "more-by-link"
    REFUSED = "refused"
    DAMAGED = "damaged"
    WROTE_AGAIN = "wrote-again"
    WORDS_ONLY = "words-only"


_OF_PROGRAMS = (
    *(Matter.TAKES_BACK, Matter.AFTER_CONSENT, Matter.AFTER_NO),
    *(Matter.REFUSED, Matter.DAMAGED),
)


@dataclass(frozen=True)
class Payer:
    """The sender whom the limits of a run count a mail for; ``address``: "" if it has none.

    Mails that somebody else may have sent count apart, so that a forger does not use up what the
    owner of the address has.
    """

    address: str
    is_forged: bool = False


@dataclass(frozen=True)
class Correspondence:
    """The relations between mails, by the id of a submission.

    ``answers``: the earlier mail that it answers.  ``later``: up to five later mails that answer
    it, or that the same person sent without footage.
    """

    answers: Mapping[str, str]
    later: Mapping[str, tuple[str, ...]]


def relate(
    mails: Sequence[Submission],
    with_footage: Collection[str],
    letters: Mapping[str, str] | None = None,
) -> Correspondence:
    """Find out which mails belong together.

    :param mails: in the order of their receipt.
    :param with_footage: the ids of the mails that brought footage.
    :param letters: the submission that each of our letters was about, by its Message-ID.
    """
    answers = _answers(mails, letters or {})
    answered: dict[str, list[str]] = defaultdict(list)
    for later_mail, earlier in answers.items():
        answered[earlier].append(later_mail)
    later: dict[str, tuple[str, ...]] = {}
    newest_first: dict[str, list[str]] = defaultdict(list)
    for mail in reversed(mails):
        same = newest_first[_mailbox(mail)] if _mailbox(mail) else []
        found = dict.fromkeys([*same[-1 : -_LATER - 1 : -1], *answered[mail.id][:_LATER]])
        if found:
            later[mail.id] = tuple(found)
        if mail.id not in with_footage and not is_automatic(mail):
            newest_first[_mailbox(mail)].append(mail.id)
    return Correspondence(answers, later)


def payer(mail: Submission) -> Payer:
    """The sender whom the limits of a run count a mail for."""
    return Payer(_person(mail), is_of_doubtful_sender(mail))


def is_same_person(one: Submission, other: Submission) -> bool:
    """Whether two mails came from one address; a mail without an address is nobody's."""
    return bool(_person(one)) and _person(one) == _person(other)


def may_be_same_person(one: Submission, other: Submission) -> bool:
    """Whether a refusal in one of two mails counts for the other: the mailboxes are the same."""
    return bool(_mailbox(one)) and _mailbox(one) == _mailbox(other)


def holds(
    mails: Sequence[Submission],
    handled: Collection[str],
    notes: Collection[Note] = HOLDING,
    *,
    letters: Mapping[str, str],
) -> dict[str, tuple[str, ...]]:
    """Find the mails whose clips are held, each with the mails that hold them.

    A mail with words of taking back holds what the same mailbox sent until then, until a person has
    dealt with it.  It also holds what is received in the next days: a mail with footage may be on
    its way for longer than a short one.  It holds the same of each person whose mail it answers,
    or to whom the letter went that it answers: people have several addresses.  So does a mail that
    may limit what its sender agreed to.  A mail with footage after a "no" of its sender holds its
    own clips.

    :param mails: in the order of their receipt.
    :param notes: those of a mail that holds clips.
    :param letters: the submission that each of our letters was about, by its Message-ID.
    """
    held: dict[str, dict[str, None]] = defaultdict(dict)
    by_id = {mail.id: mail for mail in mails}
    named = {mail.message_id: mail.id for mail in reversed(mails) if mail.message_id}
    known = {**letters, **named}
    taking_back = [
        mail for mail in mails if not set(notes).isdisjoint(mail.notes) and mail.id not in handled
    ]
    holding_ids = {mail.id for mail in taking_back}
    # what a mail answers may have come from another address, or have a later time
    answered = {
        mail.id: [by_id[it] for it in _answered_by(mail, known, by_id)] for mail in taking_back
    }
    last: dict[str, Submission] = {}
    for mail in taking_back:
        last |= {_mailbox(each): mail for each in (mail, *answered[mail.id]) if _mailbox(each)}
    newest: dict[str, str] = {}
    for mail in reversed(mails):
        if Note.AFTER_NO in mail.notes and mail.id not in handled:
            held[mail.id][mail.id] = None
        if mail.id in holding_ids:
            for each in (mail, *answered[mail.id]):
                newest[_mailbox(each)] = mail.id
                held[each.id][mail.id] = None
        if _mailbox(mail) and (taking := newest.get(_mailbox(mail))):
            held[mail.id][taking] = None
        elif _mailbox(mail) in last and may_be_delayed(mail, last[_mailbox(mail)]):
            held[mail.id][last[_mailbox(mail)].id] = None
    return {mail: tuple(taking) for mail, taking in held.items()}


def refusals(
    mails: Sequence[Submission], letters: Mapping[str, str]
) -> list[tuple[Submission, list[Submission]]]:
    """The mails that take footage back, each with itself and the mails that it answers.

    :param mails: in the order of their receipt.
    :param letters: the submission that each of our letters was about, by its Message-ID.
    """
    by_id = {mail.id: mail for mail in mails}
    known = {**letters, **{mail.message_id: mail.id for mail in mails if mail.message_id}}
    return [
        (mail, [mail, *(by_id[it] for it in _answered_by(mail, known, by_id))])
        for mail in mails
        if Note.TAKES_BACK in mail.notes
    ]


def matters(mail: Submission, rows: Sequence[Row], *, follows: bool) -> list[Matter]:
    """Say why somebody has to answer a mail; a mail of a program with nothing in it needs none.

    :param rows: of what came in the mail.
    :param follows: the mail answers another, or the same person wrote before.
    """
    reasons = {row.refusal.reason for row in rows if row.refusal}
    has_footage = brings_footage(rows)
    is_cut = any(row.result and _INCOMPLETE in row.result.warnings for row in rows)
    found = {
        Matter.TAKES_BACK: Note.TAKES_BACK in mail.notes,
        Matter.AFTER_CONSENT: Note.AFTER_CONSENT in mail.notes,
        Matter.AFTER_NO: Note.AFTER_NO in mail.notes,
        Matter.LINK_ONLY: Note.HAS_A_LINK in mail.notes and not has_footage,
        Matter.MORE_BY_LINK: Note.HAS_A_LINK in mail.notes and has_footage,
        Matter.REFUSED: bool(reasons & _MENDABLE) or has_unopened_archive(rows),
        Matter.DAMAGED: Note.BROKEN_MAIL in mail.notes or is_cut or bool(reasons & _DAMAGED),
    }
    if is_automatic(mail):  # what a person sent may be in it
        return [matter for matter in _OF_PROGRAMS if found[matter]]
    if not has_footage and not any(found.values()):
        if follows:
            return [Matter.WROTE_AGAIN]
        return [Matter.WORDS_ONLY] if Note.NO_ATTACHMENT in mail.notes else []
    return [matter for matter, holds_true in found.items() if holds_true]


def holding(
    mails: Sequence[Submission], with_footage: Collection[str], letters: Mapping[str, str]
) -> set[str]:
    """Find the mails that hold footage which came from the same person, or which they answer.

    A mail from another address than the footage holds nothing if it answers no mail.

    :param mails: in the order of their receipt.
    :param with_footage: the ids of the mails that brought footage.
    :param letters: the submission that each of our letters was about, by its Message-ID.
    """
    held = holds(mails, (), letters=letters)
    return {taking for mail in with_footage for taking in held.get(mail, ())}


def is_of_doubtful_sender(mail: Submission) -> bool:
    """Whether somebody else than the owner of the address may have sent a mail.

    That holds for a forged mail, a mail with several senders or of a list, and one that came back:
    anybody can write what is in it.  Nothing that the owner says or does counts for such a mail.
    """
    return not _DOUBTFUL.isdisjoint(mail.notes)


def credited(mails: Sequence[Submission]) -> dict[str, str]:
    """The sender whom a film credits for each mail; a forged mail credits nobody."""
    return {mail.id: mail.sender for mail in mails if Note.NOT_AUTHENTIC not in mail.notes}


def brings_footage(rows: Sequence[Row]) -> bool:
    """Whether a photo or a video came with a mail that became a clip or may become one."""
    return any(row.status in _FOOTAGE and row.sha256 and not row.refusal for row in rows)


def is_not_opened(filename: str, refusal: Refusal | None) -> bool:
    """Whether an attachment is neither footage nor read: a document may limit what a mail says."""
    if refusal is None or refusal.code is Detail.EMPTY_FILE:
        return False
    if refusal.code in (Detail.UNKNOWN_FORMAT, Detail.WEB_PAGE):
        return not filename.lower().endswith(_READ_BY_NAME)
    return refusal.reason in _NOT_OPENED or refusal.code in _DAMAGED_OR_SIGNED


def not_opened(rows: Sequence[Row]) -> list[str]:
    """The names of the attachments that are neither footage nor read."""
    found = (row.attachment for row in rows if is_not_opened(row.attachment.filename, row.refusal))
    return list(dict.fromkeys(item.filename for item in found))


def is_of_words(items: Iterable[Attachment]) -> bool:
    """Whether all that came in a mail is decoration, texts and documents: it may be an answer."""
    return all(
        item.kind is Kind.ARCHIVE
        if item.refusal is None
        else item.refusal.reason is Reason.DECORATION
        or item.refusal.code in _DOCUMENTS
        or item.filename.lower().endswith(_OF_WORDS)
        for item in items
    )


def has_unopened_archive(rows: Sequence[Row]) -> bool:
    """Whether an archive was not opened, which the sender can mend by sending the files."""
    return any(row.refusal.code in _UNOPENED for row in rows if row.refusal)


def is_automatic(mail: Submission) -> bool:
    """Whether a program wrote a mail: an automatic answer or a returned mail."""
    return Note.AUTOMATIC in mail.notes or Note.BOUNCE in mail.notes


def may_be_delayed(mail: Submission, other: Submission) -> bool:
    """Whether a mail may have been sent before *other*, although it was received later."""
    try:
        later = datetime.fromisoformat(mail.received_at)
        return later - datetime.fromisoformat(other.received_at) <= _LONGEST_WAY
    except (TypeError, ValueError):  # a time that nobody can read
        return True


def _person(mail: Submission) -> str:
    return addressees.person(mail.sender)


def _mailbox(mail: Submission) -> str:
    return addressees.mailbox(mail.sender)


def _answers(mails: Sequence[Submission], letters: Mapping[str, str]) -> dict[str, str]:
    """The earlier mail that each one answers (RFC 5322, section 3.6.4); the nearest one counts.

    A mail that answers a letter of ours answers the mail that the letter was about.
    """
    known = dict(letters)
    ids = {mail.id for mail in mails}
    found: dict[str, str] = {}
    for mail in mails:
        if earlier := _answered_by(mail, known, ids):
            found[mail.id] = earlier[-1]
        if mail.message_id:
            known.setdefault(mail.message_id, mail.id)
    return found


def _answered_by(mail: Submission, known: Mapping[str, str], ids: Collection[str]) -> list[str]:
    """The other submissions that a mail answers, or that a letter of ours was about.

    :param known: submissions by the Message-IDs of mails and letters.
    :param ids: of all submissions.
    """
    named = (known.get(each) or letter_ids.submission_in(each) for each in mail.answers[:_THREAD])
    return [each for each in named if each in ids and each != mail.id]
