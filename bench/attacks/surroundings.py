"""The surroundings of a sandbox that is attacked, and what an attack changed of it.

Everything here belongs to the user who runs `footage`: a secret file, another process, sockets that
wait, System V memory.  A look at all of it before and after an attack shows the attack's effects.
"""

from __future__ import annotations

import ctypes
import os
import resource
import secrets
import select
import shutil
import socket
import subprocess
from dataclasses import asdict
from pathlib import Path

from bench.attacks.inside import World, calls

_IPC_CREAT, _STAT = 0o1000, 2
_HANG_S = 30.0


class Surroundings:
    """Everything that an attack may try to reach; ``world`` names it for the attack."""

    def __init__(self, folder: Path, *, control: bool) -> None:
        self._folder = folder / "private"
        shutil.rmtree(self._folder, ignore_errors=True)  # of a run that was ended
        self._folder.mkdir(mode=0o700)
        self._control = control
        self._token = f"secret{secrets.token_hex(8)}"
        self._secret = self._folder / "secret"
        self._victim = _Victim()
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        self._named, self._abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        self._named.bind(str(self._folder / "socket"))
        self._abstract.bind("\0" + self._token)
        for listener in (self._named, self._abstract):
            listener.listen()
        self._ipc = {"shared_memory": -1, "queue": -1, "semaphore": -1}
        self.restore()

    def restore(self) -> None:
        """Make again what an attack has changed or ended."""
        self._secret.unlink(missing_ok=True)
        self._secret.write_text(self._token)
        self._secret.chmod(0o600)
        if not self._victim.answers():
            self._victim.end()
            self._victim = _Victim()
        for listener in self._listeners():
            while select.select([listener], [], [], 0)[0]:
                if listener is self._udp:
                    listener.recv(100)
                else:
                    listener.accept()[0].close()
        self._restore_ipc()

    def world(self, given: Path, writes: tuple[Path, ...], limits: tuple[int, int]) -> World:
        """Name everything for an attack.

        :param given: the file that the program reads.
        :param writes: where it may write.
        :param limits: bytes of memory and of a file.
        """
        return World(
            secret=str(self._secret),
            token=self._token,
            folder=str(self._folder),
            victim=self._victim.pid,
            run=os.getpid(),
            tcp=self._tcp.getsockname()[1],
            udp=self._udp.getsockname()[1],
            socket=str(self._folder / "socket"),
            abstract=self._token,
            named_queue=self._token,
            memory=limits[0],
            file_size=limits[1],
            control=self._control,
            given=str(given),
            writes=[str(path) for path in writes],
            shared_memory=self._ipc["shared_memory"],
            queue=self._ipc["queue"],
            semaphore=self._ipc["semaphore"],
        )

    def look(self, original: Path) -> dict[str, object]:
        """Everything that an attack could change, by name.

        :param original: the file that the attacker was given to read.
        """
        pid, victim_lives = self._victim.pid, self._victim.answers()
        facts: dict[str, object] = {
            **_file("secret", self._secret),
            **_file("original", original),
            "private folder": sorted(path.name for path in self._folder.iterdir()),
            "victim lives": victim_lives,
            "connections": len(select.select(self._listeners(), [], [], 0)[0]),
            "name of the machine": os.uname().nodename,
            "mounts": Path("/proc/self/mountinfo").read_text().count("\n"),
            "shared memory": _exists("shmctl", self._ipc["shared_memory"], _STAT),
            "queue": _exists("msgctl", self._ipc["queue"], _STAT),
            "semaphore": _exists("semctl", self._ipc["semaphore"], 0, _STAT),
        }
        if victim_lives:
            facts |= {
                "priority of the victim": os.getpriority(os.PRIO_PROCESS, pid),
                "processors of the victim": sorted(os.sched_getaffinity(pid)),
                "scheduling of the victim": os.sched_getscheduler(pid),
                "limits of the victim": resource.prlimit(pid, resource.RLIMIT_NOFILE),
                "badness of the victim": Path(f"/proc/{pid}/oom_score_adj").read_text(),
            }
        return facts

    def close(self) -> None:
        """End the victim and remove what would stay."""
        self._victim.end()
        for listener in self._listeners():
            listener.close()
        for name, call in (("shared_memory", "shmctl"), ("queue", "msgctl")):
            if _exists(call, self._ipc[name], _STAT):
                calls.call(call, self._ipc[name], 0, None)
        if _exists("semctl", self._ipc["semaphore"], 0, _STAT):
            calls.call("semctl", self._ipc["semaphore"], 0, 0, None)

    def _listeners(self) -> list[socket.socket]:
        return [self._tcp, self._udp, self._named, self._abstract]

    def _restore_ipc(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if not _exists("shmctl", self._ipc["shared_memory"], _STAT):
            self._ipc["shared_memory"] = libc.shmget(0, 4096, _IPC_CREAT | 0o600)
        if not _exists("msgctl", self._ipc["queue"], _STAT):
            self._ipc["queue"] = libc.msgget(0, _IPC_CREAT | 0o600)
        if not _exists("semctl", self._ipc["semaphore"], 0, _STAT):
            self._ipc["semaphore"] = libc.semget(0, 1, _IPC_CREAT | 0o600)
        message = ctypes.create_string_buffer(b"\1\0\0\0\0\0\0\0message", 16)
        libc.msgsnd(self._ipc["queue"], message, 7, 0)


def effects(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """The names of what is not as it was."""
    return [name for name, value in before.items() if after.get(name) != value]


def changes(world: World) -> dict[str, object]:
    """The world as plain data."""
    return asdict(world)


class _Victim:
    """Another process of the same user, which answers while it lives."""

    def __init__(self) -> None:
        # it ends with its standard input, so also when this process is killed
        self._process = subprocess.Popen(
            ["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        self.pid = self._process.pid

    def answers(self) -> bool:
        """Whether it lives and is not stopped.

        The kernel delivers the signals that wait for a process before the process goes on.  So an
        answer proves that no signal of an attack is still under way.
        """
        question, answer = self._process.stdin, self._process.stdout
        assert question is not None
        assert answer is not None
        try:
            os.write(question.fileno(), b"?")
        except BrokenPipeError:
            return False
        return bool(select.select([answer], [], [], _HANG_S)[0] and os.read(answer.fileno(), 1))

    def end(self) -> None:
        """Kill it."""
        with self._process as process:
            process.kill()


def _file(name: str, path: Path) -> dict[str, object]:
    if not path.exists():
        return {f"{name} exists": False}
    found = path.stat()
    try:
        attributes = os.listxattr(path)
    except OSError:
        attributes = []
    return {
        f"{name} exists": True,
        f"bytes of {name}": path.read_bytes(),
        f"mode of {name}": found.st_mode,
        f"owner of {name}": (found.st_uid, found.st_gid),
        f"time of {name}": found.st_mtime_ns,
        f"links to {name}": found.st_nlink,
        f"attributes of {name}": attributes,
    }


def _exists(call: str, number: int, *arguments: int) -> bool:
    try:
        calls.call(call, number, *arguments, ctypes.create_string_buffer(512))
    except OSError:
        return False
    return True
