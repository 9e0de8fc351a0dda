"""A ledger and a workspace as a campaign leaves them, written by the ledger's own methods.

Every clip has a real still and, on demand, a real MP4 that plays, so that a browser can show
the report.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from pipeline import config as configuration
from pipeline.config import Config
from pipeline.console import Console, Verbosity
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.findings import Carrier, Finding, What
from pipeline.ledger import Ledger
from pipeline.ledger.intake import MailSums
from pipeline.model import (
    Attachment,
    ClipOutput,
    ClipResult,
    Kind,
    MailIdentity,
    Note,
    Reason,
    Refusal,
    Review,
    Source,
    Status,
    Submission,
)
from pipeline.review import report
from pipeline.run import Run
from pipeline.store import WorkspaceFolder
from pipeline.texts import Detail
from pipeline.workspace import Workspace

CONFIG = """
[campaign]
name = {name!r}
hashtags = ["#RiverWeek"]
[[campaign.category]]
name = "photo-action"
match = "subject"
pattern = "photo"
[inbox]
url = "eml:inbox"
[review]
required = {required}
[report]
sender = "{sender}"
"""

REPORT_SCHEMA = json.loads(Path(report.__file__).with_name("report.schema.json").read_text())
PHONE = Source("mov", "hevc", "aac", 1080, 1920, 29.97, 4.004, 90, hdr=True)
SMALL = Source("mp4", "h264", "aac", 640, 480, 25.0, 3.2, 0, hdr=False)


def sha(name: str) -> str:
    """The SHA-256 of a name, for originals that need no bytes."""
    return hashlib.sha256(name.encode()).hexdigest()


def settings(
    folder: Path, name: str = "River Week", required: str = "true", sender: str = "masked"
) -> Config:
    """A configuration with its workspace below *folder*."""
    path = folder / "config.toml"
    path.write_text(
        CONFIG.format(name=name, required=required, sender=sender).replace("'", '"'),
        encoding="utf-8",
    )
    return configuration.load(path)


def quiet() -> Console:
    """A console that says nothing."""
    return Console(Verbosity.QUIET)


def result(name: str, **changes: Any) -> ClipResult:
    """An accepted and verified clip of the original *name*, one output, 3 s."""
    sha256 = sha(name)
    output = ClipOutput(
        name="landscape",
        path=f"clips/{sha256}/landscape.mp4",
        sha256=sha(f"output of {name}"),
        width=1920,
        height=1080,
        fps=30,
        frames=90,
        duration_s=3.0000004,
        loudness_lufs=-16.04,
        extradata=sha("extradata"),
    )
    clip = ClipResult(
        sha256=sha256,
        recipe="recipe",
        status=Status.ACCEPTED,
        findings=(Finding(Carrier.QUICKTIME_POSITION, What.LOCATION),),
        clean=True,
        source=PHONE,
        caption="#RiverWeek",
        outputs=(output,),
    )
    return replace(clip, **changes)


def refused(name: str, reason: Reason, detail: str) -> ClipResult:
    """A clip that process refused."""
    return result(
        name,
        status=reason.status,
        refusal=Refusal(reason, Detail.AS_WRITTEN, {"text": detail}),
        clean=None,
        source=None,
        outputs=(),
        findings=(),
        caption="",
    )


@cache
def tiny_movie() -> bytes:
    """Three seconds of a moving picture with sound, as a browser plays it."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error",
        "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=3",
        "-f", "lavfi", "-i", "sine=frequency=440:duration=3:sample_rate=48000",
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac",
        "-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-",
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True).stdout


@cache
def tiny_still(hue: int = 0) -> bytes:
    """A still of it, in a colour of its own."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error",
        "-f", "lavfi", "-i", f"testsrc2=size=320x180,hue=h={hue}", "-frames:v", "1",
        "-f", "mjpeg", "-",
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True).stdout


@dataclass
class LedgerScene:
    """A ledger being filled; each mail is received one hour after the one before."""

    ledger: Ledger
    workspace: Workspace
    mails: int = 0

    def run(self, config: Config) -> Run:
        """What a stage is given; no program is started."""
        store = WorkspaceFolder(self.workspace)
        return Run(
            config, self.ledger, self.workspace, FfmpegRunner("none", quiet()), quiet(), store
        )

    def mail(
        self,
        *attachments: Attachment,
        sender: str = "maria@example.org",
        subject: str = "Our photo action",
        text: str = "Hello,\nhere is our clip. You may show it.",
        notes: tuple[Note, ...] = (),
        answers: tuple[str, ...] = (),
        received_at: str | None = None,
    ) -> str:
        """Take in a mail; returns the submission's id."""
        number = self.mails
        self.mails += 1
        at = received_at or f"2026-09-{1 + number // 24 % 28:02}T{number % 24:02}:30:00Z"
        submission = Submission(
            id=f"s{number:05}",
            message_id=f"<{number}@mail.example.org>",
            sender=sender,
            subject=subject,
            text=text,
            received_at=at,
            notes=notes,
            answers=answers,
        )
        self.ledger.intake.record_mail(
            MailIdentity("eml:inbox", "INBOX", 1, str(number)),
            MailSums(sha(f"mail {number}"), sha(f"raw mail {number}")),
            submission,
            attachments,
        )
        return submission.id

    def clip(self, outcome: ClipResult, *, plays: bool = False, hue: int = 0) -> ClipResult:
        """Record an outcome; if it has clips, write their files."""
        for output in outcome.outputs:
            path = self.workspace.root / output.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_suffix(".jpg").write_bytes(tiny_still(hue))
            if plays:
                path.write_bytes(tiny_movie())
        self.ledger.clips.record(outcome)
        return outcome


@contextmanager
def opened(root: Path) -> Iterator[LedgerScene]:
    """A new workspace with an empty ledger, which is open until the block ends."""
    workspace = Workspace(root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        yield LedgerScene(ledger, workspace)


def decide(ledger: Ledger, sha256: str, review: Review) -> None:
    """Record a decision, whatever the review was before."""
    ledger.reviews.amend(sha256, lambda _: review)


def attachment(name: str, position: int = 0, **changes: Any) -> Attachment:
    """A video attachment with the hash of the original *name*."""
    item = Attachment(
        position=position,
        filename=f"{name}.mov",
        kind=Kind.VIDEO,
        sha256=sha(name),
        size=1000,
        findings=(),
    )
    return replace(item, **changes)
