"""One clip at a time for the tests of ``process``: a small film goes in, its clip is examined.

``clip.make`` makes the clip in the sandbox, as ``footage process`` does; PyAV decodes the
finished file.
"""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.config import (
    Campaign,
    Config,
    FaceMode,
    InboxSection,
    Output,
    Process,
    WorkspaceSection,
)
from pipeline.console import Console, Verbosity
from pipeline.engine.threads import ThreadEngine
from pipeline.faces import model_file
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.jobs import kinds
from pipeline.jobs.build import build
from pipeline.jobs.handout import Handout
from pipeline.ledger import Ledger
from pipeline.media import caption
from pipeline.model import ClipResult
from pipeline.process import clip, night, recipe, reference
from pipeline.process.belief import ClipRules
from pipeline.process.clip_files import Job
from pipeline.process.recipe import Recipe
from pipeline.process.wire import ClipTask
from pipeline.protection import Mask, SoundChange
from pipeline.run import Run
from pipeline.store import original as footage_of
from pipeline.store.opening import open_store
from pipeline.workspace import Workspace

Pixels = NDArray[np.uint8]
WIDE = Output(name="wide", size="160x90", fps=30, quality="standard")
TALL = Output(name="tall", size="90x160", fps=30)
SQUARE = Output(name="square", size="96x96", fps=30)
_configurations: dict[tuple[Output, ...], dict[str, str]] = {}


@dataclass(frozen=True)
class Clip:
    """A finished clip of one output."""

    path: Path
    result: ClipResult

    @cached_property
    def pictures(self) -> list[Pixels]:
        """Every picture, as RGB of 8 bit (height, width, 3)."""
        return pictures(self.path)

    @cached_property
    def times(self) -> list[Fraction]:
        """When each picture is shown, in seconds."""
        with av.open(str(self.path)) as container:
            return [
                Fraction(frame.pts or 0) * Fraction(frame.time_base or 0)
                for frame in container.decode(video=0)
            ]

    def sound(self, track: int = 1) -> NDArray[np.float64]:
        """The samples of a track, (n, 2) from -1 to 1; 1 is the lossless one."""
        return samples(self.path, track)


def pictures(path: Path) -> list[Pixels]:
    """Every picture of a film in BT.709, as RGB of 8 bit."""
    with av.open(str(path)) as container:
        return [rgb(frame) for frame in container.decode(video=0)]


def rgb(frame: Any) -> Pixels:
    """A frame of BT.709 in limited range, as RGB; computed here, to trust no scaler."""
    planes = [plane(frame, index) for index in range(3)]
    y = (planes[0] - 16) / 219
    cb, cr = ((np.repeat(np.repeat(p, 2, 0), 2, 1) - 128) / 224 for p in planes[1:])
    cb, cr = cb[: y.shape[0], : y.shape[1]], cr[: y.shape[0], : y.shape[1]]
    red = y + 1.5748 * cr
    blue = y + 1.8556 * cb
    green = (y - 0.2126 * red - 0.0722 * blue) / 0.7152
    out: Pixels = np.clip(np.stack([red, green, blue], -1) * 255 + 0.5, 0, 255).astype(np.uint8)
    return out


def plane(frame: Any, index: int) -> NDArray[np.float64]:
    """A plane of a frame of 8 bit, without the padding of its lines."""
    data = frame.planes[index]
    lines = np.frombuffer(data, np.uint8).reshape(data.height, data.line_size)
    return lines[:, : data.width].astype(np.float64)


def samples(path: Path, track: int = 0) -> NDArray[np.float64]:
    """The samples of a sound track as stereo, (n, 2) from -1 to 1."""
    with av.open(str(path)) as container:
        pieces = []
        for frame in container.decode(audio=track):
            data = frame.to_ndarray().astype(np.float64)
            if frame.format.name.startswith("s16"):
                data /= 32768
            pieces.append(data.reshape(-1, 2).T if not frame.format.is_planar else data)
        return np.concatenate(pieces, axis=1).T if pieces else np.zeros((0, 2))


@contextmanager
def opened(config: Config) -> Iterator[Run]:
    """A run that can make clips, in the workspace of a configuration."""
    workspace = Workspace(config.root)
    workspace.create()
    console = Console(Verbosity.QUIET)
    with Ledger(workspace.ledger) as ledger:
        store = open_store(config, workspace)
        yield Run(config, ledger, workspace, FfmpegRunner("auto", console), console, store)


def task_of(run: Run, sha256: str, wanted: Recipe) -> ClipTask:
    """The task for the clip of an original."""
    outputs = wanted.outputs
    if outputs not in _configurations:  # one black picture tells it for all scenes
        _configurations[outputs] = reference.decoder_configurations(run, outputs)
    return ClipTask(
        sha256=sha256,
        key=wanted.key,
        recipe=wanted,
        configurations=_configurations[outputs],
        timeout_factor=run.config.process.timeout_factor,
    )


def two_threads(run: Run) -> ThreadEngine:
    """The engine of one machine."""
    return ThreadEngine(partial(kinds.do, tools=run), 2)


@dataclass(frozen=True)
class ClipScene:
    """A workspace and the settings that clips are made with.

    ``chunk_s``: longer films are made in chunks of so many seconds; 0: none is.  ``engine`` gives
    the workers that make them; ``is_far``: these are on other machines.  ``store``:
    where footage is kept beyond the workspace.
    """

    folder: Path
    outputs: tuple[Output, ...] = (WIDE,)
    process: Process = field(default_factory=Process)
    text: str = ""
    masks: tuple[Mask, ...] = ()
    sounds: tuple[SoundChange, ...] = ()
    faces: FaceMode = "off"
    chunk_s: int = 0
    engine: Callable[[Run], ThreadEngine] = two_threads
    is_far: bool = False
    store: str = ""

    def to(self, *outputs: Output, text: str = "", **process: Any) -> ClipScene:
        """The same scene with other settings."""
        settings = Process(**{"still_seconds": 0.5, **process})
        return replace(self, outputs=outputs or self.outputs, process=settings, text=text)

    def film(self, name: str, *arguments: str) -> Path:
        """A film or picture made by FFmpeg."""
        path = self.folder / name
        command = [program(), "-nostdin", "-v", "error", "-y", *arguments, str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    def painted(self, name: str, frames: Sequence[Pixels], rate: str, *arguments: str) -> Path:
        """A film of pictures that the test painted, RGB of 8 bit."""
        height, width = frames[0].shape[:2]
        path = self.folder / name
        command = [program(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"]
        command += ["-s", f"{width}x{height}", "-r", rate, "-i", "-", *arguments, str(path)]
        data = b"".join(frame.tobytes() for frame in frames)
        subprocess.run(command, check=True, input=data)
        return path

    def make(self, source: Path) -> ClipResult:
        """The outcome of ``process`` for a file."""
        workspace = Workspace(self.folder / "work")
        sha256 = hashlib.sha256(source.read_bytes()).hexdigest()
        original = workspace.original(sha256)
        original.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, original)
        config = Config(
            campaign=Campaign(name="River Week", hashtags=("#RiverWeek",)),
            inbox=(InboxSection(url="eml:inbox"),),
            workspace=WorkspaceSection(path=str(workspace.root), store=self.store),
            process=self.process,
            output=self.outputs,
        )
        made = recipe.of(config, self.text)
        wanted = replace(made, masks=self.masks, sounds=self.sounds)
        if self.faces != "off":
            wanted = replace(wanted, faces=self.faces, detector=model_file.name_of(""))
        strips = tuple(
            caption.strip(
                workspace.cache,
                self.text,
                (output.width, output.height),
                (wanted.caption_position, wanted.caption_style),
            )
            for output in self.outputs
        )
        with opened(config) as run:
            run.store.publish([footage_of(sha256)])
            task = task_of(run, sha256, wanted)
            if not self.chunk_s:
                return clip.make(Job(sha256, original, wanted, strips, task.configurations), run)
            far = {"build": build() if self.is_far else {}}
            task = task.model_copy(update={"chunk_s": self.chunk_s, **far})
            with closing(self.engine(run)) as engine:
                (result,) = Handout(run, engine, ClipRules(run, night.unlimited())).results([task])
            assert isinstance(result, ClipResult)
            return result

    def clips(self, source: Path) -> dict[str, Clip]:
        """The clip of each output, by name."""
        result = self.make(source)
        assert result.outputs, result.refusal
        return {o.name: Clip(self.folder / "work" / o.path, result) for o in result.outputs}

    def clip(self, source: Path) -> Clip:
        """The clip of the one output."""
        (made,) = self.clips(source).values()
        return made


def end_from_outside(left: list[str], patch: Callable[..., None]) -> None:
    """Have programs of this process end as if somebody had killed them, once for each purpose.

    :param left: the purposes; what has happened is taken out.
    :param patch: ``monkeypatch.setattr``.
    """
    usual = FfmpegRunner.run

    def run(self: FfmpegRunner, purpose: str, *rest: Any, **options: Any) -> ProgramResult:
        result = usual(self, purpose, *rest, **options)
        if purpose not in left:
            return result
        left.remove(purpose)
        return replace(result, code=128 + signal.SIGTERM)

    patch(FfmpegRunner, "run", run)
