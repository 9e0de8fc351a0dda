"""Workspaces with clips that were never mailed: drawn by FFmpeg as ``process`` would make them.

There are no originals, so nothing is processed again, and the tests begin where render begins.
One drawn clip can be the clip of many originals at the cost of one.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import config as configuration
from pipeline import judge, publishing
from pipeline.config import Config, Output
from pipeline.ffmpeg import runner
from pipeline.ledger import Ledger
from pipeline.ledger.intake import MailSums
from pipeline.media import encode, timebase
from pipeline.model import (
    Attachment,
    ClipOutput,
    ClipResult,
    Kind,
    MailIdentity,
    Review,
    Status,
    Submission,
)
from pipeline.workspace import Workspace
from support.command_scene import CommandScene, footage
from support.ledger_scene import decide

CONFIG = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
handle = "@riverweek"
[inbox]
url = "eml:inbox"
[review]
required = false
[montage]
{montage}
[[output]]
name = "small"
size = "{size}"
fps = {fps}
quality = "{quality}"
"""
# What FFmpeg draws, no two alike, and each moving.
_DRAWN = (
    "testsrc2",
    "gradients=seed=3:speed=0.05:n=5",
    "mandelbrot",
    "gradients=seed=8:speed=0.03:n=3:type=radial",
)
NOISE = -1  # pictures that no encoder makes small, as those of real footage
_NOISE = "noise=all_seed=3:alls=100:allf=t"


@dataclass(frozen=True)
class Drawn:
    """A clip to draw: which source, how many pictures, a tone of which pitch (Hz) and volume.

    The source is a number, or :data:`NOISE`.
    A volume of 1.94 is -16 LUFS, 0 is silence.
    """

    source: int
    frames: int
    pitch: int = 440
    volume: float = 4.0


@dataclass(frozen=True)
class RenderScene(CommandScene):
    """A workspace with clips and a ``config.toml``."""

    @property
    def config(self) -> Config:
        """The configuration."""
        return configuration.load(self.folder / "config.toml")

    @property
    def workspace(self) -> Workspace:
        """The workspace."""
        return Workspace(self.work)

    @property
    def film(self) -> Path:
        """The montage."""
        return self.work / "montage" / "montage-small.mp4"

    @property
    def contents(self) -> dict[str, Any]:
        """The JSON beside the montage: what it holds."""
        loaded: dict[str, Any] = json.loads(self.film.with_suffix(".json").read_text())
        return loaded

    def configure(
        self, montage: str, fps: int = 30, quality: str = "draft", size: str = "160x90"
    ) -> None:
        """Write the configuration."""
        (self.folder / "config.toml").write_text(
            CONFIG.format(montage=montage, fps=fps, quality=quality, size=size)
        )

    def render(self, *more: str) -> dict[str, Any]:
        """Run ``footage render``; returns its facts about the montage."""
        said = footage("render", *more, "--json", "--config", str(self.folder / "config.toml"))
        assert said.code == 0, said.err
        told: dict[str, Any] = said.data["render"][0]
        return told

    def review(self, name: str, **values: Any) -> None:
        """Decide on a clip."""
        with Ledger(self.workspace.ledger) as ledger:
            decide(ledger, sha(name), Review(**values))


def sha(name: str) -> str:
    """The SHA-256 of an original; the file is not needed."""
    return hashlib.sha256(name.encode()).hexdigest()


def begin(
    folder: Path,
    clips: dict[str, Drawn],
    montage: str = "",
    *,
    fps: int = 30,
    quality: str = "draft",
    size: str = "160x90",
    senders: dict[str, str] | None = None,
    categories: dict[str, str] | None = None,
    cut: bool = True,
) -> RenderScene:
    """A workspace with these clips, received in this order.

    :param cut: the clips have key frames where the configuration's crossfades want them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scene = RenderScene(folder)
    scene.configure(montage, fps, quality, size)
    scene.workspace.create()
    output = scene.config.output[0]
    fade = timebase.fade_frames(scene.config.montage.transition_seconds, fps) if cut else 0
    # one transaction, so that filling the ledger waits for the disk only once
    with Ledger(scene.workspace.ledger) as ledger, ledger.transaction():
        for number, (name, drawn) in enumerate(clips.items()):
            made, facts = draw(drawn, output, fade)
            final = scene.workspace.clip(sha(name), output.name)
            final.parent.mkdir(mode=0o700)
            os.link(made, final)
            _record(ledger, number, name, (senders or {}).get(name, f"{name}@example.org"))
            ledger.clips.record(_result(scene, name, drawn, facts, (categories or {}).get(name)))
    return scene


def record(scene: RenderScene, name: str, drawn: Drawn, facts: tuple[str, str]) -> None:
    """Record a clip that was drawn again."""
    with Ledger(scene.workspace.ledger) as ledger:
        ledger.clips.record(_result(scene, name, drawn, facts, None))


def _record(ledger: Ledger, number: int, name: str, sender: str) -> None:
    submission = Submission(
        id=f"s{number:05}",
        message_id=f"<{number}@example.org>",
        sender=sender,
        subject="",
        text="",
        received_at=f"2026-09-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
    )
    item = Attachment(0, f"{name}.mp4", Kind.VIDEO, sha(name), 1)
    identity = MailIdentity("eml", "inbox", 1, str(number))
    ledger.intake.record_mail(
        identity, MailSums(sha(f"mail {number}"), sha(f"raw mail {number}")), submission, [item]
    )


def _result(
    scene: RenderScene, name: str, drawn: Drawn, facts: tuple[str, str], category: str | None
) -> ClipResult:
    output = scene.config.output[0]
    content, extradata = facts
    return ClipResult(
        sha256=sha(name),
        recipe="drawn",
        status=Status.ACCEPTED,
        clean=True,
        caption=f"#RiverWeek {name}",
        category=category,
        outputs=(
            ClipOutput(
                name=output.name,
                path=scene.workspace.relative(scene.workspace.clip(sha(name), output.name)),
                sha256=content,
                width=output.width,
                height=output.height,
                fps=output.fps,
                frames=drawn.frames,
                duration_s=drawn.frames / output.fps,
                loudness_lufs=-16.0,
                extradata=extradata,
            ),
        ),
    )


@functools.cache
def _shelf() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="drawn-")


@functools.cache
def draw(drawn: Drawn, output: Output, fade: int) -> tuple[Path, tuple[str, str]]:
    """The clip's file, drawn once, and the SHA-256 of its bytes and of its extradata."""
    name = sha(repr((drawn, output, fade)))[:24]
    path = Path(_shelf().name) / f"{name}.mp4"
    options = encode.clip_arguments(output) | encode.cut_arguments(drawn.frames, fade)
    source = _DRAWN[drawn.source % len(_DRAWN)]
    source += f"{':' if '=' in source else '='}s={output.size}:r={output.fps}"
    if drawn.source == NOISE:
        source += f",{_NOISE}"
    samples = timebase.samples_of(drawn.frames, output.fps)
    graph = (
        f"{source},trim=end_frame={drawn.frames},scale=out_color_matrix=bt709:out_range=tv,"
        "format=yuv420p,setsar=1,setparams=range=tv:colorspace=bt709:color_primaries=bt709:"
        "color_trc=bt709:field_mode=prog[v];"
        f"sine=f={drawn.pitch}:r=48000,volume={drawn.volume},atrim=end_sample={samples},"
        "aformat=channel_layouts=stereo,asplit[x][y];"
        "[x]aformat=sample_fmts=fltp[a];[y]aformat=sample_fmts=s16p[b]"
    )
    command = [runner.program(), "-nostdin", "-v", "error", "-y", "-filter_complex", graph]
    for stream in ("[v]", "[a]", "[b]"):
        command += ["-map", stream]
    for key, value in options.items():
        command += [f"-{key}", str(value)]
    subprocess.run([*command, str(path)], check=True, stdin=subprocess.DEVNULL)
    facts = judge.judge_mp4(path, judge.Mp4Kind.CLIP).video
    assert facts.frames == drawn.frames
    return path, (publishing.sha256_of(path), facts.extradata)


def hashes(path: Path, stream: str = "0:v:0") -> list[str]:
    """The MD5 of every decoded picture."""
    command = [runner.program(), "-nostdin", "-v", "error", "-xerror", "-i", str(path)]
    command += ["-map", stream, "-f", "framemd5", "-"]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stderr == ""
    lines = (line for line in ended.stdout.splitlines() if not line.startswith("#"))
    return [line.rsplit(",", 1)[1].strip() for line in lines]


def samples(path: Path, stream: str) -> bytes:
    """A sound track as 16 bits a sample, two channels."""
    command = [runner.program(), "-nostdin", "-v", "error", "-i", str(path), "-map", stream]
    command += ["-f", "s16le", "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout
