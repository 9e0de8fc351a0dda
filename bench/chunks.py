"""A film of ten minutes in chunks: wall time by workers, and is it what one piece gives?

    .venv/bin/python -m bench.chunks [SECONDS]

The film has a flash and a beep every ten seconds.  It is made with one worker, with two, and in
one piece.  Bare FFmpeg with one thread and the same encoder is beside it: once alone, and twice
side by side, which shows how much faster two cores can be here.  It ends with 1 if frames, samples
or digests differ, if the pictures at a joint are worse than others, or if a beep is not with its
flash.  Run it on a calm machine with two cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
from support.clip_scene import opened, task_of

from bench._cpu import side_by_side
from pipeline import judge, publishing
from pipeline.codecs import codec_of
from pipeline.config import Campaign, Config, InboxSection, Output, WorkspaceSection
from pipeline.engine.threads import ThreadEngine
from pipeline.ffmpeg.runner import program
from pipeline.jobs import kinds
from pipeline.jobs.handout import Handout
from pipeline.model import ClipResult
from pipeline.process import chunk_plan, night, recipe
from pipeline.process.belief import ClipRules
from pipeline.workspace import Workspace

_EVERY = 10  # seconds between two flashes
_OUTPUT = Output(name="wide", size="1280x720", fps=30)


def _film(path: Path, seconds: int) -> None:
    """Draw a film with noise, as of a phone: 29.97 pictures a second, sound of 44.1 kHz."""
    flash = f"drawbox=w=iw:h=ih/2:color=white:t=fill:enable='lt(mod(t,{_EVERY}),0.1)'"
    picture = f"testsrc2=s=1280x720:r=30000/1001:d={seconds},noise=alls=6:allf=t,{flash}"
    beep = f"aevalsrc='lt(mod(t,{_EVERY}),0.1)*0.5*sin(6283*t)':s=44100:d={seconds}"
    command = [program(), "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", beep]
    command += ["-preset", "ultrafast", "-crf", "20", "-g", "30", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, "-c:a", "aac", str(path)], check=True)


def _made(film: Path, folder: Path, workers: int, chunk_s: int) -> tuple[float, Path]:
    """Make the clip of a film; return the seconds it took, and its path."""
    workspace = Workspace(folder)
    sha256 = publishing.sha256_of(film)
    original = workspace.original(sha256)
    original.parent.mkdir(parents=True)
    original.hardlink_to(film)
    config = Config(
        campaign=Campaign(name="River Week", hashtags=("#RiverWeek",)),
        inbox=(InboxSection(url="eml:inbox"),),
        workspace=WorkspaceSection(path=str(folder)),
        output=(_OUTPUT,),
    )
    with opened(config) as run:
        wanted = recipe.of(config, "#RiverWeek")
        task = task_of(run, sha256, wanted).model_copy(update={"chunk_s": chunk_s})
        begun = time.monotonic()
        with closing(ThreadEngine(partial(kinds.do, tools=run), workers)) as engine:
            rules = ClipRules(run, night.unlimited())
            (result,) = Handout(run, engine, rules).results([task])
        wall = time.monotonic() - begun
    assert isinstance(result, ClipResult)
    assert result.outputs, result.refusal
    return wall, folder / result.outputs[0].path


def _bare(film: Path, folder: Path, times: int) -> float:
    """Seconds of one or more FFmpeg side by side, for picture and sound alone, one thread each."""
    command = [program(), "-v", "error", "-threads", "1", "-filter_threads", "1", "-i", str(film)]
    command += ["-t", str(chunk_plan.SECONDS), "-vf", "fps=30", "-c:v", "libx264"]
    command += ["-preset", "veryfast", "-crf", "20", "-threads:v", "1", "-c:a", "aac"]
    command += ["-ar", "48000"]
    targets = [str(folder / f"bare-{times}-{number}.mp4") for number in range(times)]
    return side_by_side([[*command, target] for target in targets])


def _ssim(one: Path, other: Path, log: Path) -> list[float]:
    """The likeness of each picture of two films, from 0 to 1."""
    command = [program(), "-v", "error", "-i", str(one), "-i", str(other)]
    command += ["-lavfi", f"[0:v][1:v]ssim=stats_file={log}", "-f", "null", "-"]
    subprocess.run(command, check=True)
    return [float(line.split("All:")[1].split()[0]) for line in log.read_text().splitlines()]


def _raw(film: Path, *options: str) -> bytes:
    command = [program(), "-v", "error", "-i", str(film), *options, "-"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _late(film: Path) -> list[float]:
    """How many seconds each beep comes after its flash."""
    bright = "crop=iw:ih/4:0:0,scale=1:1:flags=area,format=gray"
    seen = np.frombuffer(_raw(film, "-vf", bright, "-f", "rawvideo"), np.uint8).astype(float)
    heard = np.frombuffer(_raw(film, "-map", "0:a:0", "-ac", "1", "-f", "s16le"), np.int16)
    found = []
    for begin in range(_EVERY, len(seen) // _OUTPUT.fps - 1, _EVERY):
        frames = seen[(begin - 1) * _OUTPUT.fps : (begin + 1) * _OUTPUT.fps]
        samples = np.abs(heard[(begin - 1) * 48000 : (begin + 1) * 48000].astype(int))
        flash = int(np.argmax(frames > 225)) / _OUTPUT.fps
        found.append(int(np.argmax(samples > 2000)) / 48000 - flash)
    return found


def main() -> None:
    """Measure, and print what was found."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        film = folder / "film.mp4"
        _film(film, seconds)
        one, first = _made(film, folder / "one", 1, chunk_plan.SECONDS)
        two, second = _made(film, folder / "two", 2, chunk_plan.SECONDS)
        whole, piece = _made(film, folder / "whole", 2, 0)
        bare, both = (_bare(film, folder, times) for times in (1, 2))
        print(f"one worker {one:.1f} s, two workers {two:.1f} s: {one / two:.2f} times faster")
        print(
            f"in one piece {whole:.1f} s; a minute of it by bare FFmpeg, one thread, {bare:.1f} s, "
            f"twice side by side {both:.1f} s: {2 * bare / both:.2f} times faster"
        )
        files = [path.open("rb") for path in (second, piece)]
        facts = [codec_of(_OUTPUT).judge(file, judge.Mp4Kind.CLIP) for file in files]
        counts = [(fact.video.frames, *(each.samples for each in fact.audio)) for fact in facts]
        print(f"frames and samples: {counts[0]} in chunks, {counts[1]} in one piece")
        sounds = [_raw(path, "-map", "0:a:1", "-f", "md5") for path in (second, piece)]
        likeness = np.array(_ssim(second, piece, folder / "ssim"))
        step = chunk_plan.SECONDS * _OUTPUT.fps
        at = [*range(step, len(likeness) - step // 2, step)]
        near = np.concatenate([likeness[n - 5 : n + 5] for n in at])
        print(f"SSIM with one piece: {near.min():.4f} at the joints, {likeness.min():.4f} anywhere")
        late = _late(second)
        print(
            f"beeps after flashes: {min(late) * 1000:.0f} to {max(late) * 1000:.0f} ms, {len(late)}"
        )
        wrong = {
            "digests differ": publishing.sha256_of(first) != publishing.sha256_of(second),
            "frames or samples differ": counts[0] != counts[1],
            "the sound differs": sounds[0] != sounds[1],
            "a joint is worse": near.min() < np.percentile(likeness, 1) - 0.01
            or near.mean() < likeness.mean() - 0.01,
            "a beep is not with its flash": max(map(abs, late)) > 1.5 / _OUTPUT.fps,
        }
        for what in (name for name, is_so in wrong.items() if is_so):
            print(f"WRONG: {what}")
        if any(wrong.values()):
            sys.exit(1)


if __name__ == "__main__":
    main()
