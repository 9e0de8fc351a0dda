"""Footage in a store: the same clips and films, through refusals and a cut, in bounded memory.

    .venv/bin/python -m bench.store [CLIPS]

The store is a real HTTP server that speaks S3 (moto), on loopback, with a proxy in between that can
be cut.  It prints, and ends with 1 if something is not as it must be:

1. the sample, in small pictures, on the disk, in a shared folder and in S3: equal outputs, equal
   report;
2. the same while every tenth request is refused, and while the connection is cut for 30 s;
3. a film of CLIPS tiny clips (1000) out of the store: exact, its memory, the bytes fetched, and the
   clips that are on the disk at a time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support import render_scene
from support.object_store import BUCKET, ObjectServer, serve
from support.render_scene import Drawn
from support.resource_use import taken

from pipeline.console import Console, Verbosity
from pipeline.demo import sample

_CUT_S = 30
_MOST_MEMORY = 250_000_000
_FRAMES = 12  # of a tiny clip


class CuttableProxy:
    """Passes bytes to a port and back; while it is cut, it closes what is open and what comes."""

    def __init__(self, target: int) -> None:
        self._target, self._is_cut = target, False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, seconds: float) -> None:
        """Close everything, and refuse for so long."""
        self._is_cut = True
        for each in tuple(self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        time.sleep(seconds)
        self._is_cut = False

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._is_cut:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open -= {source, sink}
        source.close()


def main() -> None:
    """Run all three, and print what they cost."""
    clips = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 1000
    logging.disable(logging.ERROR)  # an upload that is given up is a fault in moto's log
    wrong: list[str] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-store-") as place,
        pytest.MonkeyPatch.context() as patch,
        contextlib.contextmanager(serve)(patch) as server,
    ):
        folder = Path(place)
        proxy = CuttableProxy(int(server.address.rpartition(":")[2]))
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{proxy.port}"
        wrong += _equal(folder, server)
        wrong += _troubled(folder, server, proxy)
        wrong += _long_film(folder / "long", server, clips)
    for each in wrong:
        print(f"WRONG {each}")
    raise SystemExit(1 if wrong else 0)


def _campaign(folder: Path, inbox: Path, store: str) -> Path:
    """A campaign with the sample's inbox and a store."""
    folder.mkdir()
    text = (inbox.parent / "config.toml").read_text("utf-8")
    text = text.replace("eml:inbox", f"eml:{inbox}")
    text = text.replace('name = "landscape"', 'name = "landscape"\nsize = "320x180"')
    text = text.replace("[workspace]", f'[workspace]\nstore = "{store}"', 1)
    (folder / "config.toml").write_text(text)
    return folder


def _footage(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", "-q", *arguments]
    command += ["--config", str(folder / "config.toml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _worked(folder: Path) -> float:
    """Run and render; return the seconds that it took."""
    begun = time.monotonic()
    for command in ("run", "render"):
        ended = _footage(folder, command)
        assert ended.returncode == 0, ended.stderr
    return time.monotonic() - begun


def _made(folder: Path) -> tuple[Any, dict[str, str]]:
    """The report without its time, and the SHA-256 of each file beside the montage."""
    report = json.loads((folder / "work" / "report" / "report.json").read_text("utf-8"))
    report.pop("generated_at")
    films = (folder / "work" / "montage").iterdir()
    return report, {path.name: _sha256(path.read_bytes()) for path in films}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _equal(folder: Path, server: ObjectServer) -> Iterator[str]:
    sample_folder = folder / "sample"
    sample.make(sample_folder, Console(Verbosity.QUIET))
    inbox = sample_folder / "inbox"
    alone = _campaign(folder / "disk", inbox, "")
    seconds = _worked(alone)
    wanted = _made(alone)
    print(f"sample on the disk: {seconds:.1f} s")
    for name, store in (
        ("shared", f"file://{folder}/shared-store"),
        ("s3", f"s3://{BUCKET}/sample"),
    ):
        campaign, before = _campaign(folder / name, inbox, store), server.requests
        seconds = _worked(campaign)
        requests, moved = server.requests - before, _moved(campaign)
        print(f"sample in {name}: {seconds:.1f} s, {requests} requests, {moved}")
        if _made(campaign) != wanted:
            yield f"{name}: other outputs or another report than on the disk"
        yield from _all_in_order(name, campaign)
    outputs = {output["sha256"] for clip in wanted[0]["clips"] for output in clip["outputs"]}
    stored = {_sha256(data) for data in server.objects("sample").values()}
    print(f"outputs with equal SHA-256 in the bucket: {len(outputs & stored)} of {len(outputs)}")
    if not outputs <= stored:
        yield "s3: not every output is in the bucket"


def _all_in_order(name: str, campaign: Path) -> Iterator[str]:
    verified = _footage(campaign, "verify")
    if verified.returncode:
        yield f"{name}: {verified.stderr.splitlines()[-1]}"
    left = [path for path in (campaign / "work" / "originals").rglob("*") if path.is_file()]
    if left:
        yield f"{name}: {len(left)} originals are still in the workspace"


def _troubled(folder: Path, server: ObjectServer, proxy: CuttableProxy) -> Iterator[str]:
    inbox = folder / "sample" / "inbox"
    wanted = _made(folder / "disk")
    campaign = _campaign(folder / "tenth", inbox, f"s3://{BUCKET}/tenth")
    with _every_tenth(server):
        before = server.requests
        seconds = _worked(campaign)
        refused = (server.requests - before) // 10
    print(f"every tenth request refused: {seconds:.1f} s, {refused} refusals")
    if _made(campaign) != wanted:
        yield "refused: other outputs"
    yield from _all_in_order("refused", campaign)
    for moment in (2.0, 12.0):
        campaign = _campaign(folder / f"cut-{moment:.0f}", inbox, f"s3://{BUCKET}/cut-{moment:.0f}")
        timer = threading.Timer(moment, proxy.cut, [_CUT_S])
        timer.start()
        seconds = _worked(campaign)
        timer.join()
        print(f"cut for {_CUT_S} s after {moment:.0f} s: {seconds:.1f} s")
        if _made(campaign) != wanted:
            yield f"cut after {moment:.0f} s: other outputs"
        yield from _all_in_order("cut", campaign)


@contextmanager
def _every_tenth(server: ObjectServer) -> Iterator[None]:
    server.refuses = lambda number: number % 10 == 0
    try:
        yield
    finally:
        server.refuses = None


def _moved(campaign: Path) -> str:
    """How much the runs of a campaign fetched and sent, by their logs."""
    fetched = sent = 0
    for log in (campaign / "work" / "logs").iterdir():
        for line in log.read_text("utf-8").splitlines():
            event = json.loads(line)
            if event["event"] == "store":
                fetched, sent = fetched + event["fetched"], sent + event["sent"]
    return f"{fetched:,} bytes fetched, {sent:,} sent"


def _long_film(folder: Path, server: ObjectServer, clips: int) -> Iterator[str]:
    """A film of many clips, each of which is fetched once."""
    sources = (render_scene.NOISE, 1, 2, 3)  # one has pictures as large as those of real footage
    drawn = [Drawn(it, _FRAMES, 220 + 110 * number) for number, it in enumerate(sources)]
    names = {f"clip{number:05}": drawn[number % 4] for number in range(clips)}
    scene = render_scene.begin(folder, names, size="320x180")
    config = folder / "config.toml"
    alone = folder.parent / "long-alone"
    shutil.copytree(folder, alone)
    render_scene.RenderScene(alone).render()
    text = config.read_text().replace(
        "[montage]", f'[workspace]\nstore = "s3://{BUCKET}/long"\n[montage]', 1
    )
    config.write_text(text)
    size = sum(path.stat().st_size for path in scene.workspace.clips.rglob("*.mp4"))
    ended = _footage(folder, "process")
    assert ended.returncode == 0, ended.stderr
    print(f"{clips} clips of {size:,} bytes sent: {_moved(folder)}")
    before = server.requests
    command = [sys.executable, "-m", "pipeline", "-q", "render", "--config", str(config)]
    used = taken(command, (scene.workspace.clips,))
    print(
        f"film of {clips} clips: {used.wall_s:.1f} s, {used.cpu_s:.1f} s of CPU, "
        f"{used.memory / 1e6:.0f} MB, {used.disk / 1e6:.1f} MB of clips on the disk at most, "
        f"{server.requests - before} requests; in all {_moved(folder)}"
    )
    if used.code:
        yield f"the film was not made: {used.err}"
        return
    if used.memory > _MOST_MEMORY:
        yield f"the film took {used.memory / 1e6:.0f} MB"
    if scene.film.read_bytes() != (alone / "work" / "montage" / scene.film.name).read_bytes():
        yield "the film is not that of the disk"
    if scene.contents["frames"] != clips * _FRAMES + _cards(scene.contents):
        yield "pictures are missing in the film"


def _cards(contents: dict[str, Any]) -> int:
    return sum(each["frames"] for each in contents["segments"] if each["kind"] == "card")


if __name__ == "__main__":
    main()
