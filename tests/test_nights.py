"""What a night has room for: what is over waits by name, and nothing is refused or lost."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.command_scene import CommandScene, begin, config, mail
from support.ledger_scene import attachment, opened, settings, sha
from support.warm_taking import quick_taking

from pipeline.config import load
from pipeline.correspondence import Payer
from pipeline.ingest.quota import OverQuota, SenderQuota
from pipeline.ingest.take import Taken
from pipeline.ledger import Ledger
from pipeline.model import ClipResult, Note, Reason, Refusal, Review, Status, Submission, Wait
from pipeline.process import recipe, stage
from pipeline.process.night import NightBudget, NightLimits, end_after
from pipeline.store import WorkspaceFolder
from pipeline.texts import Detail

__all__ = ["quick_taking"]  # a fixture

_SLOW = Refusal(Reason.TIMEOUT, Detail.TOO_SLOW, {"seconds": 120})
_HALF = "[review]\nrequired = false\n[process]\nworkers = 1\nstill_seconds = 0.2\n"


def photo(number: int, side: int = 32) -> bytes:
    """A photo; the larger its side, the more bytes it has."""
    file = io.BytesIO()
    noise = np.random.default_rng(number).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def order(scene: CommandScene) -> Iterator[str]:
    """The names of the files, in the order in which the last run made their clips."""
    names = {row["sha256"]: name for name, row in scene.rows.items()}
    log = max((scene.work / "logs").iterdir())
    for event in map(json.loads, log.read_text().splitlines()):
        if event["event"] == "clip":
            yield names[event["sha256"]]


def test_sender_who_used_the_hours_waits_by_name(tmp_path: Path) -> None:
    """Each run makes one clip of a sender, whose hours are then used up."""
    many = {f"{number}.png": photo(number, 32 + number) for number in range(3)}
    text = config(_HALF + "max_hours_per_sender = 0.00001\n")
    scene = begin(tmp_path, {"many": many, "one": {"other.png": photo(9, 90)}}, text)

    first = scene.footage("run", "--json")

    assert first.code == 0
    assert scene.rows["other.png"]["status"] == scene.rows["0.png"]["status"] == "accepted"
    waiting = {name for name, row in scene.rows.items() if row["waits"] == "sender-hours"}
    assert waiting == {"1.png", "2.png"}
    assert {scene.rows[name]["status"] for name in waiting} == {"pending"}
    assert {each["why"] for each in first.data["process"]["waits"]} == {"sender-hours"}
    said = "2 clips wait for the next run: sender 1 (s…@e….org) has used the 0.00001 hours of a run"
    assert said in first.err
    assert said in scene.footage("status").out
    assert len(scene.footage("status", "--json").data["waits"]) == 2
    for left in (1, 0):
        scene.footage("run")
        assert scene.report["totals"]["pending"] == left
    assert scene.report["totals"]["accepted"] == 4
    assert scene.footage("status", "--json").data["waits"] == []


def test_sender_over_the_quota_of_bytes_waits_in_the_inbox(tmp_path: Path) -> None:
    """The first mail always comes in, so that no mail waits for ever."""
    text = config(_HALF + "[workspace]\nmax_gb_per_sender = 0.000001\n")
    mails = {f"mail {number}": {f"{number}.png": photo(number)} for number in range(3)}
    scene = begin(tmp_path, mails, text)
    second = tmp_path / "inbox/001.eml"
    second.write_bytes(second.read_bytes().replace(b"sender1@", b"Sender0@"))

    first = scene.footage("run", "--json")

    assert first.code == 1
    assert set(scene.rows) == {"0.png", "2.png"}
    said = (
        "1 mail of sender 1 (s…@e….org): over the 0.000001 GB that a sender may bring in during "
        "a run."
    )
    assert f"{said} Left for the next run: 001.eml" in first.err
    assert [mail["uid"] for mail in first.data["left"]] == ["001.eml"]
    assert "Left in the inbox: file 001.eml, " in scene.footage("status").out
    (waits,) = scene.report["inbox"]["mails"]
    assert (waits["name"], waits["why"]) == ("001.eml", "sender-quota")
    assert (waits["sender"], waits["sender_number"]) == ("sender 1 (s…@e….org)", 1)
    assert waits["size"] == second.stat().st_size
    assert scene.report["inbox"]["not_read"] == []
    last = (scene.work / "report/mails.csv").read_text("utf-8-sig").splitlines()[-1]
    assert '"sender 1 (s…@e….org)"' in last
    assert last.endswith(f'"sender-quota","001.eml","{waits["size"]}"')
    assert scene.footage("ingest", "--dry-run").code == 0
    assert scene.footage("run").code == 0
    assert scene.report["inbox"]["mails"] == []
    assert {row["status"] for row in scene.rows.values()} == {"accepted"}
    assert len(scene.rows) == 3


def test_the_limit_of_a_sender_cannot_be_passed_by_words_or_without_an_address(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(config(_HALF + "[workspace]\nmax_gb_per_sender = 0.000001\n"))
    quota = SenderQuota(load(path))

    def enter(number: int, sender: str, *notes: Note, size: int = 900) -> bool:
        at = "2026-09-01T08:00:00Z"
        taken = Taken(Submission(f"s{number}", "", sender, "", "", at, notes), (), "", size)
        try:
            quota.check(taken)
        except OverQuota:
            return False
        quota.add(taken)
        return True

    assert enter(1, "a@x.org", Note.NO_RECEIPT), "with a second sender, who may be the writer"
    assert enter(2, "a@x.org"), "the owner of the address has all of it"
    assert enter(3, "a@x.org", Note.TAKES_BACK), "it holds what the sender sent"
    assert not enter(4, "a@x.org", Note.TAKES_BACK), "a second one adds nothing to that"
    assert enter(5, "a@x.org", Note.TAKES_BACK, size=0)
    assert enter(8, "a@x.org", Note.AFTER_CONSENT), "it may limit what the sender agreed to"
    assert not enter(9, "a@x.org", Note.AFTER_CONSENT)
    assert enter(6, "", Note.BOUNCE)
    assert not enter(7, "", Note.BOUNCE)
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert "1 mail of senders without an address: over" in quota.sentence(ledger)


def test_a_forger_uses_up_nothing_of_the_owner_of_the_address(tmp_path: Path) -> None:
    text = config(
        _HALF + "max_hours_per_sender = 0.00001\n[workspace]\nmax_gb_per_sender = 0.000003\n"
    )
    text = text.replace('url = "eml:inbox"', 'url = "eml:inbox"\nauthserv_id = "mx.example.org"')
    mails = {f"mail {number}": {f"{number}.png": photo(number, 20 + number)} for number in range(4)}
    scene = begin(tmp_path, mails, text)
    for number, path in enumerate(sorted((tmp_path / "inbox").glob("*.eml"))):
        said = "fail" if number < 3 else "pass"
        field = b"Authentication-Results: mx.example.org; dmarc=%s\r\n" % said.encode()
        path.write_bytes(field + path.read_bytes().replace(b"sender%d@" % number, b"ada@"))

    first = scene.footage("run")

    assert first.code == 1
    assert "mail of sender 1 (a…@e….org) (perhaps forged): over the 0.000003 GB" in first.err
    assert [*order(scene)] == ["0.png", "3.png"]
    assert scene.rows["1.png"]["waits"] == "sender-hours"


def test_small_comes_first_and_trouble_last(tmp_path: Path) -> None:
    sides = {"large.png": 120, "small.png": 20, "middle.png": 60}
    scene = begin(tmp_path, {"a": {n: photo(s, s) for n, s in sides.items()}}, config(_HALF))
    scene.footage("ingest")
    scene.footage("report")
    small = scene.rows["small.png"]["sha256"]
    with Ledger(scene.work / "ledger.db") as ledger:
        ledger.clips.record(ClipResult(small, "", Status.FAILED, _SLOW))
    assert scene.footage("retry").code == 0

    scene.footage("process")

    assert [*order(scene)] == ["middle.png", "large.png", "small.png"]


@pytest.mark.parametrize(("refusal", "times"), [
    (Refusal(Reason.TIMEOUT, Detail.STARVED, {"minutes": 62}), 2),
    (Refusal(Reason.INTERNAL, Detail.KILLED, {"signal": "SIGTERM"}), 2),
    (_SLOW, 0),
])  # fmt: skip
def test_what_failed_because_of_the_machine_is_tried_again_but_not_for_ever(
    tmp_path: Path, refusal: Refusal, times: int
) -> None:
    """By each run, until all attempts are made; a film that somebody waits for does not wait."""
    settled = settings(tmp_path)
    with opened(settled.root) as scene:
        scene.mail(attachment("film"))
        ((item, mail_of_it),) = scene.ledger.clips.candidates()
        wanted = recipe.choose(settled, item, mail_of_it, Review())
        scene.workspace.original(sha("film")).parent.mkdir(parents=True)
        scene.workspace.original(sha("film")).touch()
        holds = WorkspaceFolder(scene.workspace).holds
        again = []
        for _ in range(settled.cluster.attempts):
            failed = ClipResult(sha("film"), wanted.key, Status.FAILED, refusal)
            scene.ledger.clips.record(failed)
            again.append(bool(stage.plan(settled, scene.ledger, holds).missing))
            assert not stage.plan(settled, scene.ledger, holds, [sha("film")]).missing
        assert again == [number < times for number in range(settled.cluster.attempts)]
        scene.ledger.clips.forget([sha("film")])
        assert scene.ledger.clips.attempts() == {}


def test_full_disk_stops_mail_before_clips(tmp_path: Path) -> None:
    scene = begin(tmp_path, {"a": {"a.png": photo(1)}}, config(_HALF))
    path = scene.folder / "config.toml"
    roomy = path.read_text()
    little = roomy + "[workspace]\nmin_free_gb = 1e9\n"
    path.write_text(little)

    stopped = scene.footage("run", "--json")

    assert stopped.code == 1
    assert "less than 1,000,000,000 GB are free on the disk: make room." in stopped.err
    assert [mail["why"] for mail in stopped.data["left"]] == ["disk"]
    assert scene.report["clips"] == []
    assert [mail["why"] for mail in scene.report["inbox"]["mails"]] == ["disk"]
    assert scene.report["inbox"]["not_read"] == [""]

    # as long as clips may be made, small mails with words alone come in
    free = shutil.disk_usage(tmp_path).free / 1e9
    path.write_text(f"{roomy}[workspace]\nmin_free_gb = {2 * free}\n")
    (tmp_path / "inbox/001.eml").write_bytes(mail(1, "Please delete my photo", {}).as_bytes())
    takes_back = mail(2, "Please delete my photo", {"b.png": photo(2)}).as_bytes()
    (tmp_path / "inbox/002.eml").write_bytes(takes_back)
    (tmp_path / "inbox/003.eml").write_bytes(mail(3, "x" * 66_000, {}).as_bytes())
    words = scene.footage("ingest", "--json")
    assert words.code == 1
    assert [(each["uid"], each["why"]) for each in words.data["left"]] == [
        ("000.eml", "disk"), ("003.eml", "disk"),
    ]  # fmt: skip
    assert words.data["ingest"]["mails"] == 2

    for name in ("001", "002", "003"):
        (tmp_path / f"inbox/{name}.eml").unlink()
    path.write_text(roomy)
    assert scene.footage("ingest").code == 0
    path.write_text(little)
    waits = scene.footage("process")
    assert waits.code == 0
    assert "2 clips wait for the next run: less than 500,000,000 GB are free" in waits.err
    scene.footage("report")
    assert scene.rows["a.png"]["waits"] == "disk"

    path.write_text(roomy)
    assert scene.footage("run").code == 0
    assert scene.rows["a.png"]["status"] == "accepted"
    assert scene.rows["a.png"]["waits"] is None

    # nobody knows yet whether a mail that waits takes back what a film would show
    (tmp_path / "inbox/003.eml").write_bytes(mail(3, "x" * 66_000, {}).as_bytes())
    path.write_text(f"{little}[montage]\nautomatic = true\n")
    for call in (("run",), ("render",), ("export", "--format", "edl")):
        said = scene.footage(*call)
        assert said.code == 1
        assert "1 mail or file waits in an inbox" in said.err, call
        assert not list((scene.work / "montage").iterdir()), call


@pytest.mark.parametrize(
    ("begun", "until", "end"),
    [
        ("2026-09-01T22:00", "06:00", "2026-09-02T06:00"),
        ("2026-09-02T03:00", "06:00", "2026-09-02T06:00"),
        ("2026-09-02T06:00", "06:00", "2026-09-03T06:00"),
        ("2026-09-02T09:13:44", "09:13", "2026-09-03T09:13"),
        ("2026-09-02T07:30", "23:15", "2026-09-02T23:15"),
    ],
)
def test_night_ends_when_the_clock_shows_it_next(begun: str, until: str, end: str) -> None:
    since, expected = (datetime.fromisoformat(each).astimezone() for each in (begun, end))
    assert end_after(since, until) == expected


def test_no_clip_is_begun_after_the_end() -> None:
    end = datetime(2026, 9, 2, 6, tzinfo=UTC)
    moments = iter([end - timedelta(seconds=1), end])
    night = NightBudget(NightLimits(ends=end), {}, lambda: next(moments), lambda: 0)

    assert night.begin("a")
    assert not night.begin("b")
    assert night.waits == {"b": Wait.NIGHT_OVER}


def test_sender_that_is_not_known_has_no_limit_of_hours() -> None:
    """As of files that lie in a folder: they are no one person's."""
    night = NightBudget(
        NightLimits(sender_s=1e-9), {"c": Payer("x")}, lambda: datetime.now(UTC), lambda: 0
    )
    assert all(night.begin(each) for each in ("a", "b", "c"))
