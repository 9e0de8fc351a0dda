"""Takes a mail or file apart: into a submission, and a row for each attachment."""

import hashlib
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from pipeline import clock, correspondence, places, wording
from pipeline.errors import Refused
from pipeline.findings import Carrier, Finding, What
from pipeline.ingest import contents, embedded, fragments, headers, leaves, mailfile, mime, rtf
from pipeline.ingest.authentic import is_forged
from pipeline.ingest.charsets import decoded
from pipeline.ingest.contents import Role
from pipeline.ingest.decode import Incomplete
from pipeline.ingest.faults import BREAKS_PARSING
from pipeline.ingest.fingerprint import KeptBody, fingerprint
from pipeline.ingest.inbox import NewFile, NewMail
from pipeline.ingest.leaves import Leaf
from pipeline.ingest.mail_words import OTHER, MailWords, read_words
from pipeline.ingest.members import Content
from pipeline.ingest.mime import Part
from pipeline.ingest.originals import Originals
from pipeline.ingest.rows import Incoming, Rows
from pipeline.ingest.sender import (
    answered,
    has_returned_words,
    is_report,
    program_notes,
    sender_of,
)
from pipeline.ingest.spool import Readable, stretch
from pipeline.model import Attachment, Kind, MailIdentity, Note, Reason, Refusal, Submission
from pipeline.texts import Detail, taking_back

_TEXT = 2000
_MORE = 600  # characters that are kept of the other texts of a mail
_ADDRESS = re.compile(r"[^\s<>\"'(),:;@]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_NO_ADDRESS = "[address removed]"
_LINES = 500  # of a mail that are searched for short links
_HEADER = 1 << 16  # of a mail that can't be read, in bytes
_MAX_ENCODED_MAILS = 5  # nested in each other
BROKEN = Refusal(Reason.BROKEN_MAIL, Detail.UNREADABLE_MAIL)


@dataclass(frozen=True)
class Opening:
    """The days of a campaign; mails from before or after are marked."""

    opens: date | None = None
    closes: date | None = None


@dataclass(frozen=True)
class Taken:
    """What a mail or a file became; it is not in the ledger yet.

    ``digest`` identifies its content; ``bytes``: of its attachments; ``error``: the type of the
    error if the mail could not be read.
    """

    submission: Submission
    attachments: tuple[Attachment, ...]
    digest: str
    bytes: int = 0
    error: str = ""


@dataclass
class _Draft:
    """What is collected from the parts of a mail; ``level``: how many encoded mails are around."""

    rows: Rows
    words: MailWords = field(default_factory=MailWords)
    level: int = 0


class _Inside:
    """Takes the mails and the words that are in files."""

    def __init__(self, taker: "Taker", findings: tuple[Finding, ...] = ()) -> None:
        self._taker = taker
        self.draft = _Draft(Rows(taker.originals, findings, self))

    def mail(self, file: Readable) -> None:
        """Take in the parts of a mail."""
        self._taker.inner_mail(file, self.draft)

    def words(self, content: Content, data: bytes, charset: str) -> None:
        """Take in a text, which is shown if the mail itself has none."""
        is_html = content is Content.HTML
        text = decoded(data, charset)
        if content is Content.RTF:
            text, is_html = rtf.words(data)
        role = Role.HTML if is_html else Role.TEXT
        self.draft.words.add(role, text, forwarded=True, cut=False)


def submission_id(identity: MailIdentity) -> str:
    """The id of a submission, which is the same at every try."""
    key = "\0".join((identity.account, identity.mailbox, str(identity.uidvalidity), identity.uid))
    return "s" + hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def wordless(identity: MailIdentity, moment: datetime) -> Submission:
    """A submission without the words of a mail."""
    return Submission(
        id=submission_id(identity),
        message_id="",
        sender="",
        subject="",
        text="",
        received_at=clock.stamp(moment),
    )


class Taker:
    """Takes mails and files apart; the attachments become files in the folder of *originals*."""

    def __init__(self, originals: Originals, campaign: Opening, authserv_id: str = "") -> None:
        """*authserv_id*: the name of the server whose Authentication-Results count."""
        self.originals, self._campaign = originals, campaign
        self._authserv_id = authserv_id

    def mail(self, arrival: NewMail, file: Readable) -> Taken:
        """Take in the mail in *file*.  Afterwards all originals wait to be published.

        :raises OSError: the disk is full, or fails.
        """
        if _has_bare_returns(file):
            return self._mail_of_old_macs(arrival, file)
        mail = mime.split(file)
        fields = mail.root.headers
        if not fields.fields:
            return self.broken(arrival, file)
        findings: tuple[Finding, ...] = ()
        if places.found(fields.text("subject")[: places.LIMIT]):
            findings = (Finding(Carrier.SUBJECT, What.LOCATION),)
        draft = _Inside(self, findings).draft
        kept = self._parts(mail, draft)
        moment = _moment(arrival, fields)
        return Taken(
            self._submission(arrival.identity, mail.root, draft, moment),
            draft.rows.paired(),
            fingerprint(file, kept),
            draft.rows.bytes,
        )

    def _mail_of_old_macs(self, arrival: NewMail, file: Readable) -> Taken:
        """Take in a mail whose lines end with a carriage return only."""
        with self.originals.spool() as other:
            for piece in stretch(file):
                other.write(piece.replace(b"\r", b"\n"))
            return self.mail(arrival, other)

    def file(self, arrival: NewFile, file: Readable) -> Taken:
        """Take in a file that came by another way than mail: a submission of its own.

        :raises OSError: the disk is full, or the file can't be read.
        """
        draft = _Inside(self).draft
        stored = draft.rows.file(Incoming(arrival.name, stretch(file)))
        submission = replace(
            wordless(arrival.identity, arrival.moment),
            notes=self._notes(draft, arrival.moment, hidden=False),
        )
        digest = stored.sha256 or fingerprint(file)
        return Taken(submission, tuple(draft.rows.list), digest, draft.rows.bytes)

    def broken(self, arrival: NewMail, file: Readable) -> Taken:
        """Record a mail that can't be read, so that it is neither lost nor read again.

        What its header says counts all the same: whether the mail is forged, came by a list or from
        a program, or takes footage back.
        """
        rows = Rows(self.originals)
        file.seek(0)
        fields = headers.parse(file.read(_HEADER))
        rows.missing("mail" if fields.fields else name_of(arrival), BROKEN)
        root = Part(fields, fields.content_type, 0, 0)
        moment = _moment(arrival, fields)
        submission = self._submission(arrival.identity, root, _Draft(rows), moment)
        return Taken(submission, tuple(rows.list), fingerprint(file))

    def unopened(self, arrival: NewFile, file: Readable) -> Taken:
        """Take in a file whose content can't be read: it is kept, and not opened.

        :raises OSError: the disk is full, or the file can't be read.
        """
        rows = Rows(self.originals)
        stored = rows.file(Incoming(arrival.name, stretch(file), refusal=contents.UNREADABLE))
        submission = wordless(arrival.identity, arrival.moment)
        return Taken(submission, tuple(rows.list), stored.sha256 or fingerprint(file), rows.bytes)

    def inner_mail(self, file: Readable, draft: _Draft) -> None:
        """Take in the mails in a file, or one with a transfer encoding (RFC 2046, 5.2.1)."""
        if draft.level >= _MAX_ENCODED_MAILS:
            draft.rows.missing("mail", contents.PARTS_LOST)
            return
        draft.level += 1
        try:
            for mail in mailfile.mails(file):
                self._parts(mime.split(mail), draft)
        finally:
            draft.level -= 1

    def _parts(self, mail: mime.Mail, draft: _Draft) -> list[KeptBody]:
        """Take in the leaves of a mail; one that can't be read costs no other one.

        :returns: the leaves of which all bytes were kept.
        """
        kept: list[KeptBody] = []
        rows = draft.rows
        shown = read_words(mail, draft.words, nested=draft.level > 0)
        for part, above in mail.root.walk():
            if rows.is_full:
                break
            count = len(rows.list)
            leaf = Leaf(part, above, mail.file, part.headers.content_id in shown)
            try:
                sha256 = self._leaf(leaf, draft)
            except BREAKS_PARSING:
                rows.missing(part.headers.filename or "mail", contents.UNREADABLE)
                continue
            if sha256 is not None:
                kept.append((part.start, part.end, sha256))
            if part.broken_off and len(rows.list) == count:
                rows.missing("mail", contents.CUT)
        if mail.overflow:
            rows.missing("mail", contents.TOO_MANY)
        return kept

    def _leaf(self, leaf: Leaf, draft: _Draft) -> str | None:
        """Take in a leaf.

        :returns: the SHA-256 of its bytes if all of them were kept.
        """
        part, rows = leaf.part, draft.rows
        fragment = fragments.refusal(part, leaf.above)
        if part.content_type == fragments.TYPE and fragment is not None:
            # the whole mail is kept, so that it may be moved before its other parts come
            rows.file(Incoming("part of a mail", stretch(leaf.file), refusal=fragment))
            return None
        role = leaves.role(part, leaf.file)
        if leaves.is_emptied(part, leaf.file, role):
            rows.missing(part.headers.filename, contents.TAKEN_OUT)
        elif role is Role.LOST:
            rows.missing(part.headers.filename or "mail", contents.PARTS_LOST)
        elif role is Role.MAIL:
            self._encoded_mail(part, leaf.file, draft)
        elif role is Role.ATTACHMENT:
            inline = leaf.is_shown or part.headers.disposition == "inline"
            incoming = Incoming(
                part.headers.filename,
                leaves.body(part, leaf.file),
                in_layout=part.headers.content_id != "" and inline,
                refusal=contents.sealed(part, leaf.above),
            )
            return rows.file(incoming).sha256
        elif role in (Role.TEXT, Role.HTML):
            leaves.take_embedded(part, leaf.file, rows, role)
        return None

    def _encoded_mail(self, part: Part, file: Readable, draft: _Draft) -> None:
        with self.originals.nested_spool() as spool:
            try:
                for piece in leaves.body(part, file):
                    spool.write(piece)
            except Incomplete:
                draft.rows.missing("mail", contents.CUT)
            except Refused as refused:
                draft.rows.missing("mail", refused.refusal)
                return
            self.inner_mail(spool, draft)

    def _submission(
        self, identity: MailIdentity, root: Part, draft: _Draft, moment: datetime
    ) -> Submission:
        fields, sender, programs = root.headers, sender_of(root), program_notes(root)
        subject, is_bounce = embedded.words(fields.text("subject")), Note.BOUNCE in programs
        whole, more = draft.words.shown(is_returned=is_bounce)
        text, more = whole[: contents.TEXT_KEPT], more[: contents.TEXT_KEPT]
        if is_bounce:  # it names people who have nothing to do with the campaign
            text, more = (_ADDRESS.sub(_NO_ADDRESS, each) for each in (text, more))
        draft.words.links.read([subject])
        _keep_short_links(draft, subject, text)
        hidden = any(places.found(each[: places.LIMIT]) for each in (text, subject))
        hidden = hidden or places.MASK in more
        notes, answers = self._notes(draft, moment, hidden=hidden), answered(fields)
        may_answer = bool(answers) or correspondence.is_of_words(draft.rows.list)
        takes_back = not is_report(root) and draft.words.take_back(
            subject,
            may_answer=may_answer and not has_returned_words(root),
            is_returned=is_bounce,
        )
        return replace(
            wordless(identity, moment),
            message_id=wording.storable(embedded.words(fields.get("message-id")), 250),
            sender=sender.address,
            name=sender.name,
            through=sender.through,
            answers=answers,
            subject=wording.storable(subject, 300),
            text=_shown(text, more),
            notes=notes
            + (Note.TAKES_BACK,) * takes_back
            + programs
            + (Note.NOT_AUTHENTIC,) * is_forged(fields, self._authserv_id, sender.address),
            links=draft.words.links.addresses,
            recipients=tuple(
                wording.plain(address, 254)
                for address in fields.addresses("to", "cc", "delivered-to", "x-original-to")
            ),
        )

    def _notes(self, draft: _Draft, moment: datetime, *, hidden: bool) -> tuple[Note, ...]:
        # a container whose files are rows of their own is not footage itself
        rows = [each for each in draft.rows.list if each.refusal or each.kind is not Kind.ARCHIVE]
        reasons = [item.refusal.reason if item.refusal else None for item in rows]
        opens, closes = self._campaign.opens, self._campaign.closes
        day = moment.astimezone(UTC).date()
        said = {
            Note.HAS_A_LINK: bool(draft.words.links.addresses),
            Note.OUTSIDE_WINDOW: bool((opens and day < opens) or (closes and day > closes)),
            Note.NO_ATTACHMENT: all(reason is Reason.DECORATION for reason in reasons),
            Note.LOCATION_IN_TEXT: hidden,
            Note.BROKEN_MAIL: Reason.BROKEN_MAIL in reasons,
        }
        return tuple(note for note, holds in said.items() if holds)


def _shown(text: str, more: str) -> str:
    """What the ledger keeps of the text of a mail, and of what only its other texts say."""
    if not more:
        return contents.tidy([wording.storable(text, _TEXT, lines=True)])
    room = _TEXT - len(OTHER) - 3
    extra = wording.storable(more, max(_MORE, room - len(text)), lines=True)
    kept = wording.storable(text, room - len(extra), lines=True)
    return contents.tidy([kept, "", OTHER, extra])


def _keep_short_links(draft: _Draft, subject: str, text: str) -> None:
    """Take the short links of a mail that speaks of footage.

    If files came with the mail, its writer has to speak of footage in the line of the link.
    """
    if all(row.refusal is not None for row in draft.rows.list):
        if taking_back.names_footage(f"{subject}\n{text}"):
            draft.words.links.keep_short()
        return
    draft.words.links.keep_short(filter(taking_back.names_footage, text.split("\n")[:_LINES]))


def _moment(arrival: NewMail, fields: headers.Headers) -> datetime:
    """When a mail was received.

    The server's INTERNALDATE, else the time of the topmost Received field, else that of the file;
    never Date, which the sender writes.
    """
    return arrival.received or fields.received_at or arrival.file_time or datetime.now(UTC)


def name_of(mail: NewMail) -> str:
    """What a mail without a readable field is called, so that a person finds it."""
    return mail.name or (
        f"mail, UID {mail.identity.uid}" if mail.identity.uid.isdigit() else "mail"
    )


def _has_bare_returns(file: Readable) -> bool:
    file.seek(0)
    head = file.read(_HEADER)
    return b"\n" not in head and head.count(b"\r") > 1
