"""Ctrl-C and SIGTERM end a run at once and cleanly; the next one goes on where it was."""

from __future__ import annotations

import hashlib
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import CommandScene, Said, begin, config, make
from support.waiting import INTERRUPTIBLE, still_running

from pipeline.commands import nightly
from pipeline.errors import Stopping
from pipeline.run import Run

OUTPUT = '[[output]]\nname = "wide"\nsize = "640x360"\nfps = 30\nquality = "high"\n'
SETTINGS = (
    '[process]\nworkers = 2\nstill_seconds = 0.2\nstill_motion = "none"\n'
    "[review]\nrequired = false\n"
)


def photo(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """A film that takes long, and two photos; copy it to process them."""
    folder = tmp_path_factory.mktemp("long")
    film = make(
        folder,
        "film.mp4",
        *("-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=8"),
        *("-f", "lavfi", "-i", "sine=d=8", "-preset", "ultrafast", "-c:a", "aac"),
    )
    files = {"film.mp4": film, "red.png": photo("red"), "blue.png": photo("blue")}
    made = begin(folder / "campaign", {"three": files}, config(SETTINGS, outputs=OUTPUT))
    assert made.footage("ingest").code == 0
    return made


def interrupted(campaign: CommandScene, number: signal.Signals, command_name: str) -> Said:
    """How a command ended that was stopped by a signal during an encode."""
    command = [*INTERRUPTIBLE, sys.executable, "-m", "pipeline", command_name, "-v", "--json"]
    command += ["--config", str(campaign.folder / "config.toml")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        seen = {"encode": 0, "survey": 0}
        for line in process.stderr:
            purpose = line.partition(":")[0]
            if purpose in seen:
                seen[purpose] += 1
            if seen["encode"] == 2 and seen["survey"]:
                break
        process.send_signal(number)
        err = process.stderr.read()
        code = process.wait()
        return Said(code, process.stdout.read(), err)


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "process"), (signal.SIGTERM, "run")])
def test_a_stopped_run_and_the_next_one(
    taken_in: CommandScene, tmp_path: Path, number: signal.Signals, name: str
) -> None:
    campaign = taken_in.copy(tmp_path)
    said = interrupted(campaign, number, name)
    assert said.code == 1
    sentence = "stopped; nothing is lost, run again to go on"
    assert said.err.splitlines()[-1] == f"footage: {sentence}"
    assert (said.data["exit_code"], said.data["error"]) == (1, sentence)
    assert "Traceback" not in said.err
    wanted = f'"command": "{name}"'
    (log,) = [log for log in (campaign.work / "logs").iterdir() if wanted in log.read_text()]
    ended = json.loads(log.read_text().splitlines()[-1])
    assert (ended["event"], ended["exit_code"], ended["error"]) == ("run-ended", 1, sentence)
    assert still_running(campaign.folder) == []

    now = campaign.footage("status", "--json").data
    totals = now["totals"]
    if name == "run":
        assert campaign.report["totals"] == totals, "the night has a report, as far as it went"
        assert now["report_is_older"] is False
    assert totals["accepted"] + totals["pending"] == 3
    assert totals["pending"] >= 1, "it did not wait for the film to be encoded"
    before = len(campaign.programs())
    assert campaign.footage("process").code == 0
    encodes = [p for p in campaign.programs()[before:] if p["purpose"] == "encode"]
    assert len(encodes) == totals["pending"]
    assert list(campaign.work.rglob("*.part")) == []
    assert campaign.footage("report").code == 0
    assert {row["status"] for row in campaign.rows.values()} == {"accepted"}


def test_a_night_that_can_not_write_an_original_has_a_report_and_a_backup(tmp_path: Path) -> None:
    data = photo("red")
    campaign = begin(tmp_path, {"red": {"red.png": data}}, config(SETTINGS, outputs=OUTPUT))
    in_the_way = campaign.work / "originals" / hashlib.sha256(data).hexdigest()[:2]
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    said = campaign.footage("run", "--json")
    assert (said.code, "could not be read or written: File exists" in said.err) == (1, True)
    assert {"report", "error"} <= said.data.keys()
    assert list((campaign.work / "backups").iterdir())


def test_a_night_that_has_no_time_for_its_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = begin(tmp_path, {"red": {"red.png": photo("red")}}, config(SETTINGS, outputs=OUTPUT))
    assert campaign.footage("run").code == 0
    index = campaign.work / "report" / "index.html"
    before = index.stat().st_mtime_ns

    def stopped(_run: Run) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nightly, "make_clips", stopped)
    monkeypatch.setattr(nightly, "_STOPPING_S", 1e-6)
    said = campaign.footage("run")
    assert said.code == 1
    assert "the report is from before this night" in said.err
    assert index.stat().st_mtime_ns == before
    assert campaign.footage("status", "--json").data["report_is_older"] is True
    assert "The report is from before the last night" in campaign.footage("status").out
    assert list(campaign.work.rglob("*.part")) == []
    assert campaign.footage("report").code == 0
    assert campaign.footage("status", "--json").data["report_is_older"] is False


# Runs the program, and sends it a signal when it first asks for a module, or when it flushes its
# last words.
EARLY_OR_LATE = """
import os, runpy, signal, sys

def interrupt():
    os.kill(os.getpid(), signal.Signals[number])

class Asked:
    def find_spec(self, name, *_):
        if name == moment:
            interrupt()

class Last:
    def flush(self):
        sys.__stdout__.flush()
        interrupt()
    def __getattr__(self, name):
        return getattr(sys.__stdout__, name)

moment, number = sys.argv.pop(1), sys.argv.pop(1)
sys.meta_path.insert(0, Asked())
if moment == "flush":
    sys.stdout = Last()
runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("moment", ["click", "pipeline.model", "pipeline.commands.status"])
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_stopped_while_the_program_is_loaded(tmp_path: Path, moment: str, number: str) -> None:
    said = early_or_late(tmp_path, moment, number)
    assert said.code == said.data["exit_code"] == 1
    assert said.err.strip() == f"footage: {Stopping()}"
    assert said.data["error"] == str(Stopping())


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_stopped_when_everything_was_said(tmp_path: Path, number: str) -> None:
    said = early_or_late(tmp_path, "flush", number)
    assert said.code == said.data["exit_code"] == 0


def early_or_late(folder: Path, moment: str, number: str) -> Said:
    campaign = begin(folder, {})
    campaign.footage("ingest")
    command = [*INTERRUPTIBLE, sys.executable, "-c", EARLY_OR_LATE, moment, number]
    command += ["status", "--json"]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, text=True, check=False)
    return Said(done.returncode, done.stdout, done.stderr)
