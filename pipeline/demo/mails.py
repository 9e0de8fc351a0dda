"""The sample's mails: the bytes of each, also of broken ones; who sent what is in ``files``.

Dates, Message-IDs and boundaries are fixed, so the mails are always the same.
"""

from __future__ import annotations

import mimetypes
import tomllib
from datetime import UTC, datetime, timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from pydantic import BaseModel

FILES = Path(__file__).parent / "files"
_FIRST = datetime(2026, 9, 1, 7, 12, tzinfo=UTC)
_TO = Address("River Week", "submissions", "example.org")
# what the standard library does not know on every machine
_TYPES = {".heic": "image/heic", ".webm": "video/webm", ".mov": "video/quicktime"}


class SampleFile(BaseModel):
    """An attachment: one of the files, and the name and type under which it is sent."""

    source: str
    name: str
    declared: str = ""
    head_only: bool = False

    @property
    def type(self) -> str:
        """The type, if none is declared that of the name."""
        guessed = mimetypes.guess_type(self.name.lower())[0]
        return self.declared or guessed or _TYPES[Path(self.name.lower()).suffix]

    @property
    def data(self) -> bytes:
        """The bytes.  The index of an MP4 is at its end, so its head alone cannot be played."""
        data = (FILES / self.source).read_bytes()
        return data[: len(data) * 2 // 5] if self.head_only else data


class SampleMail(BaseModel):
    """One mail; ``mails.toml`` says what the fields mean."""

    file: str = ""
    name: str
    address: str
    subject: str
    text: str
    parts: tuple[SampleFile, ...] = ()
    forwarded: SampleMail | None = None
    signature: bool = False
    cut: bool = False


_TABLES = tomllib.loads((FILES / "mails.toml").read_text("utf-8"))
MAILS = tuple(SampleMail.model_validate(table) for table in _TABLES["mail"])


def build() -> dict[str, bytes]:
    """The bytes of every mail, by file name."""
    return {mail.file: _bytes(mail, index) for index, mail in enumerate(MAILS, start=1)}


def _bytes(mail: SampleMail, index: int) -> bytes:
    data = _message(mail, f"{index:02}").as_bytes()
    if not mail.cut:
        return data
    # in the middle of a line of base64, after a number of characters with which no encoder ends
    line = data.rfind(b"\r\n", 0, len(data) * 3 // 5) + 2
    return data[: line + 41]


def _message(mail: SampleMail, number: str) -> EmailMessage:
    message = EmailMessage(policy.SMTP)
    index = int(number.partition("-")[0])
    at = _FIRST + timedelta(hours=3 * index, minutes=7 * index)
    host = mail.address.partition("@")[2]
    message["Received"] = (
        f"from mail.{host} by mx.example.org with ESMTPS id river{index:02}; {format_datetime(at)}"
    )
    message["From"] = Address(mail.name, addr_spec=mail.address)
    message["To"] = _TO
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(at - timedelta(minutes=1))
    message["Message-ID"] = f"<river-week-{number}@{host}>"
    message.set_content(mail.text + "\n")
    if mail.signature:
        _sign(message, mail)
    for part in mail.parts:
        main, _, sub = part.type.partition("/")
        message.add_attachment(part.data, maintype=main, subtype=sub, filename=part.name)
    if mail.forwarded is not None:
        message.add_attachment(_message(mail.forwarded, f"{number}-inner"))
    for depth, entity in enumerate(message.walk()):
        if entity.get_content_maintype() == "multipart":
            entity.set_boundary(f"=_river-{number}-{depth}")
    return message


def _sign(message: EmailMessage, mail: SampleMail) -> None:
    """Add the text as HTML; its signature shows a logo by its Content-ID."""
    words = (
        f'<p>{mail.text}</p><p>-- <br><img src="cid:logo@river-week" alt=""> Riverside school</p>'
    )
    message.add_alternative(words + "\n", subtype="html")
    html = message.get_payload(1)
    assert isinstance(html, EmailMessage)
    name = "logo.png"
    logo = (FILES / name).read_bytes()
    html.add_related(
        logo, "image", "png", cid="<logo@river-week>", filename=name, disposition="inline"
    )
