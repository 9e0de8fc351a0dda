"""A big night with everything against it, and an account of every single attachment.

    .venv/bin/python -m bench.big_night [MAILS [SEED]]

Twice as many attachments as mails, one in ten hostile, from a Dovecot behind a proxy that cuts and
stalls.  The night is killed while it takes mail in, while it makes clips and while it makes the
montage, and ended by SIGTERM once; then it runs to its end.  Then every attachment of the
generator's list must have its row, its outcome and its bytes, once; no planted place may be outside
of ``originals``; nothing temporary may be left.  Prints a table, and exits 1 if anything is not so.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.dovecot import PASSWORD, Account, Dovecot
from support.planted.needles import Needles
from support.proxy import How, Trouble, troubled

from bench._night import Stop, footage, left_behind
from bench._night_mails import Letter, Post, Sent, Writer

MOST_MB = 300
MOST_STOP_S = 10.0
DONE = "Done"
CONFIG = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
[inbox]
url = "{url}"
processed_folder = "Done"
[workspace]
min_free_gb = 0
[process]
still_seconds = 0.2
still_motion = "none"
[review]
required = false
[montage]
automatic = true
[[output]]
name = "small"
size = "64x64"
fps = 25
quality = "draft"
"""
TROUBLES: tuple[Trouble, ...] = (
    Trouble(How.CUT, after=30_000),
    Trouble(How.STALL, after=600_000),
    Trouble(How.RESET, after=200_000),
    Trouble(How.LOSE, at=b"BODY.PEEK"),
    Trouble(How.CUT, at=b"FETCH"),
    Trouble(How.RESET, after=1_500_000),
    Trouble(How.CUT, after=900_000),
    Trouble(How.LOSE, at=b"MOVE"),
    Trouble(How.CUT, at=b"MOVE"),
    Trouble(How.STALL, at=b"MOVE"),
)

Row = dict[str, Any]


@dataclass
class Balance:
    """What became of everything that was sent, by its kind, and what is wrong."""

    outcomes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    inside: int = 0  # rows of what hostile archives held
    kept: int = 0
    faults: list[str] = field(default_factory=list)

    def book(self, sent: Sent, row: Row | None) -> None:
        """Write down what became of one attachment."""
        end = "missing" if row is None else _end(row)
        self.outcomes[sent.kind][end] += 1
        if end not in {*sent.ends, "duplicate"}:
            self.faults.append(f"{sent.kind} {sent.name} {sent.sha256[:12]}: {end}")


def _end(row: Row) -> str:
    """How a row ended: a status, or the reason of a refusal."""
    status = str(row["status"])
    return str(row["reason"]["code"]) if status == "rejected" else status


# --- the night ---


class RunLog:
    """The log of the run that began last, of which the events are counted."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._older = 0

    def begin(self) -> None:
        """A run begins now: the logs that are there are those of other runs."""
        self._older = len(self._logs())

    def count(self, name: str) -> int:
        """How many events of a kind it has."""
        logs = self._logs()[self._older :]
        return logs[-1].read_bytes().count(f'"event": "{name}"'.encode()) if logs else 0

    def _logs(self) -> list[Path]:
        return sorted((self._work / "logs").glob("*.jsonl"))


def stops(log: RunLog, work: Path, mails: int) -> list[tuple[str, Stop | None]]:
    """How each run of the night ends, in order."""

    def reached(name: str, count: int) -> Callable[[], bool]:
        return lambda: log.count(name) >= count

    def renders() -> bool:
        scratch = [*(work / "montage").glob("*.part"), *(work / "cache").rglob("*.part")]
        return bool(scratch) and log.count("report") > 0

    return [
        ("SIGKILL while it takes mail in", Stop(signal.SIGKILL, reached("mail", mails // 3))),
        ("SIGKILL while it makes clips", Stop(signal.SIGKILL, reached("clip", mails // 2))),
        ("SIGTERM while it makes clips", Stop(signal.SIGTERM, reached("clip", mails // 3))),
        ("SIGKILL while it makes the montage", Stop(signal.SIGKILL, renders)),
        ("to its end", None),
    ]


def live_through(folder: Path, mails: int) -> list[str]:
    """Run the whole night; return what did not go as it must."""
    faults = []
    env = {"TMPDIR": str(folder / "temporary")}
    log = RunLog(folder / "work")
    for name, stop in stops(log, folder / "work", mails):
        log.begin()
        use = footage(folder, "run", env=env, stop=stop)
        ended = "" if use.stop_s is None else f", ended {use.stop_s:.1f} s after the signal"
        print(
            f"{name:36} exit {use.code:4}, {use.wall:6.0f} s, {use.cpu:6.0f} s CPU, "
            f"peak {use.peak_mb:4.0f} MB{ended}",
            flush=True,
        )
        if stop is None and use.code:
            faults.append(f"the last run: exit {use.code}: {use.err[-500:]}")
        if use.stop_s is not None and use.stop_s > MOST_STOP_S:
            faults.append(f"{name}: it ended {use.stop_s:.1f} s after the signal")
        if stop is not None and use.stop_s is None:
            faults.append(f"{name}: it ended before, exit {use.code}: {use.err[-500:]}")
        if use.peak_mb > MOST_MB:
            faults.append(f"{name}: {use.peak_mb:.0f} MB")
    for command in ("verify", "doctor"):
        use = footage(folder, command, env=env)
        print(f"footage {command:28} exit {use.code:4}, {use.wall:6.0f} s", flush=True)
        if use.code:
            faults.append(f"footage {command}: exit {use.code}: {use.out[-800:]}{use.err[-500:]}")
    return faults


# --- the account ---


def balance(post: Post, work: Path) -> Balance:
    """Compare the report with what was sent."""
    report = json.loads((work / "report" / "report.json").read_text())
    found = Balance()
    submissions: dict[str, list[Row]] = defaultdict(list)
    rows: dict[str, list[Row]] = defaultdict(list)
    for submission in report["submissions"]:
        submissions[submission["message_id"]].append(submission)
    for row in report["clips"]:
        rows[row["submission"]].append(row)
    for letter in post.letters:
        same = submissions.pop(letter.message_id, [])
        if len(same) != 1:
            found.faults.append(f"{letter.message_id}: {len(same)} submissions")
        if same:
            missing = letter.notes - {*same[0]["notes"]}
            found.faults += [f"{letter.message_id}: no note {note}" for note in missing]
        _book_letter(found, letter, rows[same[0]["id"]] if same else [])
    found.faults += [f"a submission that nobody sent: {each}" for each in submissions]
    _book_duplicates(found, post, report["clips"])
    _book_originals(found, post, work, report["clips"])
    return found


def _book_letter(found: Balance, letter: Letter, rows: list[Row]) -> None:
    opened = {each.sha256 for each in letter.sent if each.opens}
    left = list(rows)
    for sent in sorted(letter.sent, key=lambda each: not each.whole):
        fits = [row for row in left if row["sha256"] == sent.sha256]
        if not fits and not sent.whole:  # of what was cut off any row may be
            fits = [row for row in left if row["parent"] not in opened]
        found.book(sent, fits[0] if fits else None)
        if fits:
            left.remove(fits[0])
    grown = True
    while grown:  # archives in archives
        inner = {row["sha256"] for row in left if row["parent"] in opened} - opened
        opened |= inner
        grown = bool(inner)
    for row in left:
        if row["parent"] in opened:
            found.inside += 1
        else:
            found.faults.append(f"a row that nobody sent: {row['filename']} {_end(row)}")


def _book_duplicates(found: Balance, post: Post, rows: list[Row]) -> None:
    """Of equal bytes one row has the outcome, and the others point to it."""
    times = Counter(each.sha256 for each in post.sent if each.whole)
    for sha256, count in times.items():
        ends = [_end(row) for row in rows if row["sha256"] == sha256]
        if ends.count("accepted") > 1 or (count == 1 and "duplicate" in ends):
            found.faults.append(f"{sha256[:12]}, sent {count} times: {ends}")


def _book_originals(found: Balance, post: Post, work: Path, rows: list[Row]) -> None:
    """What is kept has the bytes that were sent, and all that was accepted is kept."""
    kept = set()
    for path in (work / "originals").rglob("*"):
        if path.is_file():
            kept.add(path.name)
            if hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
                found.faults.append(f"{path.name}: its bytes have changed")
    sent = {each.sha256 for each in post.sent}
    known = sent | {row["sha256"] for row in rows}
    found.faults += [f"an original that nobody sent: {name}" for name in kept - known]
    found.kept = len(kept & sent)
    media = [row for row in rows if row["status"] == "accepted" and row["outputs"]]
    found.faults += [
        f"{row['filename']}: accepted, and there is no original"
        for row in media
        if row["sha256"] not in kept
    ]
    found.faults += [
        f"{row['filename']} {row['sha256'][:12]}: accepted, and there is no clip"
        for row in rows
        if row["status"] == "accepted" and row["kind"] != "archive" and not row["outputs"]
    ]


def mail_faults(post: Post, account: Account) -> list[str]:
    """Every mail is on the server as often as it was sent, and moved if all of it came."""
    moved = Counter(account.mailbox(DONE).values())
    stayed = Counter(account.mailbox().values())
    sent = Counter({letter.raw: letter.copies for letter in post.letters})
    there = moved + stayed
    faults = []
    if sent - there:
        faults.append(f"{(sent - there).total()} mails are lost on the server")
    if there - sent:
        faults.append(f"{(there - sent).total()} mails are twice on the server")
    whole = {letter.raw for letter in post.letters if letter.whole}
    if still := sum(count for raw, count in stayed.items() if raw in whole):
        faults.append(f"{still} whole mails were not moved")
    print(f"mails on the server: {moved.total()} moved, {stayed.total()} left, {len(there)} kinds")
    return faults


def leaks(post: Post, work: Path) -> Iterator[str]:
    """Every file outside of the originals that holds a place which was planted."""
    needles = Needles(post.needles)
    for path in sorted(work.rglob("*")):
        name = path.relative_to(work)
        if name.parts[0] == "originals" or not path.is_file():
            continue
        if hits := needles.within(path.read_bytes()) | needles.within(str(name).encode()):
            yield f"{name} holds {sorted(hits)[:3]}"


def table(found: Balance) -> Iterator[str]:
    """The outcomes of each kind of attachment."""
    ends = Counter(
        {end: count for counts in found.outcomes.values() for end, count in counts.items()}
    )
    for counts in found.outcomes.values():
        ends.update(dict.fromkeys(counts, 0))
    names = sorted(ends, key=lambda end: (end not in ("accepted", "duplicate"), end))
    yield (
        "kind".ljust(20)
        + "sent".rjust(6)
        + "".join(f"{name:>{max(9, len(name) + 2)}}" for name in names)
    )
    total: Counter[str] = Counter()
    for kind, counts in sorted(found.outcomes.items()):
        total += counts
        yield _table_line(kind, counts, names)
    yield _table_line("all", total, names)


def _table_line(kind: str, counts: Counter[str], names: list[str]) -> str:
    cells = (f"{counts[name] or '':>{max(9, len(name) + 2)}}" for name in names)
    return f"{kind:20}{counts.total():6}" + "".join(cells)


def main() -> int:
    os.environ["FOOTAGE_IMAP_PASSWORD"] = PASSWORD
    numbers = [int(word) for word in sys.argv[1:]]
    mails, seed = (*numbers, *(1000, 1)[len(numbers) :])
    server = Dovecot()
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "temporary").mkdir()
            (folder / "secret.txt").write_text("a secret\n")
            post = Writer(seed, folder).write(mails, 2 * mails)
            account = server.account()
            account.append(letter.raw for letter in post.letters for _ in range(letter.copies))
            with troubled(server.port, *TROUBLES) as proxy:
                url = account.url(scheme="imap", port=proxy.port)
                (folder / "config.toml").write_text(CONFIG.format(url=url))
                faults = live_through(folder, mails)
                print(f"connections to the mail server: {proxy.connections}")
            work = folder / "work"
            found = balance(post, work)
            faults += [*found.faults, *mail_faults(post, account), *leaks(post, work)]
            left = [*left_behind(work), *(folder / "temporary").rglob("*")]
            faults += [f"left behind: {path.relative_to(folder)}" for path in left]
    finally:
        server.stop()
    print(f"{mails} mails, {len(post.sent)} attachments, {len(post.needles)} places planted")
    print(*table(found), sep="\n")
    print(f"originals kept {found.kept}; rows of what hostile archives held {found.inside}")
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"faults: {len(faults)}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
