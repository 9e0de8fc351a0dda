"""The process that takes mails apart, for tests that need it hundreds of times: quick to start.

A server imports the program and takes a mail apart, so that the regular expressions are compiled.
For each ingest it forks, sets the limits and runs the program.  A program that a test has changed
is started as ``FfmpegRunner`` starts it.

A module whose tests run ``footage`` again and again imports ``quick_taking``.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading

import pytest

from pipeline.commands import session
from pipeline.console import Console
from pipeline.ffmpeg import sandbox
from pipeline.ffmpeg.runner import Companion, FfmpegRunner
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.ffmpeg.watch import Patience, Watch
from pipeline.ingest import taking

_PROGRAM = taking.PROGRAM
# Gets a list of numbers.  Three limits, with the channel of a new process, start that process;
# one number ends the process of that number.  The answer is its number, or its exit code.
_SERVER = _PROGRAM.replace(
    "child.main()",
    """
import io, json, os, resource, signal, socket, tempfile
from datetime import UTC, datetime
from pathlib import Path
from pipeline.ingest.inbox import NewMail
from pipeline.ingest.originals import Originals
from pipeline.ingest.take import Opening, Taker
from pipeline.model import MailIdentity

def take_one():
    mail = b"Subject: one\\r\\nContent-Type: text/html\\r\\n\\r\\n<p>At 1 Mill Street"
    with tempfile.TemporaryDirectory() as folder:
        new = NewMail(MailIdentity("", "", 1, "1"), len(mail), datetime.now(UTC), None)
        Taker(Originals(Path(folder), 1, set()), Opening(None, None)).mail(new, io.BytesIO(mail))

def become(channel, cpu_s, memory, file_size):
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    os.dup2(channel, 0)
    os.close(channel)
    child.main()

take_one()
server = socket.socket(fileno=os.dup(0))
while message := socket.recv_fds(server, 100, 1):
    if not message[0]:
        break
    numbers, descriptors = json.loads(message[0]), message[1]
    if descriptors:
        answer = os.fork()
        if answer == 0:
            try:
                server.close()
                become(descriptors[0], *numbers)
            finally:
                os._exit(1)
        os.close(descriptors[0])
    else:
        os.kill(numbers[0], signal.SIGKILL)
        answer = os.waitstatus_to_exitcode(os.waitpid(numbers[0], 0)[1])
    server.send(json.dumps(answer).encode())
""",
)


class _Server:
    def __init__(self, package: str) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-I", "-c", _SERVER, package]
            self._process = sandbox.spawn(command, b"", stdin=theirs.fileno())

    def ask(self, numbers: list[int], descriptors: list[int]) -> int:
        with self._lock:
            socket.send_fds(self._channel, [json.dumps(numbers).encode()], descriptors)
            return int(json.loads(self._channel.recv(100)))

    def stop(self) -> None:
        self._channel.close()
        self._process.wait()


_servers: dict[str, _Server] = {}


def stop() -> None:
    """End the server, if there is one."""
    while _servers:
        _servers.popitem()[1].stop()


class _Forked(Companion):
    def __init__(self, server: _Server, number: int) -> None:
        self._server, self._number = server, number
        self._code: int | None = None

    def watched(self, patience: Patience) -> Watch:
        return Watch(self._number, patience, lambda: os.kill(self._number, signal.SIGKILL))

    def ending(self) -> int:
        # the exit code of a process that ends already does not change
        return self.end()

    def end(self) -> int:
        if self._code is None:
            self._code = self._server.ask([self._number], [])
        return self._code


class QuickRunner(FfmpegRunner):
    """Starts the process that takes mails apart without a sandbox, and all others as ever."""

    def attach(self, argv: list[str], permissions: Permissions, channel: int) -> Companion:
        if argv[-2] != _PROGRAM:
            return super().attach(argv, permissions, channel)
        if argv[-1] not in _servers:
            _servers[argv[-1]] = _Server(argv[-1])
        server, limits = _servers[argv[-1]], permissions.limits
        numbers = [limits.cpu_s, limits.memory, limits.file_size]
        return _Forked(server, server.ask(numbers, [channel]))


class WarmRunner(QuickRunner):
    """Starts no program but the process that takes mails apart, without a sandbox."""

    def __init__(self, console: Console) -> None:
        super().__init__("none", console)


@pytest.fixture(autouse=True)
def quick_taking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands of this process take mails apart in a process that is quick to start."""
    monkeypatch.setattr(session, "FfmpegRunner", QuickRunner)
