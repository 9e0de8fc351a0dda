"""Campaigns for the tests of commands: a config, an inbox, and the command ``footage``.

The command runs in this process, so that coverage sees it; the programs that it starts are real.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from pipeline import cli
from pipeline.ffmpeg import runner
from pipeline.process import batch
from pipeline.process.wire import ClipTask

Patch = Callable[[object, str, object], None]
SMALL = '[[output]]\nname = "landscape"\nsize = "320x180"\nfps = 30\n'


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one JSON object of ``--json``."""
        loaded: dict[str, Any] = json.loads(self.out)
        return loaded


@dataclass(frozen=True)
class CommandScene:
    """A folder with a ``config.toml``, an ``inbox/`` and a workspace ``work/``."""

    folder: Path

    def footage(self, *arguments: str) -> Said:
        """Run a command of ``footage``."""
        return footage(*arguments, "--config", str(self.folder / "config.toml"))

    def copy(self, folder: Path) -> CommandScene:
        """The same campaign in another folder, to be changed there."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return CommandScene(folder)

    @property
    def work(self) -> Path:
        """The workspace."""
        return self.folder / "work"

    @property
    def report(self) -> dict[str, Any]:
        """The last report."""
        loaded: dict[str, Any] = json.loads((self.work / "report" / "report.json").read_text())
        return loaded

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """The rows of the report by file name; of equal names the first."""
        found: dict[str, dict[str, Any]] = {}
        for clip in self.report["clips"]:
            found.setdefault(clip["filename"], clip)
        return found

    def programs(self) -> list[dict[str, Any]]:
        """Every program that was started, in order, from the logs."""
        events = []
        # runs of the same second have names in any order
        for log in sorted((self.work / "logs").iterdir(), key=lambda log: log.stat().st_mtime_ns):
            events += [json.loads(line) for line in log.read_text().splitlines()]
        return [event for event in events if event["event"] == "program"]


def in_chunks(chunk_s: int, patch: Patch = setattr) -> None:
    """Have commands of this process make long films in chunks of *chunk_s* seconds."""
    patch(batch, "ClipTask", partial(ClipTask, chunk_s=chunk_s))


def footage(*arguments: str) -> Said:
    """Run the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    before = sys.argv
    sys.argv = ["footage", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv = before
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())


def config(more: str = "", *, inbox: str = "eml:inbox", outputs: str = SMALL) -> str:
    """The configuration of a small campaign; *more* is inserted before its outputs."""
    return (
        '[campaign]\nname = "River Week 2026"\nhashtags = ["#RiverWeek"]\nhandle = "@riverweek"\n'
        f'[inbox]\nurl = "{inbox}"\n{more}\n{outputs}'
    )


def begin(folder: Path, mails: Mapping[str, Mapping[str, bytes]], text: str = "") -> CommandScene:
    """A campaign in *folder* with a mail for each subject, each with its attachments."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True)
    for number, (subject, attachments) in enumerate(mails.items()):
        data = mail(number, subject, attachments).as_bytes()
        (inbox / f"{number:03}.eml").write_bytes(data)
    (folder / "config.toml").write_text(text or config("[review]\nrequired = false\n"))
    return CommandScene(folder)


def mail(number: int, subject: str, attachments: Mapping[str, bytes]) -> EmailMessage:
    """A mail as a phone sends it."""
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Sender {number} <sender{number}@example.org>"
    message["To"] = "submissions@example.org"
    message["Subject"] = subject
    message["Message-ID"] = f"<{number}@example.org>"
    message["Received"] = f"from a by b; Tue, 01 Sep 2026 10:{number % 60:02}:00 +0000"
    message.set_content("Here it is.")
    for name, data in attachments.items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message


def make(folder: Path, name: str, *arguments: str) -> bytes:
    """A media file made by FFmpeg."""
    path = folder / name
    command = [runner.program(), "-nostdin", "-v", "error", "-y", *arguments, str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.read_bytes()


@dataclass(frozen=True)
class Watched:
    """What a complete decode of a film gave."""

    frames: int
    even: bool
    picture_s: Fraction
    samples: int
    rate: int


def watch(path: Path) -> Watched:
    """Decode a whole film; every error of a decoder is raised."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        video.codec_context.options = {"err_detect": "explode"}
        times: list[Fraction] = []
        samples = 0
        for frame in container.decode(video, audio):
            if isinstance(frame, av.VideoFrame):
                assert not frame.is_corrupt
                assert frame.pts is not None
                assert video.time_base is not None
                times.append(Fraction(frame.pts) * video.time_base)
            elif isinstance(frame, av.AudioFrame):
                samples += frame.samples
        steps = {after - before for before, after in pairwise(times)}
        even = len(steps) == 1
        length = times[-1] + next(iter(steps), Fraction(0))
        return Watched(len(times), even, length, samples, audio.codec_context.sample_rate)
