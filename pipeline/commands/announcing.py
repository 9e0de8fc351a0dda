"""Announce the beginning and the end of a night to all that ``[notify]`` names."""

import os
import signal
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from pipeline.commands import status
from pipeline.commands.ending import Ending
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import FootageError, Stopping, named
from pipeline.ledger import Ledger
from pipeline.notices.night import Night
from pipeline.workspace import Workspace

_KILLED = 128  # and the number of the signal, as shells count


def announced(config: Config, console: Console, work: Callable[[], Ending]) -> Ending:
    """Do *work*, and announce its beginning and how it ended.

    :raises FootageError: what *work* raises.
    """
    if not config.notify.is_used:
        return work()
    from pipeline.notices.deliver import announce_end, announce_start  # noqa: PLC0415 - loads HTTP, SMTP

    run, began = _new_run(), datetime.now(UTC)
    announce_start(config, console, run, began)
    try:
        ending = work()
    except BaseException as error:
        fault = named(error)
        night = _night(config, run, began, fault.exit_code)
        announce_end(config, console, night, stopping=isinstance(fault, Stopping))
        raise
    announce_end(config, console, _night(config, run, began, ending.exit_code))
    return ending


def announce_failure(config: Config, console: Console) -> Ending:
    """Announce that the service of the night failed; systemd calls this by ``OnFailure=``.

    A night that was killed, or could not begin, could not announce its end itself.  A night that
    could has done so: it is not announced again.  systemd names how it ended in
    ``$MONITOR_EXIT_CODE`` and ``$MONITOR_EXIT_STATUS`` (systemd.exec(5), since version 251).
    """
    from pipeline.notices import memory  # noqa: PLC0415 - only this command needs it
    from pipeline.notices.deliver import announce_end  # noqa: PLC0415 - it loads HTTP and SMTP

    how, what = os.environ.get("MONITOR_EXIT_CODE", ""), os.environ.get("MONITOR_EXIT_STATUS", "")
    if how == "exited" and what.isdecimal():
        code = int(what)
    else:
        known = what in (number.name.removeprefix("SIG") for number in signal.Signals)
        code = _KILLED + (signal.Signals[f"SIG{what}"] if known else signal.SIGKILL)
    now = datetime.now(UTC)
    night = memory.failed_night(memory.load(config.root), code, now)
    if night and night.has_spoken:
        return Ending(facts={"announced": None})
    run, began = (night.run, datetime.fromisoformat(night.began)) if night else (_new_run(), now)
    announce_end(config, console, _night(config, run, began, code))
    return Ending(facts={"announced": code})


def _new_run() -> str:
    return str(uuid.uuid4())


def _night(config: Config, run: str, began: datetime, code: int) -> Night:
    night = Night(config.campaign.name, run, began, datetime.now(UTC), code)
    try:
        return replace(night, counts=status.count(config), chain_head=_chain_head(config))
    except (FootageError, OSError):
        return night  # there is no ledger yet, or it can't be read: the exit code says so


def _chain_head(config: Config) -> str:
    with Ledger(Workspace.existing(config.root).ledger) as ledger:
        return str(ledger.chain.head())
