"""``footage review`` as people start it: a process of its own, ended with Ctrl-C."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.ledger_scene import LedgerScene, attachment, decide, result, settings, sha
from support.waiting import HANG_S, INTERRUPTIBLE

from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.model import Decision, Review
from pipeline.workspace import Workspace, hold


@pytest.fixture
def config(tmp_path: Path) -> Config:
    config = settings(tmp_path)
    workspace = Workspace(config.root)
    workspace.create()
    with Ledger(workspace.ledger) as ledger:
        campaign = LedgerScene(ledger, workspace)
        campaign.mail(attachment("one"))
        campaign.clip(result("one"))
    return config


@contextmanager
def command(
    folder: Path, *arguments: str, before: Sequence[str] = INTERRUPTIBLE
) -> Iterator[subprocess.Popen[str]]:
    argv = [sys.executable, "-m", "pipeline", "review", "--config", str(folder / "config.toml")]
    with subprocess.Popen(
        [*before, *argv, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def link(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    line = next(line for line in process.stderr if line.startswith("open "))
    return line.removeprefix("open ").strip()


def ask(connection: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    connection.request("GET", path)
    return connection.getresponse()


def test_it_prints_its_link_holds_its_port_and_ends_with_ctrl_c(
    config: Config, tmp_path: Path
) -> None:
    assert config.root.exists()
    with command(tmp_path) as process:
        url = urlsplit(link(process))
        assert url.hostname == "127.0.0.1"
        port = url.port or 0
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)) as connection:
            answer = ask(connection, f"/?{url.query}")
            assert (answer.status, b"footage review" in answer.read()) == (200, True)
            with command(tmp_path, "--port", str(port)) as second:
                _, err = second.communicate(timeout=HANG_S)
            assert second.returncode == 1
            assert "name another with --port" in err
            assert "Traceback" not in err
            # a connection that stays open does not keep the command from ending
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 0
    assert out == ""
    assert "Traceback" not in err


def test_with_json_it_ends_with_one_object(config: Config, tmp_path: Path) -> None:
    assert config.root.exists()
    with command(tmp_path, "--json") as process:
        port = str(urlsplit(link(process)).port)
        with command(tmp_path, "--json", "--port", port) as second:
            out, err = second.communicate(timeout=HANG_S)
        assert json.loads(out)["exit_code"] == second.returncode == 1
        assert json.loads(out)["error"] in err
        with Ledger(Workspace(config.root).ledger) as ledger:
            decide(ledger, sha("one"), Review(Decision.APPROVED))
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=HANG_S)
    assert process.returncode == 0
    assert json.loads(out) == {"exit_code": 0}
    # the report on disk has what was decided
    written = json.loads((config.root / "report" / "report.json").read_text("utf-8"))
    assert [clip["review"]["decision"] for clip in written["clips"]] == ["approved"]


def test_report_that_cannot_be_written_after_a_review_is_named(
    config: Config, tmp_path: Path
) -> None:
    with command(tmp_path) as process:
        link(process)
        with hold(Workspace(config.root)):
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 0
    assert "the report on disk is from before this review: another run" in err


def test_in_the_background_it_ignores_ctrl_c(config: Config, tmp_path: Path) -> None:
    """Whoever starts it with SIGINT ignored (nohup, a job of a script) wants it to go on."""
    assert config.root.exists()
    with command(tmp_path, before=("env", "--ignore-signal=INT")) as process:
        url = urlsplit(link(process))
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            port = url.port or 0
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)) as again:
                assert ask(again, "/report/report.json").status == 403
        assert process.poll() is None


def test_there_is_nothing_to_review_before_the_first_run(tmp_path: Path) -> None:
    settings(tmp_path)
    with command(tmp_path) as process:
        _, err = process.communicate(timeout=HANG_S)
    assert process.returncode == 2
    assert "begin with: footage run" in err
