"""Every ending is a sentence, an exit code, and with ``--json`` exactly one object."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support.command_scene import CommandScene, Said, begin, footage

from pipeline import errors
from pipeline.cli import cli
from pipeline.render.interchange import TimelineFormat
from pipeline.workspace import Workspace, hold

ROOT_OF_NOTHING = "/proc/footage"  # no process can make a folder there, whoever its user is


@pytest.fixture
def campaign(tmp_path: Path) -> CommandScene:
    return begin(tmp_path, {"hello": {"notes.txt": b"just words"}})


def only_object(text: str) -> dict[str, Any]:
    """The one JSON object that standard output must hold."""
    loaded = json.loads(text)
    assert isinstance(loaded, dict)
    return loaded


def check_failed(said: Said, code: int) -> str:
    """The sentence of an ending that was asked for as JSON."""
    facts = only_object(said.out)
    assert said.code == facts["exit_code"] == code
    sentence = facts["error"]
    assert isinstance(sentence, str)
    assert "None" not in sentence + said.err
    assert "Traceback" not in said.err
    assert sentence in said.err
    return sentence


def events(campaign: CommandScene) -> list[dict[str, Any]]:
    """The events of the newest run's log."""
    log = max((campaign.work / "logs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("words", [
    "run --nonsense --json", "--json run --nonsense", "run --json --nonsense", "nonsense --json",
    "--nonsense run --json", "--nonsense --json", "--json", "--json nonsense", "approve --json",
    "review --port many --json", "export --format paper --json", "export --json", "run -x --json",
    "decide /nowhere.json --json", "render --json --seconds 0", "status --json --config",
    "approve --json --by", "run --json now", "render --preview --seconds inf --json",
    "render --seconds nan --json",
])  # fmt: skip
def test_wrong_usage_is_one_object(words: str) -> None:
    check_failed(footage(*words.split()), 2)


@pytest.mark.parametrize(
    "words", ["approve --note --json", "--config --json", "run --jso", "add -- --json"]
)
def test_what_only_looks_like_the_option_is_none(words: str) -> None:
    """It is the value of another option, a file's name, or not whole."""
    said = footage(*words.split())
    assert (said.code, said.out) == (2, "")


@pytest.mark.parametrize("words", ["--help", "run --help", "--version", "--json --help"])
def test_help_stays_text(words: str) -> None:
    said = footage(*words.split())
    assert said.code == 0
    assert not said.out.startswith("{")


@pytest.mark.parametrize("fault", ["[nonsense]\n", "= =", "[workspace]\npath = 7\n"])
def test_a_faulty_config_is_one_object(campaign: CommandScene, fault: str) -> None:
    path = campaign.folder / "config.toml"
    path.write_text(path.read_text() + fault)
    check_failed(campaign.footage("run", "--json"), 2)
    path.unlink()
    assert str(path) in check_failed(campaign.footage("run", "--json"), 2)


@pytest.mark.parametrize("command", ["run", "ingest", "report", "purge"])
def test_a_workspace_that_cannot_be_made(campaign: CommandScene, command: str) -> None:
    path = campaign.folder / "config.toml"
    path.write_text(path.read_text() + f'[workspace]\npath = "{ROOT_OF_NOTHING}"\n')
    sentence = check_failed(campaign.footage(command, "--json"), 1)
    assert sentence.startswith(f"{ROOT_OF_NOTHING} could not be read or written: ")


def test_a_workspace_that_is_a_file(campaign: CommandScene) -> None:
    campaign.work.write_text("no folder")
    sentence = check_failed(campaign.footage("run", "--json"), 1)
    assert sentence.startswith(f"{campaign.work} could not be read or written: ")


@pytest.mark.parametrize("path", ["config.toml", ROOT_OF_NOTHING, "a" * 300])
def test_doctor_names_a_workspace_that_cannot_be_made(campaign: CommandScene, path: str) -> None:
    config = campaign.folder / "config.toml"
    config.write_text(config.read_text() + f'[workspace]\npath = "{path}"\n')
    said = campaign.footage("doctor", "--json")
    assert said.code == only_object(said.out)["exit_code"] == 1
    faults = [check["name"] for check in said.data["checks"] if not check["ok"]]
    assert "disk space" in faults


def test_a_report_that_cannot_be_written_and_the_log_says_so(campaign: CommandScene) -> None:
    assert campaign.footage("run").code == 0
    (campaign.work / "report" / "report.csv").unlink()
    (campaign.work / "report" / "report.csv").mkdir()
    sentence = check_failed(campaign.footage("run", "--json"), 1)
    ended = events(campaign)[-1]
    assert (ended["event"], ended["exit_code"], ended["error"]) == ("run-ended", 1, sentence)
    night = campaign.footage("status", "--json").data["last_night"]
    assert (night["exit_code"], night["summary"]["error"]) == (1, sentence)
    assert {"ingest", "process"} <= night["summary"].keys(), "what was done before is kept"
    assert sentence in campaign.footage("status").out


def test_a_full_disk(campaign: CommandScene) -> None:
    """The system refuses to let a file grow beyond a size that only the report's page has."""
    assert campaign.footage("ingest").code == 0
    page = campaign.work / "report" / "index.html"
    command = [sys.executable, "-m", "pipeline", "report", "--json"]
    command += ["--config", str(campaign.folder / "config.toml")]
    limit = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (90_000, 90_000));"
    limit += "os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", limit, *command], capture_output=True, text=True, check=False
    )
    sentence = check_failed(Said(done.returncode, done.stdout, done.stderr), 1)
    assert sentence == str(errors.DiskFull())
    assert events(campaign)[-1]["error"] == sentence
    assert not page.exists()
    assert list(campaign.work.rglob("*.part")) == []
    assert campaign.footage("report").code == 0
    assert page.stat().st_size > 90_000


def test_a_disk_that_has_no_room_for_another_folder(tmp_path: Path) -> None:
    """No clip has failed for that, and the next run makes them all."""
    photo = io.BytesIO()
    Image.new("RGB", (64, 48)).save(photo, "PNG")
    campaign = begin(tmp_path, {"one": {"red.png": photo.getvalue()}})
    assert campaign.footage("ingest").code == 0
    mounted = 'mount -t tmpfs -o nr_inodes=1 tmpfs "$1"; shift; exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", mounted, "sh"]
    command += [str(campaign.work / "clips"), sys.executable, "-m", "pipeline", "process", "--json"]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, text=True, check=False)
    said = Said(done.returncode, done.stdout, done.stderr)
    assert check_failed(said, 1) == str(errors.DiskFull())
    totals = campaign.footage("status", "--json").data["totals"]
    assert (totals["failed"], totals["pending"]) == (0, 1)
    assert campaign.footage("process").code == 0


FULL_NIGHT = """
mount -t tmpfs -o size=8m tmpfs "$1"; cp -a "$2/." "$1"; chmod 700 "$1"
dd if=/dev/zero of="$1/full" 2>/dev/null || true
"$3" -m pipeline run 1>&2 && exit 9; rm "$1/full"
"$3" -m pipeline status; "$3" -m pipeline status --json 1>&2
"""


def test_a_night_that_finds_the_disk_full_from_its_first_byte_is_named(
    campaign: CommandScene,
) -> None:
    assert campaign.footage("run").code == 0
    copy = campaign.folder / "copy"
    campaign.work.rename(copy)
    campaign.work.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", FULL_NIGHT, "sh"]
    command += [str(campaign.work), str(copy), sys.executable]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, text=True, check=True)
    assert str(errors.DiskFull()) in done.stderr
    nights = [line for line in done.stdout.splitlines() if "night:" in line]
    last, recorded = nights
    assert "not recorded in the ledger: the disk was full" in last
    assert recorded.startswith("Last recorded night: footage run, began ")
    data = json.loads(done.stderr[done.stderr.index("{") :])
    assert data["night_not_recorded"]["began"] >= data["last_night"]["ended_at"]


@pytest.mark.parametrize("words", ["status --json", "status", "--help"])
def test_standard_output_on_a_full_disk(campaign: CommandScene, words: str) -> None:
    campaign.footage("run")
    command = [sys.executable, "-m", "pipeline", *words.split()]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            cwd=campaign.folder,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"footage: {errors.DiskFull()}\n"


def test_standard_output_that_nobody_reads(campaign: CommandScene) -> None:
    campaign.footage("run")
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "pipeline", "status", "--json"]
    done = subprocess.run(
        command, cwd=campaign.folder, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "None" not in done.stderr


@pytest.mark.parametrize("words", ["report --json", "report -v", "nonsense --json", "--help"])
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_standard_streams_that_are_closed(
    campaign: CommandScene, words: str, closed: tuple[int, ...]
) -> None:
    """No file of the workspace gets the number of one of them."""
    close = f"import os, sys; os.closerange({closed[0]}, {closed[-1] + 1});"
    close += "os.execv(sys.executable, [sys.executable, '-m', 'pipeline', *sys.argv[1:]])"
    command = [sys.executable, "-c", close, *words.split()]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, text=True, check=False)
    assert done.returncode == (2 if "nonsense" in words else 0)
    assert "Traceback" not in done.stderr
    if "--json" in words and 1 not in closed:
        assert only_object(done.stdout)["exit_code"] == done.returncode


@pytest.mark.parametrize(("words", "code"), [("report -v", 0), ("nonsense", 2), ("add /x", 2)])
def test_standard_error_on_a_full_disk(campaign: CommandScene, words: str, code: int) -> None:
    """The work and the object do not depend on it."""
    command = [sys.executable, "-m", "pipeline", *words.split(), "--json"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command, cwd=campaign.folder, stdout=subprocess.PIPE, stderr=full, check=False
        )
    assert only_object(done.stdout.decode())["exit_code"] == done.returncode == code


def test_a_fault_of_the_program_is_a_sentence(
    campaign: CommandScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines that failed are in the log, and no value of theirs."""

    words = "secret words of a sender"

    def fail(*_: object) -> None:
        raise ValueError(words)

    campaign.footage("run")
    monkeypatch.setattr("pipeline.ledger.clips.Clips.rows", fail)
    sentence = check_failed(campaign.footage("report", "--json"), 1)
    assert sentence.startswith("the program itself failed (ValueError in ")
    log = events(campaign)
    assert [event["event"] for event in log[-2:]] == ["internal", "run-ended"]
    assert "pipeline/review/" in "".join(log[-2]["trace"])
    loud = campaign.footage("report", "--verbose")
    assert "pipeline/review/" in loud.err
    assert loud.err.endswith(f"footage: {sentence}\n")
    assert "secret words" not in loud.err + json.dumps(log)


def test_a_log_begins_and_ends_with_an_event(campaign: CommandScene) -> None:
    assert campaign.footage("run").code == 0
    log = events(campaign)
    assert (log[0]["event"], log[0]["command"]) == ("run-begun", "run")
    assert log[0]["version"]
    assert (log[-1]["event"], log[-1]["exit_code"], log[-1]["error"]) == ("run-ended", 0, None)


def test_a_held_workspace_is_one_object(campaign: CommandScene) -> None:
    with hold(Workspace(campaign.work)):
        check_failed(campaign.footage("run", "--json"), 75)


def test_the_last_night_is_told_apart_from_other_commands(campaign: CommandScene) -> None:
    campaign.footage("ingest")
    assert campaign.footage("status", "--json").data["last_night"] is None
    (campaign.folder / "inbox").rename(campaign.folder / "elsewhere")
    sentence = check_failed(campaign.footage("run", "--json"), 1)
    assert campaign.footage("report").code == 0
    data = campaign.footage("status", "--json").data
    assert (data["last_run"]["command"], data["last_run"]["exit_code"]) == ("report", 0)
    assert (data["last_night"]["command"], data["last_night"]["exit_code"]) == ("run", 1)
    lines = campaign.footage("status").out.splitlines()
    (night,) = [line for line in lines if line.startswith("Last night: footage run, ")]
    assert night.endswith(f", exit 1: {sentence}")
    assert [line for line in lines if line.startswith("Last command: footage report, ")]


def test_a_place_in_a_files_name_is_not_in_the_sentence(campaign: CommandScene) -> None:
    said = campaign.footage("add", str(campaign.folder / "at 31.4159, 89.7932.mp4"), "--json")
    check_failed(said, 2)
    assert "31.4159" not in (campaign.work / "ledger.db").read_bytes().decode("latin-1")
    assert "31.4159" not in json.dumps(events(campaign))


def test_a_file_whose_name_is_not_unicode(campaign: CommandScene) -> None:
    name = os.fsdecode(b"a\xff.mp4")
    command = [sys.executable, "-m", "pipeline", "add", name, "--json"]
    done = subprocess.run(command, cwd=campaign.folder, capture_output=True, check=False)
    assert done.returncode == only_object(done.stdout.decode())["exit_code"] == 2
    assert b"Traceback" not in done.stderr
    assert events(campaign)[-1]["event"] == "run-ended"


@pytest.mark.parametrize("error", [
    OSError(), OSError("out of reach"), OSError(errno.EACCES, os.strerror(errno.EACCES)),
    OSError(errno.EIO, None), OSError(errno.EROFS, "Read-only file system", "/a/b"),
    OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "", b"/a/b"),
    TimeoutError(), ConnectionResetError(errno.ECONNRESET, ""), KeyboardInterrupt(),
    KeyError("x"), ValueError(), MemoryError(), RecursionError(),
])  # fmt: skip
def test_every_error_has_a_sentence(error: BaseException) -> None:
    sentence = str(errors.named(error))
    assert "None" not in sentence
    assert len(sentence.split()) > 4


def test_the_timelines_that_can_be_named_are_those_that_can_be_written() -> None:
    (option,) = [param for param in cli.commands["export"].params if param.name == "kind"]
    assert list(option.type.choices) == list(TimelineFormat)  # type: ignore[attr-defined]
