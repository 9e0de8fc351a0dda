"""Machines that share nothing but a network, made of the namespaces of Linux.

Each has a network with one address, processes, and a folder of its own in memory, which no other
can see.  The rest of the disk is the same for all, with the program in it, and can't be written.
They are joined by a bridge in a namespace of its own, so the network of this machine is not
touched.  All is gone when the processes end, also after a crash.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_NETWORK = "10.83.0"
_LIFE = ("--kill-child", "--fork", "--pid", "--mount-proc", "--net", "--mount", "--ipc")
# children that lost their parent are not kept: the first process of a namespace inherits them
_BEGIN = """
set -e
while read -r _ at kind _; do
    case $kind in
        proc | sysfs | devpts | cgroup*) ;;
        *) mount -o remount,bind,ro "$at" ;;
    esac
done < /proc/self/mounts
mount -t tmpfs -o mode=700 bench "$1"
mount -t tmpfs bench /dev/shm
ip link set lo up
trap '' CHLD
echo ready
exec sleep infinity
"""


class NoMachines(Exception):
    """Namespaces can't be made here."""


@dataclass
class Machine:
    """A machine: its address, its first process, and where its folder is for this process.

    ``disk`` is the path of its folder for its own programs.  All machines have the same one.
    """

    address: str
    pid: int
    disk: Path
    programs: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Its folder, as this process sees it."""
        return Path(f"/proc/{self.pid}/root{self.disk}")

    def start(self, *command: str, env: Mapping[str, str]) -> subprocess.Popen[str]:
        """Start a program of this machine, and do not wait for it; what it says is dropped."""
        return self._start(command, env, subprocess.DEVNULL)

    def run(self, *command: str, env: Mapping[str, str]) -> tuple[int, str, str]:
        """Run a program of this machine to its end; return code, output and errors."""
        begun = self._start(command, env, subprocess.PIPE)
        out, err = begun.communicate()
        return begun.returncode, out, err

    def footage(self, *words: str, env: Mapping[str, str]) -> tuple[int, str, str]:
        """Run one of our commands to its end."""
        return self.run(sys.executable, "-m", "pipeline", *words, env=env)

    def ready(self, *words: str, env: Mapping[str, str]) -> str:
        """Start one of our commands, and return the line by which it says that it is ready."""
        command = (sys.executable, "-m", "pipeline", *words)
        begun = self._start(command, env, subprocess.PIPE)
        assert begun.stderr is not None
        line = begun.stderr.readline().strip()
        assert "is ready" in line, line
        return line

    def _start(
        self, command: Sequence[str], env: Mapping[str, str], said: int
    ) -> subprocess.Popen[str]:
        whole = ["nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--ipc"]
        begun = subprocess.Popen(
            [*whole, f"--wd={self.disk}", *command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            text=True,
            env={**os.environ, "TMPDIR": str(self.disk), **env},
        )
        self.programs.append(begun)
        return begun


@contextmanager
def machines(disk: Path, count: int) -> Iterator[list[Machine]]:
    """Make machines on one network, and end them with all that runs on them.

    :param disk: a folder that exists; each machine has another one at this path.
    :raises NoMachines: this user may not make namespaces, or a program is missing.
    """
    if missing := [name for name in ("ip", "unshare", "nsenter") if not shutil.which(name)]:
        raise NoMachines(f"{' and '.join(missing)} can't be found (iproute2, util-linux)")
    if os.geteuid() != 0:
        raise NoMachines("making namespaces needs root")
    begun: list[subprocess.Popen[str]] = []
    made: list[Machine] = []
    try:
        for number in range(count + 1):
            command = ["unshare", *_LIFE, "sh", "-c", _BEGIN, "sh", str(disk)]
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            begun.append(process)
            assert process.stdout is not None
            assert process.stderr is not None
            if process.stdout.readline() != "ready\n":
                raise NoMachines(f"no namespace can be made here: {process.stderr.read().strip()}")
            made.append(Machine(f"{_NETWORK}.{number}", _child(process.pid), disk))
        _join(made)
        yield made[1:]
    finally:
        for process in begun:
            process.kill()  # unshare holds back other signals, and its child goes with it
        for process in begun:
            process.communicate()
        for machine in made:
            for program in machine.programs:
                with program:  # closes its pipes and waits
                    pass


def _child(pid: int) -> int:
    """The process that a program started."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _join(made: list[Machine]) -> None:
    """Join all machines by a bridge on the first one."""
    switch = made[0].pid
    _ip(switch, "link", "add", "switch", "type", "bridge")
    _ip(switch, "link", "set", "switch", "up")
    for number, machine in enumerate(made[1:], 1):
        wire = ("type", "veth", "peer", "name", "wire", "netns", str(machine.pid))
        _ip(switch, "link", "add", f"wire{number}", *wire)
        _ip(switch, "link", "set", f"wire{number}", "master", "switch", "up")
        _ip(machine.pid, "addr", "add", f"{machine.address}/24", "dev", "wire")
        _ip(machine.pid, "link", "set", "wire", "up")


def _ip(pid: int, *words: str) -> None:
    command = ["nsenter", f"--target={pid}", "--net", "ip", *words]
    subprocess.run(command, check=True, capture_output=True)
