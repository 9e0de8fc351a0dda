"""Who sent a mail, through which mailing list, and whether a program sent it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline import wording
from pipeline.ingest.addresses import Mailbox, canonical, mailboxes
from pipeline.ingest.headers import Headers
from pipeline.ingest.mime import Part
from pipeline.model import Note

_MOST_ANSWERED = 20
_LONGEST_ID = 250
_ID = re.compile(rf"<[^<>\s]{{1,{_LONGEST_ID - 2}}}>")
_MAILTO = re.compile(r"mailto:([^\s<>?,]{3,254})", re.IGNORECASE)
_VIA = re.compile(r"\s+(?:via|über|por|par|through|通过|経由)\s+.*", re.IGNORECASE)
_DAEMONS = re.compile(
    r"(?:mailer-daemon|postmaster|mail-daemon|mailerdaemon|mdaemon|mail\.daemon)(?:[+-].*)?@"
)
# What RFC 3834, section 2, says about mails that a program must not answer.
_IN_BULK = re.compile(r"\b(?:bulk|junk|list)\b", re.IGNORECASE)
_UNANSWERED = re.compile(r"\b(?:all|autoreply|oof)\b", re.IGNORECASE)
_RETURNED = re.compile(
    r"undeliver|delivery (?:status|fail|has failed)|returned (?:mail|to sender)|mail delivery"
    r"|failure notice|delivery notification|unzustellbar|non remis|no entregad|не доставлен",
    re.IGNORECASE,
)
_AWAY = re.compile(
    r"out of (?:the )?office|automatic reply|auto(?:matic)?[ -]?(?:reply|response|antwort)"
    r"|automatische antwort|abwesenheit|r[ée]ponse automatique|absence du bureau|respuesta autom"
    r"|fuera de la oficina|risposta automatica|afwezig|автоответ|自動返信|自动回复|vacation reply",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Sender:
    """The person who wrote a mail; ``through`` is the mailing list that it came by."""

    address: str
    name: str = ""
    through: str = ""


def sender_of(root: Part) -> Sender:
    """Find who wrote a mail.

    A list may put itself into From.  Then the person is in X-Original-From or Reply-To.  In a mail
    that came by no list these are not asked.  A returned mail is from the one who wrote it.
    """
    fields = root.headers
    if machine_note(root) is Note.BOUNCE and (inner := _returned(root)):
        return inner
    boxes = _boxes(fields, "from") or _boxes(fields, "sender", "reply-to", "return-path")
    first = boxes[0] if boxes else Mailbox("")
    through = _list_of(fields)
    person = _behind(fields, first, through) if through else first
    name = person.name or (_VIA.sub("", first.name) if person is not first else "")
    return Sender(
        wording.plain(person.address, 254),
        wording.storable(name, 120) if name else "",
        wording.storable(through, 254) if through else "",
    )


def machine_note(root: Part) -> Note | None:
    """BOUNCE for a mail that came back, AUTOMATIC for another answer of a program."""
    fields = root.headers
    report = fields.parameter("content-type", "report-type").lower()
    is_report = root.content_type == "multipart/report"
    if is_report and report == "delivery-status":
        return Note.BOUNCE
    submitted = fields.get("auto-submitted").split(";", 1)[0].strip().lower()
    subject = fields.text("subject")[:500]
    is_answer = _is_answer(fields, submitted, subject)
    to_nobody = re.sub(r"\s", "", fields.get("return-path")) == "<>"
    came_back = to_nobody and (not is_answer or _RETURNED.search(subject) is not None)
    if is_report:  # of another kind: a receipt, a complaint
        return Note.AUTOMATIC
    if came_back or fields.get("x-failed-recipients"):
        return Note.BOUNCE
    if any(_DAEMONS.match(box.address) for box in _boxes(fields, "from")):
        return Note.BOUNCE
    return Note.AUTOMATIC if is_answer else None


def program_notes(root: Part) -> tuple[Note, ...]:
    """The note of :func:`machine_note`, and NO_RECEIPT if no program may answer the mail."""
    machine = machine_note(root)
    silent = (Note.NO_RECEIPT,) if _forbids_receipt(root.headers) else ()
    return ((machine,) if machine else ()) + silent


def _forbids_receipt(fields: Headers) -> bool:
    """Whether a mail came by a list, in bulk, from a program, or from several senders.

    A person may have written it all the same: it is read and answered like any other by people.
    """
    if any(name.startswith("list-") or name == "x-loop" for name, _ in fields.fields):
        return True
    if _IN_BULK.search(fields.get("precedence")[:200]):
        return True
    if _UNANSWERED.search(fields.get("x-auto-response-suppress")[:200]):
        return True
    senders = _boxes(fields, "from")
    return len(senders) > 1 or len(fields.all("from")) > 1


def answered(fields: Headers) -> tuple[str, ...]:
    """The Message-IDs that a mail answers, the nearest first."""
    found: dict[str, None] = {}
    referenced = [each for value in fields.all("references") for each in _ids(value)]
    replied = [each for value in fields.all("in-reply-to") for each in _ids(value)]
    for each in (*replied, *reversed(referenced)):
        found[wording.storable(each, _LONGEST_ID)] = None
        if len(found) == _MOST_ANSWERED:
            break
    return tuple(found)


def _ids(value: str) -> list[str]:
    return _ID.findall(value[:65_536])


def _is_answer(fields: Headers, submitted: str, subject: str) -> bool:
    """Whether a program answered or sent a mail (RFC 3834, and what was used before)."""
    if submitted and submitted != "no":
        return True
    if any(fields.get(each) for each in ("x-autoreply", "x-autorespond", "x-autoresponder")):
        return True
    if fields.get("precedence").strip().lower() in ("auto_reply", "auto-reply"):
        return True
    return bool(fields.get("x-auto-response-suppress")) and _AWAY.search(subject) is not None


def _boxes(fields: Headers, *names: str) -> list[Mailbox]:
    return [box for name in names for value in fields.all(name) for box in mailboxes(value)]


def _returned(root: Part) -> Sender | None:
    """The sender of the mail that came back."""
    for part, above in root.walk():
        for outer in (*above, part):
            if outer.content_type in ("message/rfc822", "message/global") and outer.children:
                boxes = _boxes(outer.children[0].headers, "from")
                if boxes:
                    name = wording.storable(boxes[0].name, 120) if boxes[0].name else ""
                    return Sender(wording.plain(boxes[0].address, 254), name)
    return None


def _list_of(fields: Headers) -> str:
    """The address of the mailing list, or its id; empty if it came by none (RFC 2369, RFC 2919)."""
    if not any(map(fields.get, ("list-id", "list-post", "x-beenthere", "mailing-list"))):
        return ""
    if post := _MAILTO.search(fields.get("list-post")[:2000]):
        return canonical(post[1])
    named = _boxes(fields, "x-beenthere", "mailing-list", "sender")
    bounces = re.compile(r"[-+]bounces?(?:[+-].*)?@")
    for box in named:
        if "-owner@" not in box.address:
            return bounces.sub("@", box.address)
    return fields.get("list-id")[:500].strip().rpartition("<")[2].rstrip("> ")


def _behind(fields: Headers, first: Mailbox, through: str) -> Mailbox:
    """The person behind a From that a list has rewritten."""
    for name in ("x-original-from", "x-mailman-original-from", "x-original-sender", "author"):
        for box in _boxes(fields, name):
            if box.address != through:
                return box
    local, _, domain = first.address.partition("@")
    list_local, _, list_domain = through.partition("@")
    list_domain = list_domain or list_local
    same_domain = bool(domain) and (list_domain.endswith(domain) or domain.endswith(list_domain))
    is_rewritten = first.address == through or (
        same_domain
        and (
            _VIA.search(first.name) is not None
            or "=" in local
            or local.startswith((f"{list_local}-", f"{list_local}+"))
        )
    )
    if not is_rewritten:
        return first
    for box in _boxes(fields, "reply-to"):
        if box.address not in (through, first.address):
            return box
    wanted = _VIA.sub("", first.name).casefold()
    for box in _boxes(fields, "cc"):
        if wanted and box.name.casefold() == wanted:
            return box
    person, equals, host = local.rpartition("=")
    if equals and "." in host:
        return Mailbox(f"{person}@{host}")
    return first
