"""Ingest is killed, and its network breaks: what is lost, what comes twice, what is left over.

    .venv/bin/python -m bench.ingest_kills

With a real Dovecot.  Each case has its own mailbox and workspace; it meets its trouble and is run
once more.  Then every mail and every attachment must be there exactly once, on the server and in
the workspace, without a temporary file.  Exits 1 if one is not.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from support import kill_ingest
from support.dovecot import BARE, PASSWORD, Account, Dovecot
from support.ingest_scene import IngestScene, jpeg, mail, mp4, sha
from support.proxy import How, Trouble, troubled

from pipeline.errors import InboxError
from pipeline.ingest import connection, imap

MAILS = [
    mail(("a.jpg", jpeg(1)), ("b.mp4", mp4(2)), subject="one").as_bytes(),
    mail(("c.mp4", mp4(3)), subject="two").as_bytes(),
    mail(("d.jpg", jpeg(4)), subject="three").as_bytes(),
]
WHOLE = Counter([sha(jpeg(1)), sha(mp4(2)), sha(mp4(3)), sha(jpeg(4))])
NO_MOVE = "killed in a window, no MOVE"
INSTANTS = 50
LONGEST_MS = 300  # what a run takes, the start of the interpreter not counted
WINDOWS = [
    (where, nth)
    for step in kill_ingest.STEPS
    for where in (f"before-{step}", f"after-{step}")
    for nth in (1, 2, 3)
]
PLACES = [0, 60, 700, 4_000, 12_000, 25_000, 40_000]
WORDS = [b"LOGIN", b"SELECT", b"SEARCH", b"FETCH", b"BODY.PEEK", b"CREATE", b"MOVE"]

Case = Callable[[Account, Path], bool]


def killed(where: str, nth: int, host: str) -> Case:
    """A case: ingest in its own process is killed.  It answers whether that happened."""

    def case(account: Account, folder: Path) -> bool:
        scene = scene_for(account, folder, account.url(host=host))
        script = kill_ingest.__file__
        config = scene.workspace.root.parent / "config.toml"
        argv = [sys.executable, script, str(config), where, str(nth)]
        return subprocess.run(argv, check=False).returncode < 0

    return case


def broken(*troubles: Trouble) -> Case:
    """A case: ingest over a network with troubles.  It answers whether it had to connect again."""

    def case(account: Account, folder: Path) -> bool:
        with troubled(account.server.port, *troubles) as proxy:
            scene = scene_for(account, folder, account.url(scheme="imap", port=proxy.port))
            with suppress(InboxError):
                scene.ingest()
            return proxy.connections > 1

    return case


def scene_for(account: Account, folder: Path, url: str) -> IngestScene:
    lines = f'ca_file = "{account.server.ca_file}"\nprocessed_folder = "Done"'
    return IngestScene.at(folder, url, lines)


def cases() -> list[tuple[str, Case]]:
    """Every case, with the name of its kind."""
    chance = random.Random(20260901)
    found = [("killed in a window", killed(where, nth, "127.0.0.1")) for where, nth in WINDOWS]
    found += [
        (NO_MOVE, killed(where, 1, BARE))
        for where, nth in WINDOWS if nth == 1
    ]  # fmt: skip
    for _ in range(INSTANTS):
        at = str(chance.randrange(LONGEST_MS))
        found.append(("killed at an instant", killed("at", int(at), "127.0.0.1")))
    for how in How:
        name = f"connection: {how.name.lower()}"
        if how is not How.LOSE:
            found += [(name, broken(Trouble(how, after=after))) for after in PLACES]
        found += [(name, broken(Trouble(how, at=word))) for word in WORDS]
        found.append((name, broken(*[Trouble(how, at=b"MOVE")] * 3)))
    return found


def count_faults(account: Account, folder: Path, host: str) -> tuple[int, int, int]:
    """Run once more; count what is lost, what is there twice, and what is half-written."""
    scene = scene_for(account, folder, account.url(host=host))
    scene.ingest()
    there = Counter(item.sha256 for item in scene.attachments())
    subjects = Counter(item.subject for item in scene.submissions())
    done = Counter(account.mailbox("Done").values()) + Counter(account.mailbox().values())
    lost = twice = 0
    pairs: tuple[tuple[Counter[Any], Counter[Any]], ...] = (
        (there, WHOLE), (subjects, Counter(["one", "two", "three"])), (done, Counter(MAILS)),
    )  # fmt: skip
    for have, want in pairs:
        lost += (want - have).total()
        twice += (have - want).total()
    lost += sum(scene.original(sha256) is None for sha256 in WHOLE)
    lost += len(account.mailbox())  # not moved
    return lost, twice, len(list(folder.rglob("*.part")))


def main() -> int:
    os.environ["FOOTAGE_IMAP_PASSWORD"] = PASSWORD
    imap.PAUSES_S, imap.PIECE = (0.0, 0.0, 0.0, 0.0), 5000
    connection.ANSWER_S, connection.PATIENCE_S = 0.4, 1.0
    counts: dict[str, list[int]] = {}
    server = Dovecot()
    try:
        for kind, case in cases():
            account = server.account()
            account.append(MAILS)
            with tempfile.TemporaryDirectory() as folder:
                happened = case(account, Path(folder))
                host = BARE if kind == NO_MOVE else "127.0.0.1"  # another host is another account
                figures = (1, int(happened), *count_faults(account, Path(folder), host))
            row = counts.setdefault(kind, [0] * 5)
            counts[kind] = [old + new for old, new in zip(row, figures, strict=True)]
    finally:
        server.stop()
    print("ingest, after the next run:    cases  met   lost  twice  .part left")
    for kind, (number, met, lost, twice, left) in counts.items():
        print(f"  {kind:28} {number:5} {met:5} {lost:5} {twice:5} {left:8}")
    total = [sum(column) for column in zip(*counts.values(), strict=True)]
    print(f"  {'all':28} {total[0]:5} {total[1]:5} {total[2]:5} {total[3]:5} {total[4]:8}")
    return int(any(total[2:]))


if __name__ == "__main__":
    sys.exit(main())
