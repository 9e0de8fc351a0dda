"""The program that stands in FFmpeg's place: it makes one attack, and then it becomes FFmpeg.

It runs in the sandbox, so it imports the standard library and its own folder, and nothing else.
An attack is a function in one of the modules here; its docstring says what it tries.  It returns
what it reached, as a text.  It returns nothing, or raises OSError, if the wall held.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class World:
    """What is around the sandbox, for the attacks: paths, numbers of processes and ports.

    ``given`` is the file that FFmpeg was given to read.  ``writes``: where it may write.
    ``outputs``: the files that its arguments name and that do not exist yet.  ``control``: there is
    no wall, so an attack that would use up the machine does not go so far.
    """

    secret: str = ""
    token: str = ""
    folder: str = ""
    victim: int = 0
    run: int = 0
    tcp: int = 0
    udp: int = 0
    socket: str = ""
    abstract: str = ""
    shared_memory: int = -1
    queue: int = -1
    semaphore: int = -1
    named_queue: str = ""
    memory: int = 0
    file_size: int = 0
    control: bool = False
    given: str = ""
    writes: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    @property
    def scratch(self) -> str:
        """A folder of the outputs; it may be writable or not."""
        return next((os.path.dirname(path) for path in self.outputs), "/tmp")


Act = Callable[[World], str | None]


@dataclass(frozen=True)
class Attack:
    """One attack.

    ``gives_up``: the program ends with it or after it, and does not become FFmpeg.  ``root``: only
    a process with capabilities can reach anything by it.
    """

    name: str
    tries: str
    act: Act
    gives_up: bool = False
    root: bool = False


ATTACKS: dict[str, Attack] = {}


def attack(*, gives_up: bool = False, root: bool = False) -> Callable[[Act], Act]:
    """Enter a function into the table, see ``Attack``."""

    def entered(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        tries = (act.__doc__ or "").strip().splitlines()[0].rstrip(".")
        ATTACKS[name] = Attack(name, tries, act, gives_up, root)
        return act

    return entered


def main(names: str, world: str, argv: list[str]) -> None:
    """Make attacks one after the other, say what each reached, and become the program of *argv*.

    :param names: with commas between them.
    """
    around = World(**json.loads(world))
    chosen = [ATTACKS[name] for name in names.split(",")]
    for each in chosen:
        print(each.name, _made(each, around), flush=True)
    print(flush=True)
    if any(each.gives_up for each in chosen):
        sys.exit(1)
    os.execv(argv[0], argv)


def _made(chosen: Attack, world: World) -> str:
    try:
        reached = chosen.act(world)
    except (OSError, MemoryError, ValueError, RuntimeError) as error:
        return f"HELD {type(error).__name__} {getattr(error, 'errno', '')}"
    return f"REACHED {reached}".replace("\n", " ")[:200] if reached else "HELD"
