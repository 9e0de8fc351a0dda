"""``footage log``: read the logs of the runs, and delete those that are too old."""

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.commands.ending import Ending, Facts
from pipeline.commands.older_ledger import opened_ledger
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import DiskFull, LedgerError, UsageError
from pipeline.workspace import Workspace

_LATEST = 20
_DAY = "%Y%m%d"
_RUN_ID = "%Y%m%dT%H%M%S.%fZ"
# The largest log that is shown whole; a longer one is cut at its end.
_LONGEST = 64 << 20


def show(config: Config, console: Console, prefix: str | None) -> Ending:
    """List the latest runs, or show the log of one.

    :param prefix: the beginning of a run's name, "last" for the newest; None lists.
    :raises UsageError: there is no workspace, or not exactly one such run.
    """
    workspace = Workspace.existing(config.root)
    if workspace.ledger.exists():
        # only to say if it is older; the logs can also be read if the ledger can't, or if opening
        # it needs room on a full disk
        with contextlib.suppress(LedgerError, DiskFull), opened_ledger(config, console):
            pass
    logs = sorted(workspace.logs.glob("*.jsonl"))
    if prefix is None:
        runs = [_summary(path) for path in logs[-_LATEST:]]
        return Ending(facts={"runs": runs}, lines=tuple(_run_line(run) for run in runs))
    found = [path for path in logs if path.name.startswith(prefix)]
    if prefix == "last":
        found = logs[-1:]
    if len(found) != 1:
        many = "more than one log begins" if found else "no log begins"
        raise UsageError(f"{many} with {prefix!r}; `footage log` lists them")
    events = list(_events(found[0]))
    return Ending(
        facts={"run": found[0].stem, "events": events},
        lines=tuple(_event_line(event) for event in events),
    )


def not_recorded(workspace: Workspace, known: Collection[str]) -> Facts | None:
    """What the log says of the newest night that the ledger does not know; None if there is none.

    If the disk is full from the beginning of a run on, the ledger gets no row of it.  Its log may
    be empty then, so that it is not known which command it was.

    :param known: the names of the last night in the ledger, and of all runs since.
    """
    last = min(known, default="")
    for path in sorted(workspace.logs.glob("*.jsonl"), reverse=True):
        if path.stem <= last:
            break
        with contextlib.suppress(ValueError):
            begun = datetime.strptime(path.stem, _RUN_ID).replace(tzinfo=UTC)
            found = _summary(path)
            if path.stem not in known and found["command"] in ("run", "?"):
                error = found["error"] or "the disk was full, or the program was killed"
                at = begun.isoformat(timespec="seconds").replace("+00:00", "Z")
                return {"run": path.stem, "began": at, "error": error}
    return None


def thin_out(workspace: Workspace, days: int) -> int:
    """Delete the logs of runs that began more than *days* days ago; return how many.

    The heads of the chain and the acts of days before go too, but for acts that the oldest backup
    does not know: if it is put back, they tell what it has forgotten.  A file with another name
    stays.
    """
    limit = datetime.now(UTC) - timedelta(days=days)
    old = _before(workspace.logs.glob("*.jsonl"), _RUN_ID, limit)
    days_old = _before(workspace.heads.glob("*.*"), _DAY, limit - timedelta(days=1))
    backups = (workspace.ledger.parent / "backups").glob("ledger-*.db")
    oldest = min((path.name[7:17].replace("-", "") for path in backups), default="99999999")
    for path in (*old, *days_old):
        if path.suffix != ".jsonl" or path in old or path.stem < oldest:
            path.unlink()
    return len(old)


def _before(paths: Iterable[Path], form: str, limit: datetime) -> list[Path]:
    """The files whose names say a moment before *limit* in this form."""
    found = []
    for path in paths:
        with contextlib.suppress(ValueError):
            if datetime.strptime(path.stem, form).replace(tzinfo=UTC) < limit:
                found.append(path)
    return found


def _events(path: Path) -> Iterator[dict[str, object]]:
    """The events of a log; the last line may be cut off, if the run was killed."""
    with path.open("rb") as file:
        for line in file.read(_LONGEST).splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def _summary(path: Path) -> dict[str, object]:
    """What happened in a run, in one record."""
    first: Mapping[str, object] = {}
    last: Mapping[str, object] = {}
    programs = clips = warnings = 0
    for event in _events(path):
        kind = event.get("event")
        first = event if kind == "run-begun" else first
        last = event if kind == "run-ended" else last
        programs += kind == "program"
        clips += kind == "clip"
        warnings += kind == "warning"
    return {
        "run": path.stem,
        "command": first.get("command", "?"),
        "began": first.get("at"),
        "ended": last.get("at"),
        "exit_code": last.get("exit_code"),
        "error": last.get("error"),
        "programs": programs,
        "clips": clips,
        "warnings": warnings,
    }


def _run_line(run: Mapping[str, object]) -> str:
    ended = f"exit {run['exit_code']}" if run["ended"] else "has no end"
    error = f": {run['error']}" if run["error"] else ""
    counts = f"{run['clips']} clips, {run['programs']} programs, {run['warnings']} warnings"
    return f"{run['run']}  footage {run['command']}, {ended}, {counts}{error}"


def _event_line(event: Mapping[str, object]) -> str:
    facts = {key: value for key, value in event.items() if key not in ("at", "event", "argv")}
    said = ", ".join(
        f"{key} {_shown(value)}" for key, value in facts.items() if value or value == 0
    )
    return f"{event.get('at')}  {event.get('event')}{': ' if said else ''}{said}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
