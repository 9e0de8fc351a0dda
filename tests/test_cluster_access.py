"""Who is let into a cluster, and what one reads who is not."""

from __future__ import annotations

import contextlib
import io
import json
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from PIL import Image
from support.command_scene import CommandScene
from support.ports import ReservedPort
from support.waiting import HANG_S, INTERRUPTIBLE, still_running
from test_cluster import made_files, scene

from pipeline.config import load
from pipeline.engine import certificates
from pipeline.engine import reach as reaching
from pipeline.engine.access import ClusterAccess, distributed
from pipeline.engine.dask import DaskEngine
from pipeline.engine.reach import reach
from pipeline.errors import StageError, Stopping, UsageError
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.jobs import engines, remote, scratch
from pipeline.jobs.build import build
from pipeline.workspace import Workspace


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('scheduler = "tcp://10.0.0.1:8786"', "is for loopback only"),
        ('scheduler = "tls://10.0.0.1:8786"', "tls:// needs ca, certificate, key"),
        ('scheduler = "tls://10.0.0.1"', 'must have the form "tls://host:8786" or "local:2"'),
        ('scheduler = "local:0"', 'must have the form "tls://host:8786" or "local:2"'),
    ],
)
def test_cluster_that_is_open_to_all_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    made = scene(tmp_path / "campaign", {}, f"[cluster]\n{line}\n")
    for command in (["run"], ["worker"], ["scheduler"]):
        said = made.footage(*command)
        assert said.code == 2
        assert sentence in said.err


def test_no_access_beyond_loopback_without_certificates() -> None:
    assert ClusterAccess("tcp://127.0.0.1:8786").security() is None
    for address in ("tcp://10.0.0.1:8786", "tls://127.0.0.1:8786", "tcp://127.0.0.1.example:1"):
        with pytest.raises(StageError, match="is not used without certificates"):
            ClusterAccess(address).security()


# as `footage worker` of another version, which knows no other way to differ
OTHER_VERSION = """
import sys
import pipeline
pipeline.__version__ = "0.0.1"
from pipeline.__main__ import main
main()
"""


@contextmanager
def started(made: CommandScene, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A program of a cluster that is ready."""
    whole = [*INTERRUPTIBLE, sys.executable, *command]
    whole += ["--config", str(made.folder / "config.toml")]
    with subprocess.Popen(whole, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert "is ready" in process.stderr.readline()
            yield process
        finally:
            process.terminate()


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody listens on before the scheduler does."""
    with ReservedPort() as reserved:
        yield reserved.number


def test_worker_of_another_version_and_stranger_are_refused(tmp_path: Path, port: int) -> None:
    certificates.write(tmp_path / "pem")
    files = {name: str(tmp_path / "pem" / f"{name}.pem") for name in ("ca", "certificate", "key")}
    address = f"tls://127.0.0.1:{port}"
    table = {"scheduler": address, **files}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
    photo = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(photo, "PNG")
    made = scene(tmp_path / "a", {"a.png": photo.getvalue()}, f"[cluster]\n{lines}")
    made.footage("ingest")
    with (
        started(made, "-m", "pipeline", "scheduler") as scheduler,
        started(made, "-c", OTHER_VERSION, "worker", "--slots", "1") as worker,
    ):
        sentence = f"program is 0.0.1 on the worker and {build()['program']} on the coordinator"
        cluster = load(made.folder / "config.toml").cluster
        with pytest.raises(StageError, match=f"is of another version: {re.escape(sentence)}"):
            engines.examine(cluster)
        said = made.footage("process")
        assert said.code == 1
        assert f"was refused: {sentence}" in said.err
        assert worker.stderr is not None
        assert f"this worker was refused: {sentence}" in worker.stderr.read()
        assert worker.wait() == 1

        access = ClusterAccess(address, files["ca"], files["certificate"], files["key"])
        found = engines.examine(cluster)
        assert f"{address} answers; no worker is connected now; the certificate is valid" in found
        strangers_are_refused(tmp_path, access)
        command = [sys.executable, "-m", "pipeline", "scheduler"]
        command += ["--config", str(made.folder / "config.toml")]
        second = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        assert second.returncode == 1
        assert f"can listen at {address}: Address already in use" in second.stderr

        folder = tmp_path / "scratch"
        slots = ("-m", "pipeline", "worker", "--slots", "1", "--scratch")
        a_workspace_is_no_scratch_folder(made)
        with started(made, *slots, str(folder)) as leaving:
            jobs_are_given_back(access, leaving)
            while leaving.poll() is None:  # more of them while it ends change nothing
                leaving.terminate()
        assert leaving.returncode == 0
        left = folder / "originals" / "aa" / ("a" * 64)
        assert not list(folder.rglob("a*"))

        # what a worker left whose machine stopped while it made a clip
        left.parent.mkdir(parents=True)
        left.write_bytes(b"an original with its places")
        with started(made, *slots, str(folder)) as other:
            assert not left.exists()
            assert [it for it in still_running(folder) if "pipeline.jobs.scratch" in it]
            scheduler.kill()
            assert other.stderr is not None
            assert f"connection to the scheduler {address} was lost" in other.stderr.read()
            assert other.wait() == 1
    assert still_running(folder) == []
    assert made.footage("status", "--json").data["totals"]["pending"] == 1


KILLED_WORKER = """
import os, signal, sys
from pathlib import Path
from pipeline.jobs import scratch
from pipeline.workspace import Workspace, hold
folder = Workspace(Path(sys.argv[1]))
with hold(folder):
    scratch.empty(folder)
    with scratch.kept(folder):
        (keeper,) = Path("/proc/thread-self/children").read_text().split()
        os.kill(int(keeper), signal.SIGKILL)
        again = keeper
        while again == keeper:
            children = Path("/proc/self/task").glob("*/children")
            again = " ".join(each.read_text() for each in children).strip() or keeper
        (folder.originals / "original").write_bytes(b"an original with its places")
        os.killpg(0, signal.SIGTERM) if sys.argv[2] == "stopped" else os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_killed_worker_leaves_no_original(tmp_path: Path, end: str) -> None:
    """Also if what cleans up behind it was killed before, and if its group gets a signal."""
    command = [sys.executable, "-c", KILLED_WORKER, str(tmp_path / "scratch"), end]
    # its standard error ends when the last process ends that it has started
    said = subprocess.run(command, stderr=subprocess.PIPE, start_new_session=True, check=False)
    assert said.returncode == (-signal.SIGKILL if end == "killed" else -signal.SIGTERM)
    assert said.stderr == b""
    assert [path.name for path in tmp_path.rglob("original")] == []


def wait_for_the_end(key: str, port: str) -> str:
    """A job that has its original at hand until its worker ends the programs of its jobs."""
    (site,) = remote._sites
    with remote._programs(site, key, site.console) as programs:
        left = site.workspace.root / "originals" / "aa" / ("a" * 64)
        left.parent.mkdir(parents=True)
        left.write_bytes(b"an original with its places")
        socket.create_connection(("127.0.0.1", int(port))).close()
        site.is_ending.wait()
        with pytest.raises(Stopping):
            programs.run("test", ["true"], Permissions())
    return "stopped"


def jobs_are_given_back(access: ClusterAccess, worker: subprocess.Popen[str]) -> None:
    """A worker that gets SIGTERM is not lost with its job."""
    wait_for_the_end.__module__ = "__main__"  # so that Dask sends the function itself
    engine = DaskEngine(wait_for_the_end, access, patience_s=60)
    try:
        with socket.create_server(("127.0.0.1", 0)) as begun:
            begun.settimeout(HANG_S)
            engine.submit("photo", str(begun.getsockname()[1]))
            begun.accept()[0].close()
        worker.terminate()
        (ended,) = engine.ended()
    finally:
        engine.close()
    assert (ended.key, ended.answer, ended.lost) == ("photo", "stopped", False)


def a_workspace_is_no_scratch_folder(made: CommandScene) -> None:
    """A worker deletes what is in its scratch folder."""
    before = made_files(made.work / "originals")
    said = made.footage("worker", "--scratch", str(made.work))
    assert said.code == 2
    assert "is not the scratch folder of a worker: nothing was deleted" in said.err
    assert made_files(made.work / "originals") == before


def test_a_folder_of_somebody_is_no_scratch_folder(tmp_path: Path) -> None:
    """Nothing is deleted or changed in it, also if it has names like ours."""
    made = scene(tmp_path / "campaign", {}, '[cluster]\nscheduler = "tcp://127.0.0.1:1"\n')
    (made.work / "originals").mkdir(parents=True)
    home = tmp_path / "home"
    download = home / "Downloads" / "film.mp4.part"
    download.parent.mkdir(parents=True)
    download.touch()
    home.chmod(0o755)
    said = made.footage("worker", "--scratch", str(home))
    assert said.code == 2
    assert "has 'Downloads' in it" in said.err
    assert "nothing was deleted. Name an empty folder" in said.err
    assert [*home.rglob("*")] == [download.parent, download]
    assert stat.S_IMODE(home.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name",
    [
        *("film.part", ".bashrc", "scratch/film.part", "cache/film.part", "clips/film.mp4"),
        *("logs/night.part", "aside/film"),
    ],
)
def test_a_folder_without_mark_may_have_empty_folders_only(tmp_path: Path, name: str) -> None:
    workspace = Workspace(tmp_path)
    workspace.create()
    workspace.lock.touch()
    (tmp_path / "lost+found").mkdir(mode=0)
    scratch.check(workspace)
    theirs = tmp_path / name
    theirs.parent.mkdir(exist_ok=True)
    theirs.touch()
    with pytest.raises(UsageError, match="nothing was deleted"):
        scratch.empty(workspace)
    assert theirs.exists()


def test_only_what_a_worker_makes_is_deleted_in_its_folder(tmp_path: Path) -> None:
    """A version of before marked folders of people too."""
    workspace = Workspace(tmp_path)
    scratch.empty(workspace)
    download = tmp_path / "Downloads" / "film.part"
    download.parent.mkdir()
    download.touch()
    left = [folder / "left.part" for folder in workspace.folders]
    for path in left:
        path.touch()
    scratch.empty(workspace)
    assert download.exists()
    assert not any(path.exists() for path in left)


def test_a_scratch_folder_that_became_a_workspace_is_not_emptied(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.create()
    scratch.mark(tmp_path)
    kept = workspace.originals / "aa"
    kept.mkdir()
    workspace.ledger.touch()
    with pytest.raises(UsageError, match="nothing was deleted"):
        scratch.empty(workspace)
    assert kept.exists()
    workspace.ledger.unlink()
    scratch.empty(workspace)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("greeting", "patience_s", "said"),
    [
        (b"SSH-2.0-OpenSSH\r\n", HANG_S, "is not a scheduler: see whether the port is right"),
        (b"", HANG_S, "is not a scheduler: see whether the port is right"),
        (b"SSH", 0.1, "what listens there says nothing"),
    ],
)
def test_a_program_that_is_no_scheduler_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, greeting: bytes, patience_s: float, said: str
) -> None:
    monkeypatch.setattr(reaching, "_ANSWER_S", patience_s)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            client, _ = server.accept()
            with client, contextlib.suppress(ConnectionError):  # not all that was sent is read
                client.sendall(greeting)
                if greeting:
                    client.recv(1)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(StageError, match=said):
            reach(ClusterAccess(f"tcp://127.0.0.1:{server.getsockname()[1]}"), 0, print)
        thread.join()


def test_a_scheduler_that_is_gone_is_noticed_while_there_is_no_job() -> None:
    pages = {"dashboard": False}
    with distributed().LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", scheduler_kwargs=pages
    ) as cluster:
        page = f"http://127.0.0.1:{cluster.scheduler.http_server.port}/json/counts.json"
        with pytest.raises(HTTPError, match="404"):
            urlopen(page)
        engine = DaskEngine(remote.do, ClusterAccess(cluster.scheduler_address), patience_s=600)
        try:
            # it says that there is no worker just before it begins to wait
            with pytest.raises(StageError, match="is gone; what was made is kept"):
                engine.wait_for_workers(lambda _: cluster.close())
        finally:
            engine.close()


@contextmanager
def no_scheduler() -> Iterator[str]:
    """The address of a server that does not speak TLS."""

    def answer() -> None:
        client, _ = server.accept()
        with client:
            client.recv(1)
            client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"tls://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def strangers_are_refused(folder: Path, access: ClusterAccess) -> None:
    """What a machine hears that the scheduler does not let in, or that has the wrong files."""
    pem, other, expired = folder / "pem", folder / "other", folder / "expired"
    expired.mkdir()
    for name in (certificates.CA, certificates.CA_KEY):
        (expired / name).write_bytes((pem / name).read_bytes())
    their_ca, theirs, their_key = map(str, certificates.write(other))
    _, late, late_key = map(str, certificates.write(expired, days=0))
    cases = (
        ("not signed by the authority in", replace(access, ca=their_ca)),
        (
            "refuses the certificate .*: it is not signed by the authority that",
            replace(access, certificate=theirs, key=their_key),
        ),
        ("certificate.pem expired on 2", replace(access, certificate=late, key=late_key)),
        ("is not the key of", replace(access, key=their_key)),
        ("none.pem can't be read: No such file", replace(access, ca=str(folder / "none.pem"))),
        ("key.pem is not a certificate", replace(access, certificate=their_key)),
    )
    reach(access, 0, print)
    with ReservedPort() as port, pytest.raises(StageError, match=r"refused\. Start one with"):
        reach(replace(access, address=f"tls://127.0.0.1:{port.number}"), 0, print)
    for sentence, stranger in cases:
        with pytest.raises(StageError, match=sentence):
            reach(stranger, 0, print)
    with no_scheduler() as address, pytest.raises(StageError, match="is not a scheduler with"):
        reach(replace(access, address=address), 0, print)
