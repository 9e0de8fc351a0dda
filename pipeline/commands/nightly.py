"""``footage run``: ingest, process, report, a backup, and render if the config says so."""

import contextlib
import signal
import threading
from collections.abc import Sequence
from types import FrameType

from pipeline.commands import disk, log, older_ledger
from pipeline.commands.ending import Facts
from pipeline.commands.receipts import send_receipts
from pipeline.commands.stages import back_up, make_clips, take_in, write_report
from pipeline.commands.stamping import stamp_head
from pipeline.commands.unread import waits_for_room
from pipeline.errors import (
    FootageError,
    InboxError,
    StageError,
    Stopping,
    StoreError,
    named,
)
from pipeline.ledger import heads
from pipeline.process import stage as process
from pipeline.run import Run

_STOPPING_S = 3.0  # for the report; a run that was asked to stop ends within ten seconds


def work_all_night(run: Run, inboxes: Sequence[str] = ()) -> Facts:
    """Take in new mail, make the clips, write the report, and render if the config says so.

    :param inboxes: the names of the inboxes to read; none means all.
    :raises UsageError: there is no inbox of that name.
    :raises InboxError: an inbox could not be read to its end; it is raised after everything
        else was done with what had come in.
    :raises StoreError: a store beyond the workspace does not answer; what came in stays here.
    :raises StageError: a file could not be written; or all was done but films and receipts,
        because the ledger is older than its logs, or mails wait in an inbox because the disk has
        too little room.
    """
    is_older = heads.is_ledger_older(run.workspace, run.ledger)
    facts: Facts = {"ledger_is_older": True} if is_older else {}
    unread = None
    try:
        facts |= take_in(run, inboxes=inboxes)
    except InboxError as error:
        run.console.warn(f"ingest: {error}")
        unread = error
    except (StageError, OSError, KeyboardInterrupt) as error:
        raise _cut_short(run, facts, error) from error
    stopped = _why_not_for_others(run, is_older=is_older)
    try:
        facts |= make_clips(run)
        facts |= write_report(run)
        facts |= _make_again(run, facts)
        for step in _LAST_STEPS:
            if not (stopped and step in _FOR_OTHERS):
                facts |= step(run)
    except (FootageError, OSError, KeyboardInterrupt) as error:
        raise _cut_short(run, {**facts, **(unread.facts if unread else {})}, error) from error
    if unread is not None:
        if stopped is not None:
            run.console.warn(str(stopped))
        unread.facts = {**facts, **unread.facts}
        raise unread
    if stopped is not None:
        stopped.facts = facts
        raise stopped
    return facts


def _why_not_for_others(run: Run, *, is_older: bool) -> StageError | None:
    """Why no film is made and no receipt sent this night; None if both may be."""
    if is_older:
        return older_ledger.left_out("films and receipts")
    if run.config.montage.automatic or run.config.receipts.send:
        return waits_for_room(run.ledger, "films and receipts")
    return None


def _cut_short(run: Run, facts: Facts, error: BaseException) -> FootageError:
    """Write report and backup of a night that ends early, as far as that goes.

    :param facts: what was done.
    :returns: the error, with what was done; the first error counts.
    """
    fault = named(error)
    if "report" not in facts and not isinstance(fault, StoreError):
        write = _quick_report if isinstance(fault, Stopping) else write_report
        # the time may be over just as the report is written
        with contextlib.suppress(FootageError, OSError, _TimeOver):
            facts = {**facts, **write(run)}
    if not isinstance(fault, Stopping):
        with contextlib.suppress(FootageError, OSError):
            back_up(run)
    fault.facts = {**facts, **fault.facts}
    return fault


def _quick_report(run: Run) -> Facts:
    """Write the report if it takes little time, as a run that was asked to stop has to end soon.

    Each file of the report appears as a whole or not at all, and the next run writes what was not
    written in time.
    """

    def end(_number: int, _frame: FrameType | None) -> None:
        raise _TimeOver

    if threading.current_thread() is not threading.main_thread():
        return {}  # only the main thread gets signals
    before = signal.signal(signal.SIGALRM, end)
    try:
        signal.setitimer(signal.ITIMER_REAL, _STOPPING_S)
        return write_report(run)
    except (_TimeOver, FootageError, OSError):
        run.console.warn("the report is from before this night: it could not be written in time")
        return {}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _TimeOver(BaseException):
    """Not an Exception, so that nothing on the way takes it for a fault of a file."""


def _make_again(run: Run, facts: Facts) -> Facts:
    """Make the clips again whose stills were found to be lost, and write the report again."""
    match facts["report"]:
        case {"lost_stills": [*lost]} if lost:
            process.run(run, only=set(map(str, lost)))
            return write_report(run)
    return {}


def _tidy(run: Run) -> Facts:
    if not heads.is_ledger_older(run.workspace, run.ledger):  # the logs are the only proof
        log.thin_out(run.workspace, run.config.workspace.keep_logs_days)
    disk.trim_cache(run.workspace, run.store)
    return disk.measured(run)


def _make_films(run: Run) -> Facts:
    """Make the montages if the configuration asks for it, and anything is admitted to them."""
    if not run.config.montage.automatic:
        return {}
    from pipeline.commands import render  # noqa: PLC0415 - slow to load, and often not needed

    return render.make_montages(run) if render.admitted_rows(run) else {}


_LAST_STEPS = (send_receipts, back_up, _tidy, _make_films, stamp_head)
"""Answer senders, make the backup, delete what is old, render if wanted, stamp the chain."""

_FOR_OTHERS = (send_receipts, _make_films)
"""What other people see.  An older ledger may have forgotten who took footage back, and a mail
that waits because the disk is too full may do so."""
