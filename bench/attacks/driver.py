"""Runs `footage run` with a program in FFmpeg's place that attacks; one process of the harness.

    python -m bench.attacks.driver FOLDER WALL ABI

FOLDER holds a campaign.  A photo whose last bytes are ``ATTACK:name,name`` is given to these
attacks where a clip of it would be encoded; every other program is the real one.  What each attack
reached is written into FOLDER/journal.  Attacks that the journal names are not made again.  ABI is
the newest Landlock that the wall may use; 0: all that the kernel has.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from bench.attacks.surroundings import Surroundings, changes, effects
from pipeline import cli
from pipeline.ffmpeg import sandbox
from pipeline.ffmpeg.faults import ProgramResult
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions

MARK = b"ATTACK:"
ATTACKERS = Path(__file__).parent
PURPOSE = "encode"
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); import inside.all; inside.all.start()"
_SECONDS = 30.0
_MEMORY, _FILE = 2 << 30, 64 << 20  # bytes: small, so that an attack on them is quick


class Stage:
    """The run in which programs are exchanged."""

    def __init__(self, folder: Path, wall: str) -> None:
        self._journal = folder / "journal"
        self._seen = {line.split()[1] for line in self._lines()}
        self.surroundings = Surroundings(folder, control=wall == "none")
        self._run = FfmpegRunner.run

    def _lines(self) -> list[str]:
        return self._journal.read_text().splitlines() if self._journal.exists() else []

    def _write(self, *words: str) -> None:
        with self._journal.open("a") as journal:
            journal.write(" ".join(words) + "\n")

    def run(
        self,
        runner: FfmpegRunner,
        purpose: str,
        argv: list[str],
        permissions: Permissions,
        feed: Iterable[bytes] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> ProgramResult:
        """Run a program, or the attack in its place."""
        name = _attack_in(permissions.reads[0]) if purpose == PURPOSE else ""
        if not name or name in self._seen:
            return self._run(runner, purpose, argv, permissions, feed, sink)
        self._seen.add(name)
        self._write("begun", name)
        given = permissions.reads[0]
        before = self.surroundings.look(given)
        ended = self._run(runner, purpose, *self._exchanged(name, argv, permissions))
        found = effects(before, self.surroundings.look(given))
        said, _, rest = ended.stdout.partition(b"\n\n")
        told = {"said": said.decode("utf-8", "replace"), "effects": found, "code": ended.code}
        self._write("ended", name, json.dumps(told))
        self.surroundings.restore()
        return replace(ended, stdout=rest)

    def _exchanged(
        self, name: str, argv: list[str], permissions: Permissions
    ) -> tuple[list[str], Permissions]:
        limits = permissions.limits
        limits = Limits(_SECONDS, limits.cpu_s, _MEMORY, min(_FILE, limits.file_size))
        bounds = (limits.memory, limits.file_size)
        world = self.surroundings.world(permissions.reads[0], permissions.writes, bounds)
        folders = [str(path) for path in permissions.writes]
        outputs = [word for word in argv if any(word.startswith(folder) for folder in folders)]
        told = json.dumps(changes(replace(world, outputs=outputs)))
        words = [sys.executable, "-I", "-S", "-c", _START, str(ATTACKERS), name, told]
        # the real program stays visible, because the stand-in may become it
        reads = (*permissions.reads, ATTACKERS, Path(argv[0]))
        return [*words, *argv], Permissions(reads, permissions.writes, limits)


def _attack_in(path: Path) -> str:
    """The names of the attacks that a file carries behind its end."""
    with path.open("rb") as file:
        file.seek(-min(9000, path.stat().st_size), 2)
        _, mark, names = file.read().rpartition(MARK)
    return names.decode() if mark else ""


def main(folder: str, wall: str, abi: str) -> None:
    """Run the campaign in *folder*."""
    stage = Stage(Path(folder), wall)

    def run(
        runner: FfmpegRunner,
        purpose: str,
        argv: list[str],
        permissions: Permissions,
        feed: Iterable[bytes] | None = None,
        sink: Callable[[bytes], object] | None = None,
    ) -> ProgramResult:
        return stage.run(runner, purpose, argv, permissions, feed, sink)

    # the program is exchanged here, and the name of the first argument is another
    FfmpegRunner.run = run  # type: ignore[method-assign, assignment]
    if int(abi):
        sandbox.landlock_abi = lambda: min(int(abi), 7)
    sys.argv = ["footage", "-q", "run", "--config", f"{folder}/config.toml"]
    try:
        cli.main()
    finally:
        stage.surroundings.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
