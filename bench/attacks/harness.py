"""Runs attacks behind walls, and says what they reached."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image
from support.command_scene import begin, config

from bench.attacks.driver import MARK
from bench.attacks.inside.all import ATTACKS

_HERE = Path(__file__).parents[2]
# a user without other processes: they would count for the limit of threads of the program
_NOBODY = 20_000 + os.getpid() % 40_000
# killed by the system-call filter, by itself or seen through bubblewrap; or crashed by it
_KILLED = (-signal.SIGSYS, 128 + signal.SIGSYS)
_OUTPUT = '[[output]]\nname = "landscape"\nsize = "64x64"\nfps = 24\nquality = "draft"\n'


@dataclass(frozen=True)
class Place:
    """Where attacks are made: a wall, as which user, and the newest Landlock ABI (0: all)."""

    wall: str
    is_root: bool
    abi: int = 0

    @property
    def name(self) -> str:
        """A heading."""
        wall = f"{self.wall} ABI {self.abi}" if self.abi else self.wall
        return f"{wall} as {'root' if self.is_root else 'user'}"


@dataclass(frozen=True)
class Outcome:
    """What an attack reached, its effects outside, and the status of its photo's clip."""

    reached: str
    effects: tuple[str, ...] = ()
    status: str = ""

    @property
    def held(self) -> bool:
        """Whether the wall held."""
        return not (self.reached or self.effects)


@dataclass(frozen=True)
class Result:
    """The outcomes of attacks by name; the status of the innocent photo; the last exit code."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    innocent: str = ""
    code: int = 0
    said: str = ""


def attacked(place: Place, names: Sequence[str], folder: Path) -> Result:
    """Make attacks in a place.

    A program makes many attacks, because most reach nothing.  If there is an effect outside, or the
    program did not come to its end, each of its attacks is made again by a program of its own.

    :param names: of ``ATTACKS``.
    :param folder: a folder that the user of *place* can enter.
    """
    alone = [name for name in names if ATTACKS[name].gives_up or place.wall == "none"]
    together = tuple(name for name in names if name not in alone)
    groups = [*([together] if together else []), *((name,) for name in alone)]
    first = _campaign(place, groups, folder)
    unsure = [name for name in together if name not in first.outcomes]
    if not unsure:
        return first
    second = _campaign(place, [(name,) for name in unsure], folder)
    bad = [it for it in (first, second) if it.innocent != "accepted" or it.code not in (0, 3)]
    return replace((bad or [second])[0], outcomes=first.outcomes | second.outcomes)


def _campaign(place: Place, groups: Sequence[tuple[str, ...]], folder: Path) -> Result:
    """A campaign with a photo for each group of attacks, and an innocent one."""
    here = Path(tempfile.mkdtemp(dir=folder))
    settings = (
        "[review]\nrequired = false\n"
        f'[process]\nworkers = 1\nstill_seconds = 0.2\nsandbox = "{place.wall}"\n'
    )
    photos = {f"{number:03}.png": photo(number, group) for number, group in enumerate(groups)}
    photos["innocent.png"] = photo(len(groups), ())
    scene = begin(here / "campaign", {"hello": photos}, config(settings, outputs=_OUTPUT))
    if not place.is_root and os.geteuid() == 0:
        for path in (here, *here.rglob("*")):
            os.chown(path, _NOBODY, _NOBODY)
    code, said = _run(scene.folder, place)
    for _ in groups:  # each can end the run
        if code >= 0 and scene.work.joinpath("report", "report.json").exists():
            break
        code, said = _run(scene.folder, place)
    else:
        raise RuntimeError(f"{place.name}: {said}")
    outcomes: dict[str, Outcome] = {}
    for number, group in enumerate(groups):
        status = scene.rows[f"{number:03}.png"]["status"]
        outcomes |= _outcomes(scene.folder / "journal", group, status)
    innocent = scene.rows["innocent.png"]["status"]
    shutil.rmtree(here)
    return Result(outcomes, innocent, code, said)


def _outcomes(journal: Path, group: tuple[str, ...], status: str) -> dict[str, Outcome]:
    """What a group of attacks reached; nothing for a group of which that can't be said."""
    lines = [line.split(maxsplit=2) for line in journal.read_text().splitlines()]
    told = next((json.loads(it[2]) for it in lines if it[:2] == ["ended", ",".join(group)]), None)
    if told is None:
        begun = ["begun", ",".join(group)] in lines
        reached = "ended the run" if begun else "was not made"
        return {} if len(group) > 1 else {group[0]: Outcome(reached, (), status)}
    words = [line.split(maxsplit=2) for line in told["said"].splitlines()]
    said = {it[0]: it[2] if it[1:2] == ["REACHED"] else "" for it in words if it}
    if len(group) > 1 and (told["effects"] or len(said) < len(group)):
        return {}
    if not said and told["code"] not in _KILLED:
        return {group[0]: Outcome(f"the attack did not begin: exit {told['code']}", (), status)}
    return {name: Outcome(said.get(name, ""), tuple(told["effects"]), status) for name in group}


def _run(folder: Path, place: Place) -> tuple[int, str]:
    command = [sys.executable, "-m", "bench.attacks.driver", str(folder), place.wall]
    command.append(str(place.abi))
    if not place.is_root and os.geteuid() == 0:
        command = _as_user(command, folder)
    done = subprocess.run(
        command,
        cwd=_HERE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        env={
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "HOME": str(folder),
            "PYTHONPATH": str(_HERE),
            "TMPDIR": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    return done.returncode, done.stderr[-2000:]


def _as_user(command: list[str], folder: Path) -> list[str]:
    """The command as an ordinary user.

    Python may lie where only root can enter.  So the command sees file systems of its own, in which
    each such folder holds nothing but what the command needs.
    """
    needed = {Path(sys.prefix), Path(sys.base_prefix), _HERE}
    script = ["set -e"]
    for number, path in enumerate(sorted(needed)):
        closed = next((it for it in reversed(path.parents) if not it.stat().st_mode & 1), None)
        if closed is not None:
            kept = f"{folder}.{number}"
            script += [f"mkdir -p {kept}", f"mount --bind {path} {kept}"]
            script += [f"mount -t tmpfs -o mode=755 tmpfs {closed}"]
            script += [f"mkdir -p {path}", f"mount --bind {kept} {path}"]
    script += [f'exec setpriv --reuid={_NOBODY} --regid={_NOBODY} --clear-groups "$@"']
    return ["unshare", "--mount", "sh", "-c", "\n".join(script), "sh", *command]


def photo(number: int, group: tuple[str, ...]) -> bytes:
    """A PNG unlike the others, with the names of its attacks behind its end."""
    colour = (40 + number % 200, 90 + number // 200, 120)
    file = io.BytesIO()
    Image.new("RGB", (48, 48), colour).save(file, "PNG")
    return file.getvalue() + (MARK + ",".join(group).encode() if group else b"")


# what a wall does not keep out, and docs/threat-model.md says why
NOT_HELD = {
    "landlock": frozenset(("look-at-secret", "look-at-victim")),
    "bubblewrap": frozenset[str](),
}
NOT_HELD_AS_ROOT = frozenset(("start-too-many-threads",))


def not_held(place: Place) -> frozenset[str]:
    """The attacks that are known to reach something in a place."""
    return NOT_HELD[place.wall] | (NOT_HELD_AS_ROOT if place.is_root else frozenset())


def places() -> list[Place]:
    """Each wall, without a wall, and old kernels; an ordinary user can't try as root."""
    users = [True, False] if os.geteuid() == 0 else [False]
    kinds = [("none", 0), ("bubblewrap", 0), ("landlock", 0)]
    kinds += [("landlock", abi) for abi in (4, 3, 2)]
    return [Place(wall, user, abi) for user in users for wall, abi in kinds]


def main(names: Sequence[str] = ()) -> int:
    """Make all attacks everywhere, or those that are named, and print a table.

    :returns: 1 if a wall let through what it is not known to let through, or an innocent photo did
        not become a clip.
    """
    wanted = list(names) or list(ATTACKS)
    results = {}
    bad = False
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for place in places():
            results[place.name] = attacked(place, wanted, Path(folder))
            print(place.name, summary(results[place.name]), file=sys.stderr)
            bad = bad or (place.wall != "none" and not _holds(place, results[place.name]))
    print(table(results, wanted))
    return int(bad)


def _holds(place: Place, result: Result) -> bool:
    reached = {name for name, outcome in result.outcomes.items() if not outcome.held}
    return result.innocent == "accepted" and reached <= not_held(place)


def summary(result: Result) -> str:
    """One line on a campaign."""
    held = sum(outcome.held for outcome in result.outcomes.values())
    text = f"{held} of {len(result.outcomes)} held, innocent {result.innocent}, exit {result.code}"
    return text if result.code in (0, 3) else f"{text}\n{result.said}"


def table(results: dict[str, Result], names: Sequence[str]) -> str:
    """All outcomes, a row for each attack, in Markdown."""
    head = "| attack | what it tries | " + " | ".join(results) + " |"
    lines = [head, "| --- | --- |" + " --- |" * len(results)]
    for name in names:
        cells = [_cell(result.outcomes[name]) for result in results.values()]
        lines.append(f"| {name} | {ATTACKS[name].tries} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(outcome: Outcome) -> str:
    if outcome.held:
        return "held"
    return f"**{'; '.join(outcome.effects) or outcome.reached[:60]}**"
