"""Mails and media for the tests of ingest.  Ingest decodes nothing, so only the first bytes of
the media are real.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from pipeline import config as configuration
from pipeline.config import Config
from pipeline.console import Console, Verbosity
from pipeline.ingest import stage
from pipeline.ingest.reading import IngestSummary
from pipeline.ledger import Ledger
from pipeline.model import Attachment, Row, Submission
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.workspace import Workspace, hold, sweep
from support.warm_taking import WarmRunner


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def noise(seed: object, size: int) -> bytes:
    """Bytes that cannot be compressed, the same for the same seed."""
    return hashlib.shake_256(repr(seed).encode()).digest(size)


def jpeg(seed: object = 0, width: int = 1600, height: int = 1200, size: int = 9000) -> bytes:
    frame = (
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\x01\x11\0" * 3
    )
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0" + frame
    body = noise(seed, max(0, size - len(head) - 4)).replace(b"\xff", b"\xfe")
    return head + b"\xff\xda" + body + b"\xff\xd9"


def png(width: int, height: int, size: int = 300) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data))
        )  # fmt: skip

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    text = chunk(b"tEXt", b"a\0" + b"x" * max(0, size - 80))
    return b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def mp4(seed: object = 0, size: int = 12000) -> bytes:
    head = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
    body = noise(seed, size - len(head) - 8)
    return head + struct.pack(">I", len(body) + 8) + b"mdat" + body


def mail(
    *parts: tuple[str, bytes],
    subject: str = "My clip",
    text: str = "Here it is.",
    sender: str = "Ana Lucía <Ana@Example.org>",
    **fields: str,
) -> EmailMessage:
    """A mail with attachments, each given by name and bytes."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = "submissions@campaign.example"
    message["Subject"] = subject
    message["Message-ID"] = f"<{sha(repr((subject, parts)).encode())[:12]}@mail.example>"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    for name, data in parts:
        major, minor = kind_of(data)
        message.add_attachment(data, maintype=major, subtype=minor, filename=name)
    return message


def kind_of(data: bytes) -> tuple[str, str]:
    if data.startswith(b"\xff\xd8"):
        return "image", "jpeg"
    if data.startswith(b"\x89PNG"):
        return "image", "png"
    return ("video", "mp4") if data[4:8] == b"ftyp" else ("application", "octet-stream")


def raw(headers: str, *parts: bytes, boundary: str = "=b", end: bool = True) -> bytes:
    """A multipart mail of hand-written parts, each with its own headers."""
    lines = headers.encode("utf-8").replace(b"\n", b"\r\n").strip(b"\r\n")
    delimiter = b"\r\n--" + boundary.encode()
    kind = f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"'.encode()
    body = b"".join(delimiter + b"\r\n" + part for part in parts)
    return lines + b"\r\n" + kind + b"\r\n" + body + (delimiter + b"--\r\n" if end else b"")


@dataclass
class IngestScene:
    """A workspace with its configuration, to run ingest in."""

    config: Config
    workspace: Workspace

    @classmethod
    def at(cls, folder: Path, url: str, inbox: str = "", campaign: str = "") -> IngestScene:
        """Write a configuration; *inbox* and *campaign* are more lines for their tables."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.toml"
        path.write_text(
            f'[campaign]\nname = "River Week"\nhashtags = ["#RiverWeek"]\n{campaign}\n'
            f'[inbox]\nurl = "{url}"\n{inbox}\n'
        )
        config = configuration.load(path)
        return cls(config, Workspace(config.root))

    def ingest(self, *, dry_run: bool = False) -> IngestSummary:
        """Run ingest as the command does: lock, sweep, stage."""
        with hold(self.workspace), Ledger(self.workspace.ledger) as ledger:
            sweep(self.workspace)
            console = Console(Verbosity.QUIET)
            store = WorkspaceFolder(self.workspace)
            run = Run(self.config, ledger, self.workspace, WarmRunner(console), console, store)
            return stage.run(run, dry_run=dry_run)

    def rows(self) -> list[Row]:
        with Ledger(self.workspace.ledger) as ledger:
            return ledger.clips.rows()

    def attachments(self) -> list[Attachment]:
        return [row.attachment for row in self.rows()]

    def submissions(self) -> list[Submission]:
        with Ledger(self.workspace.ledger) as ledger:
            return ledger.intake.submissions()

    def outcomes(self) -> list[tuple[str, str | None, str]]:
        """File name, reason code, and whether there is an original: kept, none."""
        return [
            (
                item.filename,
                str(item.refusal.reason) if item.refusal else None,
                "kept" if item.sha256 and self.original(item.sha256) is not None else "none",
            )
            for item in self.attachments()
        ]

    def original(self, sha256: str) -> bytes | None:
        path = self.workspace.original(sha256)
        return path.read_bytes() if path.exists() else None

    def check_whole(self) -> None:
        """Check that every original has the hash in its name and that no temporary file is left."""
        for path in self.workspace.originals.rglob("*"):
            if path.is_file():
                assert path.name == sha(path.read_bytes())
                assert path.stat().st_mode & 0o777 == 0o600
        assert not list(self.workspace.root.rglob("*.part"))


def take_in(
    folder: Path, *mails: EmailMessage | bytes, inbox: str = "", campaign: str = ""
) -> IngestScene:
    """Run ingest over some mails in an ``eml:`` folder."""
    box = folder / "box"
    write_all(box, mails)
    scene = IngestScene.at(folder, "eml:box", inbox, campaign)
    scene.ingest()
    scene.check_whole()
    return scene


def write_all(box: Path, mails: Sequence[EmailMessage | bytes]) -> None:
    box.mkdir(parents=True, exist_ok=True)
    for number, item in enumerate(mails):
        data = item if isinstance(item, bytes) else item.as_bytes()
        (box / f"{number:04}.eml").write_bytes(data)
