"""Every door of a whole ``footage run`` goes wrong; what is lost, twice, left over or shown?

    .venv/bin/python -m bench.faults [walk [MOST [DOOR]] | kills [NUMBER] | full [NUMBER]]

walk: a door is a place of a side effect (IMAP, SMTP, file, SQL, program, clock, free space).  A
calm night counts the points.  Each case meets one fault and then runs once more without.
kills: a run is killed at a random instant, alone or with all its programs; some times one of its
programs only, or the run gets SIGTERM.  full: the runs have a small disk of their own, which gets
full at one size after the other, also in the middle of a write.  Exits 1 if a promise was broken.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.dovecot import Dovecot
from support.faulty_night import FaultyNights, thinned, tries
from support.faulty_run import Kill

DISK = 24 << 20  # bytes
MOST_ROOM = 3 << 19
IN_A_ROW = 3
COLUMNS = ("places", "points", "runs", "kills", "ended")

Table = dict[str, Counter[str]]


@contextmanager
def nights(disk_size: int = 0) -> Iterator[FaultyNights]:
    """Nights with a server of their own."""
    with tempfile.TemporaryDirectory() as name:
        server = Dovecot()
        try:
            made = FaultyNights(Path(name), server, disk_size=disk_size)
            try:
                yield made
            finally:
                made.stop()
        finally:
            server.stop()


def walk(most: int, door: str) -> int:
    """All the faults, one after the other."""
    table: Table = defaultdict(Counter)
    with nights() as made:
        uses, seconds = made.whole()
        points = made.points()
        for point in points:
            table[point.door].update(points=1, places=point.nth == 1)
        cases = thinned([each for each in tries(points) if door in ("", each.point.door)], most)
        for each in cases:
            (ended,), broken = made.tried_one(each)
            for fault in broken:
                print(f"BROKEN {each} (ended with {ended.code}): {fault}", flush=True)
            row = table[each.point.door]
            row.update(runs=1, ended=ended.code != 0, broken=bool(broken))
    return show(f"walk: a night of {seconds:.1f} s uses a door {uses} times", table)


def kills(number: int) -> int:
    """Kills at random instants of a whole night, three in a row, then a run without."""
    chance = random.Random(20261127)
    victims = [*itertools.islice(itertools.cycle(("alone", "group")), number)]
    victims += ["program"] * (number // 10) + ["stop"] * (number // 10)
    chance.shuffle(victims)
    table: Table = defaultdict(Counter)
    slowest = 0.0
    with nights() as made:
        _, seconds = made.whole()
        while victims:
            row, victims = victims[:IN_A_ROW], victims[IN_A_ROW:]
            # what is done already makes the later runs shorter
            spans = [round(seconds * 1000 / (place + 1)) for place in range(len(row))]
            planned = [
                Kill(1 + chance.randrange(span), victim)
                for span, victim in zip(spans, row, strict=True)
            ]
            case = made.begin()
            ends, broken = made.tried(case, [case.plan("run", kill=kill) for kill in planned])
            for each in broken:
                print(f"BROKEN {planned} {ends}: {each}", flush=True)
            for kill, ended in zip(planned, ends, strict=True):
                # what came too late is tried again
                victims += [] if ended.struck else [kill.victim]
                table[kill.victim].update(runs=1, kills=ended.struck, broken=bool(broken))
                slowest = max(slowest, ended.after_s if kill.victim == "stop" else 0.0)
    return show(f"kills within {seconds:.1f} s; SIGTERM took up to {slowest:.1f} s", table)


def full(number: int) -> int:
    """The disk gets full after so many bytes, at *number* sizes for each act."""
    table: Table = defaultdict(Counter)
    with nights(DISK) as made:
        for act in made.acts:
            for step in range(number):
                case = made.case(act)
                # at first in small steps: the ledger and the log come first
                room = round((step / number) ** 2 * MOST_ROOM)
                (ended,), broken = made.tried(case, [case.plan("run")], room)
                for each in broken:
                    print(f"BROKEN {act}, {room} bytes (ended with {ended.code}): {each}")
                table[act].update(runs=1, ended=ended.code != 0, broken=bool(broken))
    return show(f"full disks of {DISK >> 20} MB", table)


def show(title: str, table: Table) -> int:
    """Print the table; 1 if a promise was broken."""
    columns = [*(name for name in COLUMNS if any(row[name] for row in table.values())), "broken"]
    print(f"faults: {title}\n  {'':12}" + "".join(f"{name:>8}" for name in columns))
    rows = [*sorted(table.items()), ("all", sum(table.values(), Counter()))]
    for name, row in rows:
        print(f"  {name:12}" + "".join(f"{row[column]:8}" for column in columns))
    return int(rows[-1][1]["broken"] > 0)


def main() -> int:
    words = [*sys.argv[1:], "walk"]
    number = int(words[1]) if len(sys.argv) > 2 else 0
    if words[0] == "kills":
        return kills(number or 300)
    if words[0] == "full":
        return full(number or 40)
    return walk(number, sys.argv[3] if len(sys.argv) > 3 else "")


if __name__ == "__main__":
    sys.exit(main())
