"""The texts of the systemd units, or of the cron line, that run the night."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "Description=footage: "
"""What is in each unit that this program wrote."""
_HOURS = 12
# A run that finished with failed clips is a finished run: the report and the notices say so.
_FINISHED = 3


@dataclass(frozen=True)
class ServicePlan:
    """What the service runs, when, and what it may use.

    ``at``: a time of day such as ``02:15``.  ``user``: the user of a system service; "" makes a
    service of the user's own manager.  ``credentials``: names of secrets, each with its file.
    ``writable``: what it may write to beside the workspace.  ``memory`` and ``cpu``: values of
    MemoryMax= and CPUQuota=, "" for none.
    """

    name: str
    title: str
    command: Sequence[str]
    config: Path
    at: str
    user: str = ""
    credentials: Sequence[tuple[str, Path]] = ()
    writable: Sequence[Path] = ()
    memory: str = ""
    cpu: str = ""
    hours: int = _HOURS

    def call(self, *words: str) -> str:
        """A call of the program with the configuration, as a unit writes it."""
        words = (*self.command, "--config", str(self.config), *words)
        # systemd takes no such program, and replaces variables in its name only where Python sees
        # it as its own
        by_name = set(words[0]) & set("$\"'\\")
        return " ".join(map(_argument, ("/usr/bin/env", *words) if by_name else words))


def units(plan: ServicePlan) -> dict[str, str]:
    """The text of each unit by its file name (systemd.service(5), systemd.timer(5))."""
    return {
        f"{plan.name}.service": _join(_night(plan)),
        f"{plan.name}-failed.service": _join(_failure(plan)),
        f"{plan.name}.timer": _join(_timer(plan)),
    }


def cron_line(plan: ServicePlan) -> str:
    """One line for crontab(5), which does the same without credentials and without walls."""
    hour, minute = plan.at.split(":")
    words = (*plan.command, "--config", str(plan.config), "--quiet", "run")
    call = shlex.join(words).replace("%", "\\%")  # crontab(5): a bare % is a line break
    return f"{int(minute)} {int(hour)} * * *  {call}\n"


def _night(plan: ServicePlan) -> Iterator[str]:
    yield "[Unit]"
    yield f"{MARK}the night of {_plain(plan.title)}"
    if plan.user:
        yield "Wants=network-online.target"
        yield "After=network-online.target"
    yield f"OnFailure={plan.name}-failed.service"
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    yield f"ExecStart={plan.call('run')}"
    yield "# Originals past their days are deleted after a night that finished."
    yield f"ExecStartPost=-{plan.call('--quiet', 'purge')}"
    yield f"SuccessExitStatus={_FINISHED}"
    yield f"TimeoutStartSec={plan.hours}h"
    yield "# SIGTERM goes to the program alone, which ends all that it started."
    yield "KillMode=mixed"
    yield "TimeoutStopSec=30s"
    yield "Nice=10"
    if plan.memory:
        yield f"MemoryMax={plan.memory}"
        yield "# One program that is too large is ended; the night goes on."
        yield "OOMPolicy=continue"
    if plan.cpu:
        yield f"CPUQuota={plan.cpu}"
    yield from _secrets(plan)
    yield from _walls(plan)


def _failure(plan: ServicePlan) -> Iterator[str]:
    yield "[Unit]"
    yield f"{MARK}tell that a night of {_plain(plan.title)} failed"
    yield ""
    yield "[Service]"
    yield "Type=oneshot"
    yield f"ExecStart={plan.call('service', 'failed')}"
    yield "TimeoutStartSec=5min"
    yield from _secrets(plan)
    if plan.credentials:
        yield "# The night can't start when the file of a secret is missing; this service can."
    for name, _ in plan.credentials:
        yield f"SetCredential={name}:\\n"
    yield from _walls(plan)


def _timer(plan: ServicePlan) -> Iterator[str]:
    yield "[Unit]"
    yield f"{MARK}every night at {plan.at}"
    yield ""
    yield "[Timer]"
    yield f"OnCalendar=*-*-* {plan.at}:00"
    yield "# A night that was missed, because the machine was off, is done at the next start."
    yield "Persistent=true"
    yield ""
    yield "[Install]"
    yield "WantedBy=timers.target"


def _secrets(plan: ServicePlan) -> Iterator[str]:
    for name, path in plan.credentials:
        yield f"LoadCredential={name}:{_escaped(str(path))}"


def _walls(plan: ServicePlan) -> Iterator[str]:
    """What the service may not do.

    The program builds walls of its own around each program that reads a stranger's bytes.  It
    needs user namespaces and mounts for bubblewrap, so some settings are left out, each with its
    reason in the unit.
    """
    yield ""
    yield "UMask=0077"
    yield "NoNewPrivileges=yes"
    yield "LockPersonality=yes"
    yield "RestrictRealtime=yes"
    yield "RestrictSUIDSGID=yes"
    yield "SystemCallArchitectures=native"
    yield "KeyringMode=private"
    if not plan.user:
        yield "# The manager of a user can't set up the walls of a system service."
        return
    yield f"User={plan.user}"
    yield "CapabilityBoundingSet="
    yield "AmbientCapabilities="
    yield "ProtectSystem=strict"
    yield "ProtectHome=read-only"
    for path in plan.writable:
        yield f"ReadWritePaths={_quoted(_escaped(str(path)))}"
    yield "# systemd 252 leaves /run writable when ProtectControlGroups= is set."
    yield "ReadOnlyPaths=/run"
    yield "TemporaryFileSystem=/dev/shm:mode=1777"
    yield "ProtectProc=invisible"
    for name in (
        *("PrivateTmp", "PrivateDevices", "PrivateIPC", "ProtectClock", "ProtectHostname"),
        *("ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs"),
        *("ProtectControlGroups", "RemoveIPC"),
    ):
        yield f"{name}=yes"
    yield "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK"
    yield "SystemCallFilter=~@clock @cpu-emulation @debug @module @obsolete @raw-io @reboot @swap"
    yield "SystemCallErrorNumber=EPERM"
    yield "# bubblewrap makes namespaces and mounts: no RestrictNamespaces=, no ~@mount above."
    yield "# It reads /proc/sys/kernel/overflowuid: no ProcSubset=."
    yield "# On a kernel without user namespaces the sandbox is Landlock, but the service could not"
    yield "# start with PrivateUsers=."
    yield "# Program, configuration, inbox or music may be in a home: no ProtectHome=yes."
    yield "# The inbox is on the network: no PrivateNetwork= and no IPAddressDeny=."


def _join(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _plain(text: str) -> str:
    """A text that systemd reads as it is: one line, without its specifiers."""
    return _escaped(" ".join(text.split()).rstrip("\\"))  # at its end it would join two lines


def _escaped(text: str) -> str:
    """A text without specifiers (systemd.unit(5)); the settings that name paths have nothing else.

    ``LoadCredential=`` takes the rest of the line, so its path is not quoted.
    """
    return text.replace("%", "%%")


def _quoted(word: str) -> str:
    """One word of a list (systemd.syntax(7), "Quoting")."""
    if word and all(char.isalnum() or char in "/._-=:,+@" for char in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(word: str) -> str:
    """An argument of a command line: variables are replaced there (systemd.service(5))."""
    return _quoted(_escaped(word.replace("$", "$$")))
