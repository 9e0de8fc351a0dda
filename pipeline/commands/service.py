"""``footage service``: have the night run by itself, by systemd or cron."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import publishing
from pipeline.commands import units
from pipeline.commands.ending import Ending
from pipeline.commands.units import ServicePlan
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import StageError, UsageError, reason_of
from pipeline.store.bucket import folder_of
from pipeline.workspace import Workspace

_SYSTEM = Path("/etc/systemd/system")
_SYSTEMCTL_S = 60.0


@dataclass(frozen=True)
class ServiceCall:
    """What the command line asks for.

    ``run_as``: the user of a system service, "" for a service of one's own.  ``to``: a folder for
    the units instead of systemd's.  ``force``: write over units that this program did not write.
    """

    name: str = "footage"
    at: str = "02:15"
    run_as: str = ""
    credentials: Sequence[str] = ()
    memory: str = ""
    cpu: str = ""
    hours: int = 12
    to: Path | None = None
    force: bool = False


def show(config: Config, path: Path, call: ServiceCall, *, cron: bool) -> Ending:
    """Print the units, or the line for cron, and change nothing.

    :raises UsageError: an option has a value that can't be.
    """
    plan = _plan(config, path, call)
    if cron:
        line = units.cron_line(plan)
        return Ending(facts={"cron": line}, lines=(line.rstrip("\n"),))
    texts = units.units(plan)
    lines = [f"# {name}\n{text}" for name, text in texts.items()]
    return Ending(facts={"units": texts}, lines=tuple(lines))


def install(config: Config, console: Console, path: Path, call: ServiceCall) -> Ending:
    """Write the units, and have systemd start the timer.

    :raises UsageError: an option has a value that can't be, or there is no workspace yet.
    :raises StageError: the folder can't be written, or systemd refuses.
    """
    Workspace.existing(config.root)  # the service may write there, and can't make the folder
    folder = _folder(call)
    plan = _plan(config, path, call)
    if missing := [path for path in plan.writable if call.run_as and not path.is_dir()]:
        raise UsageError(
            f"the folder {missing[0]} does not exist: systemd does not start a service that may "
            "write into such a folder. Make it, or run footage run once"
        )
    for name, source in plan.credentials:
        if not os.path.lexists(source):
            raise UsageError(f"--credential {name}: the file {source} does not exist")
    texts = units.units(plan)
    foreign = [folder / name for name in texts if _is_foreign(folder / name)]
    if foreign and not call.force:
        raise UsageError(
            f"{foreign[0]} was not written by this program, so another service may need it: "
            "give another --name, or --force to write over it"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            publishing.write_text(folder / name, text, 0o644)
    except OSError as error:
        raise StageError(
            f"{folder} can't be written: {reason_of(error)}; a service of the whole system needs "
            "root, without --run-as it is a service of your own"
        ) from error
    written = [str(folder / name) for name in texts]
    if call.to is None:
        _systemctl(call, "daemon-reload")
        _systemctl(call, "enable", "--now", f"{call.name}.timer")
    for name in written:
        console.say(f"wrote {name}")
    next_step = f"the night runs at {call.at}; try it now: {_words(call, 'start')} {call.name}"
    return Ending(facts={"written": written}, lines=(next_step,))


def remove(console: Console, call: ServiceCall) -> Ending:
    """Stop the timer and delete the units; the workspace stays.

    :raises UsageError: there is no such service.
    :raises StageError: a unit can't be deleted, or systemd refuses.
    """
    folder = _folder(call)
    names = [f"{call.name}.timer", f"{call.name}.service", f"{call.name}-failed.service"]
    found = [folder / name for name in names if (folder / name).is_file()]
    if not found:
        raise UsageError(f"there is no service {call.name!r} in {folder}")
    if foreign := [each for each in found if _is_foreign(each)]:
        raise UsageError(f"{foreign[0]} was not written by this program, so nothing is deleted")
    if call.to is None:
        _systemctl(call, "disable", "--now", f"{call.name}.timer")
    try:
        for path in found:
            path.unlink()
    except OSError as error:
        raise StageError(f"{error.filename} can't be deleted: {reason_of(error)}") from error
    if call.to is None:
        _systemctl(call, "daemon-reload")
    for path in found:
        console.say(f"deleted {path}")
    return Ending(facts={"deleted": [str(path) for path in found]})


def _plan(config: Config, path: Path, call: ServiceCall) -> ServicePlan:
    _check(call)
    writable = [config.root]
    for inbox in config.inbox:
        if inbox.scheme == "folder" and inbox.processed_folder:
            writable += [inbox.resolve(inbox.path), inbox.resolve(inbox.processed_folder)]
    if store := folder_of(config.workspace.store):
        writable.append(store)
    if config.notify.prometheus:
        writable.append(config.notify.resolve(config.notify.prometheus).parent)
    writable = list(dict.fromkeys(writable))
    credentials = [_credential(text) for text in call.credentials]
    _check_paths([path.resolve(), *writable, *(file for _, file in credentials)])
    return ServicePlan(
        name=call.name,
        title=config.campaign.name,
        command=(sys.executable, "-I", "-m", "pipeline"),
        config=path.resolve(),
        at=call.at,
        user=call.run_as,
        credentials=credentials,
        writable=writable,
        memory=call.memory,
        cpu=call.cpu,
        hours=call.hours,
    )


def _check_paths(paths: Sequence[Path]) -> None:
    for path in map(str, paths):
        # a unit has no way to write these (systemd.syntax(7))
        if not path.isprintable() or path != path.strip() or path.endswith("\\"):
            raise UsageError(
                f"systemd can't use the path {path!r}: give it another name, without line breaks "
                "and the like, and without a blank or \\ at its end"
            )


def _check(call: ServiceCall) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", call.name):
        raise UsageError("--name must consist of letters, digits, - and _")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", call.at):
        raise UsageError("--at must be a time of day such as 02:15")
    if call.memory and not re.fullmatch(r"0*[1-9]\d*[KMGT]?|0*[1-9]\d{0,2}%", call.memory):
        raise UsageError("--memory must be a size such as 8G, or a share such as 50%")
    if call.cpu and not re.fullmatch(r"0*[1-9]\d{0,4}%", call.cpu):
        raise UsageError("--cpu must be a share of one core such as 150%")
    if call.run_as:
        try:
            pwd.getpwnam(call.run_as)
        except KeyError:
            raise UsageError(f"there is no user {call.run_as!r} on this machine") from None


def _is_foreign(path: Path) -> bool:
    """Whether a unit is there that this program did not write."""
    try:
        return units.MARK not in path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _credential(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name) or not path.startswith("/"):
        raise UsageError("--credential must be NAME=FILE, with the whole path of the file")
    return name, Path(path)


def _folder(call: ServiceCall) -> Path:
    if call.to is not None:
        return call.to
    if call.run_as:
        return _SYSTEM
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(home) / "systemd/user"


def _words(call: ServiceCall, verb: str) -> str:
    return f"systemctl {'' if call.run_as else '--user '}{verb}"


def _systemctl(call: ServiceCall, *words: str) -> None:
    program = shutil.which("systemctl")
    shown = _words(call, " ".join(words))
    if program is None:
        raise StageError(
            "there is no systemd on this machine; for cron: footage service show --cron"
        )
    own = () if call.run_as else ("--user",)
    environment: Mapping[str, str] = {**os.environ, "SYSTEMD_PAGER": "", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [program, "--no-ask-password", *own, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=_SYSTEMCTL_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StageError(f"`{shown}` could not be run ({type(error).__name__})") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StageError(f"`{shown}` failed: {said[-1] if said else f'exit {done.returncode}'}")
