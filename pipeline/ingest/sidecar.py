"""Sidecars: JSON files that say who sent the footage beside them, and what they wrote.

A sidecar and its footage become the mail that they stand for.  So they are read, masked, shown and
recorded like any mail.
"""

import binascii
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

_LARGEST = 1 << 16
_BOUNDARY = "=_drop"  # not in base64, in which all parts are
_LINE = 57  # bytes in a line of base64
_PIECE = _LINE << 14


class Sidecar(BaseModel):
    """What a sidecar may say; every key may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: str = Field(default="", max_length=254, pattern=r"^([!-~]+@[!-~]+)?$")
    name: str = Field(default="", max_length=200)
    subject: str = Field(default="", max_length=300)
    text: str = Field(default="", max_length=20_000)
    words: str = Field(default="", max_length=20_000)
    date: AwareDatetime | None = None
    consent: bool | Annotated[str, StringConstraints(max_length=500)] = ""

    @property
    def moment(self) -> datetime | None:
        """When the footage was received."""
        return self.date.astimezone(UTC) if self.date else None

    @property
    def letter(self) -> str:
        """What was written, with the consent as a line of its own, for the reviewers."""
        said = self.consent
        if isinstance(said, bool):
            said = "yes" if said else "no"
        return "\n\n".join(
            filter(None, (self.text, self.words, f"Consent: {said}" if said else ""))
        )


def read(path: Path) -> Sidecar | None:
    """Read a sidecar; None if the file is not a valid one.

    :raises OSError: it can't be read.
    """
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        return None
    try:
        return Sidecar.model_validate_json(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValidationError, OverflowError):
        return None


def as_mail(said: Sidecar | None, files: Iterable[Path]) -> Iterator[bytes]:
    """The mail that footage and its sidecar stand for, in pieces.

    :raises OSError: a file can't be read.
    """
    head = EmailMessage(policy=SMTP)
    if said and said.sender:
        head["From"] = formataddr((_line(said.name), said.sender))
    if said and said.subject:
        head["Subject"] = _line(said.subject)
    head["MIME-Version"] = "1.0"
    head["Content-Type"] = f'multipart/mixed; boundary="{_BOUNDARY}"'
    yield bytes(head)
    if said and said.letter:
        yield _part("text/plain; charset=utf-8", "inline")
        yield from _base64([said.letter.encode()])
    for path in files:
        name = quote(path.name.encode("utf-8", "surrogateescape"))
        yield _part("application/octet-stream", f"attachment; filename*=UTF-8''{name}")
        with path.open("rb") as file:
            yield from _base64(iter(lambda file=file: file.read(_PIECE), b""))  # type: ignore[misc]  # bound now
    yield f"--{_BOUNDARY}--\r\n".encode()


def _part(kind: str, disposition: str) -> bytes:
    return (
        f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: {disposition}\r\n\r\n"
    ).encode()


def _base64(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Encode pieces; all but the last are of whole lines."""
    for piece in pieces:
        lines = (piece[start : start + _LINE] for start in range(0, len(piece), _LINE))
        yield b"".join(map(binascii.b2a_base64, lines))


def _line(text: str) -> str:
    return " ".join(text.split())
