"""A small night with everything in it, what it must come to, and what a fault may not do to it.

Two mails lie in a mailbox of a real Dovecot.  A run takes them in, makes clips, the report, a
backup and a montage, sends receipts and notices.  Places are planted in pictures, names and words.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from PIL import Image

from pipeline.publishing import PART, sha256_of
from support.command_scene import config, mail
from support.dovecot import PASSWORD, Account, Dovecot
from support.faulty_doors import HOWS, Fault
from support.faulty_run import FaultyRuns, Kill, Plan, RunEnd
from support.listeners import MailListener, mail_listener, web_listener

T = TypeVar("T")

NEEDLES = (b"51,59.2590N", b"7,7.4070E", b"51.98765")
PLACE = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="51,59.2590N" '
    'exif:GPSLongitude="7,7.4070E"/></rdf:RDF></x:xmpmeta>'
)
SETTINGS = """processed_folder = "Done"
[workspace]
min_free_gb = {free}
[process]
workers = 1
still_seconds = 0.2
still_motion = "none"
[review]
required = false
[montage]
automatic = true
opening_card = "Hello"
closing_card = false
[smtp]
url = "smtp://localhost:{port}"
from = "submissions@example.org"
[receipts]
send = true
[notify]
ping = "{web}"
prometheus = "night.prom"
command = ["true"]
mail = ["team@example.org"]
"""
OUTPUT = '[[output]]\nname = "tiny"\nsize = "64x64"\nfps = 24\nquality = "draft"\n'
CLIP_FAILED = 3
DONE = (0, CLIP_FAILED)
# where a program that ends with an error means that the footage is broken: it is refused, and kept
MEANS_BROKEN = {"media/probe.py:probe", "process/clip.py:_encode"}
# a contact sheet shows a plain picture where a still can't be read
BY_DESIGN = {"render/sheet.py:_still": "film: 1 lost, 1 too many"}
COMMANDS = {"intake": "ingest", "clips": "process", "film": "run"}
"""The acts of a night, each with the command that ends it; the last one does the rest."""
LONGEST_STOP_S = 10.0  # from SIGTERM to the end of a run


def photo(colour: str) -> bytes:
    """A picture with a place in its XMP."""
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "JPEG", xmp=PLACE.encode())
    return data.getvalue()


FILES = [
    {"IMG_51.98765N_7.12345E.jpg": photo("red"), "page.html": b"<html>51,59.2590N"},
    {"blue.jpg": photo("blue"), "again.jpg": photo("red")},
]
MAILS = [
    mail(number, f"mail {number} from 51.98765, 7.12345", files).as_bytes()
    for number, files in enumerate(FILES)
]
ORIGINALS = {hashlib.sha256(data).hexdigest() for files in FILES for data in files.values()}


@dataclass(frozen=True)
class Case:
    """A workspace and its mailbox; ``seen`` is where this process finds ``folder`` of the runs."""

    account: Account
    folder: Path
    seen: Path

    @property
    def work(self) -> Path:
        """The workspace."""
        return self.seen / "work"

    def plan(self, *command: str, fault: Fault | None = None, kill: Kill | None = None) -> Plan:
        """A run of a command."""
        arguments = (*command, "--quiet", "--config", str(self.folder / "config.toml"))
        return Plan(arguments, fault or Fault(), kill or Kill())

    def files(self) -> Iterator[tuple[str, Path]]:
        """All files, with their names from the workspace's parent."""
        for path in self.seen.rglob("*"):
            if path.is_file():
                yield path.relative_to(self.seen).as_posix(), path

    def names(self) -> set[str]:
        """The names of all files that are equal after equal nights."""
        changing = (
            "work/logs/",
            "work/heads/",
            "work/backups/",
            "work/ledger.db-",
            "work/cache/notes",
        )
        return {name for name, _ in self.files() if not name.startswith(changing)}

    def published(self) -> Counter[tuple[str, str]]:
        """The films and stills that people get, with their hashes."""
        return Counter(
            (name, sha256_of(path))
            for name, path in self.files()
            if name.startswith(("work/clips/", "work/montage/"))
            and name.endswith((".mp4", ".jpg"))
            and PART not in name
        )

    def rows(self) -> Counter[tuple[str, ...]]:
        """The mails and attachments that the ledger has, and why some were refused."""
        return self._recorded(
            "SELECT s.subject, coalesce(a.sha256, ''), coalesce(a.reason, '')"
            " FROM submission s LEFT JOIN attachment a ON a.submission = s.id"
        )

    def films(self) -> set[str]:
        """The hashes of the montages that were verified, as the ledger has them."""
        return {sha256 for (sha256,) in self._recorded("SELECT sha256 FROM montage")}

    def _recorded(self, sql: str) -> Counter[tuple[str, ...]]:
        with tempfile.TemporaryDirectory() as folder:
            # a copy, because whoever closes a ledger last changes its files
            for path in self.work.glob("ledger.db*"):
                shutil.copy(path, folder)
            with closing(sqlite3.connect(Path(folder, "ledger.db"))) as db:
                tables = "SELECT 1 FROM sqlite_master WHERE name = 'attachment'"
                if not db.execute(tables).fetchone():
                    return Counter()  # the run ended before the ledger was made
                return Counter(tuple(row) for row in db.execute(sql).fetchall())

    def shown_places(self) -> list[str]:
        """The files outside the originals that hold a planted place."""
        return [
            name
            for name, path in self.files()
            if not name.startswith("work/originals/")
            and any(needle in path.read_bytes() for needle in NEEDLES)
        ]


@dataclass(frozen=True)
class Point:
    """A use of a door in a night without a fault: the *nth* of *uses* by *place*, in an act."""

    act: str
    door: str
    place: str
    nth: int
    uses: int


@dataclass(frozen=True)
class Try:
    """A fault at a point."""

    point: Point
    how: str

    def __str__(self) -> str:
        where = f"{self.point.door} {self.point.nth} of {self.point.uses} by {self.point.place}"
        return f"{self.how}: {where}"

    def plan(self, case: Case) -> Plan:
        """The run that meets it."""
        point = self.point
        return case.plan("run", fault=Fault(point.door, point.place, point.nth, self.how))


def tries(points: Sequence[Point]) -> list[Try]:
    """What is tried: all faults at the first use by each place, death and errors at the last."""
    return [
        Try(point, how)
        for point in points
        for how in HOWS[point.door]
        if point.nth == 1 or (point.nth == point.uses and how in ("die", "fail", "lost"))
        if not (how == "ended" and point.place in MEANS_BROKEN)
    ]


def thinned(all_tries: Sequence[Try], most: int) -> list[Try]:
    """At most so many, evenly over the night; 0 for all."""
    if not most or most >= len(all_tries):
        return list(all_tries)
    # the step is odd, so that every fault of a door has its turn
    return list(all_tries[:: len(all_tries) // most | 1])[:most]


class FaultyNights:
    """The servers and the prepared workspaces of many nights, until :meth:`stop`.

    ``acts`` are workspaces in which nothing, the intake, or the clips too are done; ``calm`` is
    what a night without a fault comes to.
    """

    def __init__(self, folder: Path, server: Dovecot, *, disk_size: int = 0) -> None:
        """*disk_size*: the runs have a disk of their own with so many bytes; 0: they have not."""
        os.environ["FOOTAGE_IMAP_PASSWORD"] = PASSWORD
        self._opened, self._server, self._count = ExitStack(), server, 0
        self.post: MailListener
        self.post, port = self._opened.enter_context(mail_listener())
        web = self._opened.enter_context(web_listener())
        free = 0 if disk_size else 0.001
        self._settings = SETTINGS.format(free=free, port=port, web=web.url)
        self._folder, self.disk = folder, folder / "disk"
        self.disk.mkdir()
        disk = self.disk if disk_size else None
        self.runs = FaultyRuns(folder / "log.txt", disk, disk_size)
        self._opened.callback(self.runs.stop)
        self.acts: dict[str, Case] = {}
        self.uses: dict[str, list[tuple[str, str]]] = {}
        try:
            self.calm = self._prepared()
        except BaseException:
            self.stop()
            raise

    def _prepared(self) -> Case:
        """Prepare the acts; the night at their end."""
        case = self.begin()
        for act, command in COMMANDS.items():
            self.acts[act] = case
            case = self._copied(case)
            self.uses[act], _ = self._traced(case, command)
        assert case.rows().total() == 4, case.rows()
        assert sum(name.endswith(".mp4") for name, _ in case.published()) == 3
        receipts = Counter(to for letter in self.post.envelopes for to in letter.rcpt_tos)
        assert receipts["sender0@example.org"] == receipts["sender1@example.org"] == 1, receipts
        return case

    def points(self) -> list[Point]:
        """The points of a night, each in the shortest act that has it, in the order of a night."""
        found: list[Point] = []
        known = set[tuple[str, str]]()
        for act in reversed(COMMANDS):
            uses = Counter(self.uses[act])
            found += [
                Point(act, *use, nth, uses[use])
                for use in uses
                if use not in known
                for nth in range(1, uses[use] + 1)
            ]
            known |= uses.keys()
        return found

    def _well(self, ended: RunEnd) -> None:
        log = (self._folder / "log.txt").read_text()
        assert (ended.code, ended.left) == (0, 0), f"{ended} {log}"

    def begin(self) -> Case:
        """A new mailbox with the mails, and a config; no run has begun."""
        account = self._server.account()
        account.append(MAILS)
        case = self._new(account)
        case.seen.mkdir()
        text = config(self._settings, inbox=account.url(scheme="imap"), outputs=OUTPUT)
        (case.seen / "config.toml").write_text(text)
        return case

    def case(self, act: str) -> Case:
        """A night that begins where the act does; "intake" has a mailbox of its own."""
        return self.begin() if act == "intake" else self._copied(self.acts[act])

    def _copied(self, case: Case) -> Case:
        copy = self._new(case.account)
        shutil.copytree(case.seen, copy.seen)
        return copy

    def _new(self, account: Account) -> Case:
        self._count += 1
        folder = self.disk / str(self._count)
        return Case(account, folder, self.runs.seen(folder))

    def _traced(self, case: Case, command: str) -> tuple[list[tuple[str, str]], float]:
        """Run a command without a fault; each use of a door, in order, and how long it took."""
        trace = self._folder / f"trace-{command}"
        ended = self.runs.run(replace(case.plan(command), trace=str(trace)))
        self._well(ended)
        uses = [line.partition(" ") for line in trace.read_text().splitlines()]
        return [(door, place) for door, _, place in uses], ended.seconds

    def whole(self) -> tuple[int, float]:
        """Run a whole night without a fault: how often it uses a door, and how long it takes."""
        case = self.begin()
        uses, seconds = self._traced(case, "run")
        broken = self._broken_at_end(case)
        assert not broken, broken
        self.forget(case)
        return len(uses), seconds

    def forget(self, case: Case) -> None:
        """Delete a case, which takes room."""
        shutil.rmtree(case.seen)

    @contextmanager
    def little_room(self, room: int) -> Iterator[None]:
        """Leave so many bytes of the runs' own disk free, in whole pages."""
        ballast = self.runs.seen(self.disk) / "ballast"
        with ballast.open("wb") as file:
            found = os.fstatvfs(file.fileno())
            taken = found.f_bavail * found.f_frsize - room
            os.posix_fallocate(file.fileno(), 0, taken // found.f_frsize * found.f_frsize)
        try:
            yield
        finally:
            ballast.unlink()

    def tried_one(self, one: Try) -> tuple[list[RunEnd], list[str]]:
        """A night of its own with one fault."""
        case = self.case(one.point.act)
        ends, broken = self.tried(case, [one.plan(case)])
        return ends, [each for each in broken if each != BY_DESIGN.get(one.point.place)]

    def tried(
        self, case: Case, plans: Sequence[Plan], room: int | None = None
    ) -> tuple[list[RunEnd], list[str]]:
        """Do runs with a fault, and then one without; gives the promises that were broken.

        :param room: the bytes that are free on the disk meanwhile; None: all.
        """
        sent = len(self.post.envelopes)
        ends, broken = list[RunEnd](), list[str]()
        with nullcontext() if room is None else self.little_room(room):
            for plan in plans:
                ended = self.runs.run(plan)
                ends.append(ended)
                broken += [f"after the fault: {each}" for each in self._broken_now(case, ended)]
                is_stopped = "stop" in (plan.kill.victim, plan.fault.how)
                if is_stopped and ended.after_s > LONGEST_STOP_S:
                    broken.append(f"SIGTERM: it ended after {ended.after_s:.1f} s")
        broken += self._broken_at_end(case)
        receipts = Counter(to for letter in self.post.envelopes[sent:] for to in letter.rcpt_tos)
        broken += [
            f"{number} receipts" for to, number in receipts.items() if "sender" in to and number > 1
        ]
        self.forget(case)
        return ends, broken

    def _broken_at_end(self, case: Case) -> list[str]:
        """Run once more; the promises that do not hold then."""
        ended = self.runs.run(case.plan("run"))
        found = [] if ended.code in DONE else [f"the next run ended with {ended.code}"]
        if ended.code == CLIP_FAILED:  # as its last words say
            self.runs.run(case.plan("retry"))
            ended = self.runs.run(case.plan("run"))
            found += [f"with retry it ended with {ended.code}"] if ended.code else []
        found += self._broken_now(case, ended)
        there = Counter(case.account.mailbox("Done").values())
        found += _differing("row", case.rows(), self.calm.rows())
        found += _differing("film", case.published(), self.calm.published())
        found += _differing("mail", there, Counter(MAILS))
        found += [f"it is there: {name}" for name in case.names() - self.calm.names()]
        found += [f"it is not there: {name}" for name in self.calm.names() - case.names()]
        for command in (("verify",), ("doctor", "--repair", "--dry-run")):
            if self.runs.run(case.plan(*command)).code:
                found.append(f"ledger and disk differ ({command[0]})")
        return found

    def _broken_now(self, case: Case, ended: RunEnd) -> list[str]:
        """The promises that hold at any time, also while a run is dead."""
        found = [f"place in {name}" for name in case.shown_places()]
        published = case.published()
        extra = published - self.calm.published()
        if extra and any(sha256 in case.films() for _, sha256 in published):
            # a whole montage, without a clip that failed
            extra = Counter({key: 1 for key in extra if not key[0].startswith("work/montage/")})
        if extra:
            found.append(f"unverified: {sorted(extra)}")
        if ended.left:
            found.append(f"{ended.left} programs outlived the run")
        filed = Counter(case.account.mailbox("Done").values())
        found += _differing(
            "mail", filed + Counter(case.account.mailbox().values()), Counter(MAILS)
        )
        if filed == Counter(MAILS) and not self._is_safe(case):
            found.append("mails were moved whose footage is not safe")
        return found

    def _is_safe(self, case: Case) -> bool:
        """Whether the ledger and the disk have all that was sent."""
        recorded = {row[1] for row in case.rows()}
        return recorded >= ORIGINALS <= {path.name for _, path in case.files()}

    def stop(self) -> None:
        """End everything."""
        self._opened.close()


def _differing(name: str, there: Counter[T], wanted: Counter[T]) -> list[str]:
    """What is lost, and what is there too often."""
    lost, extra = (wanted - there).total(), (there - wanted).total()
    return [f"{name}: {lost} lost, {extra} too many"] if lost or extra else []
