"""Send the notices that ``[notify]`` asks for.  What fails is a warning and ends nothing.

Mail and command are used when a night went otherwise than the one before, and once a week, so that
people know that they still work.  What was sent last is kept in ``notices.json`` of the workspace.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from pipeline import post
from pipeline.config import Config, SmtpSection
from pipeline.console import Console
from pipeline.errors import FootageError
from pipeline.notices import gauges, memory, ping, program
from pipeline.notices.memory import KeptNight, KeptNotices
from pipeline.notices.night import Night
from pipeline.time_limit import within

_REMIND = timedelta(days=7)
_BUSY = 75
_WHOLE_S = 60.0
_STOPPING_S = 5.0


@dataclass(frozen=True)
class _Time:
    """How long a notice may take; ``end``: when all of them are over, None if nobody waits."""

    end: float | None

    def left(self) -> float:
        """The seconds for the last notice."""
        return _WHOLE_S if self.end is None else max(0.0, self.end - time.monotonic())

    def half(self) -> float:
        """The seconds for a notice that is followed by another one."""
        return _WHOLE_S if self.end is None else self.left() / 2


def announce_start(config: Config, console: Console, run: str, began: datetime) -> None:
    """Say that a night begins.

    :param run: the UUID of the night.
    """
    if config.notify.ping:
        _warn(console, "ping", ping.call(config.notify.ping, "start", run))
    night = KeptNight(run, began.isoformat(), memory.invocation())
    memory.save(config.root, memory.with_night(memory.load(config.root), night))


def announce_end(config: Config, console: Console, night: Night, *, stopping: bool = False) -> None:
    """Say how a night ended, to all that ``[notify]`` names.

    :param stopping: somebody waits for the program to end, so all ways share a few seconds.
    """
    clock = _Time(time.monotonic() + _STOPPING_S if stopping else None)
    faults = {}
    if config.notify.ping:
        faults["ping"] = _in_time(lambda: _pinged(config, night), clock)
    kept = memory.load(config.root)
    if night.exit_code == 0:
        kept["last_well"] = night.ended.timestamp()
    if night.exit_code != _BUSY:  # otherwise the run that holds the workspace says the rest
        if config.notify.prometheus:
            _warn(console, "prometheus", _gauged(config, night, kept))
        if (config.notify.mail or config.notify.command) and _is_due(config, night, kept):
            told = dict(_told(config, night, clock))
            if not any(told.values()):
                kept |= {"state": night.state, "told_at": night.ended.isoformat()}
            faults |= told
    for way, fault in faults.items():
        _warn(console, way, fault)
    kept = memory.with_night(kept, _ended(kept, night, is_told=not any(faults.values())))
    _warn(console, memory.FILE, memory.save(config.root, kept))


def _ended(kept: KeptNotices, night: Night, *, is_told: bool) -> KeptNight:
    """What is kept of a night that ended; if it told nobody, the service has to try it again."""
    began = KeptNight(night.run, night.began.isoformat(), memory.invocation())
    known = next((each for each in memory.nights(kept) if each.run == night.run), began)
    code = night.exit_code if is_told else None
    return replace(known, ended=night.ended.isoformat(), code=code)


def _gauged(config: Config, night: Night, kept: KeptNotices) -> str:
    last = kept.get("last_well")
    last_well = float(last) if isinstance(last, (int, float)) else None
    try:
        gauges.write(config.notify.resolve(config.notify.prometheus), night, last_well)
    except (OSError, FootageError) as error:
        return f"the file can't be written ({type(error).__name__})"
    return ""


def _told(config: Config, night: Night, clock: _Time) -> Iterator[tuple[str, str]]:
    """Send the mail and run the command; give what went wrong with each, or ""."""
    if config.notify.mail and config.smtp is not None:
        smtp = config.smtp
        yield "mail", _in_time(lambda: _mailed(config, smtp, night), clock)
    if config.notify.command:
        yield "command", program.run(config.notify.command, night, clock.left())


def _pinged(config: Config, night: Night) -> str:
    return ping.call(config.notify.ping, str(night.exit_code), night.run, night.text())


def _mailed(config: Config, smtp: SmtpSection, night: Night) -> str:
    try:
        post.send(smtp, _message(smtp, config.notify.mail, night))
    except FootageError as error:
        return str(error)
    return ""


def _in_time(send: Callable[[], str], clock: _Time) -> str:
    """Send a notice, in the time that is left."""
    seconds = clock.half()
    try:
        return within(seconds, send)
    except TimeoutError:
        stopped = ", and the run was stopped" if clock.end is not None else ""
        return f"no answer within {seconds:.0f} s{stopped}"


def _message(smtp: SmtpSection, to: Sequence[str], night: Night) -> EmailMessage:
    message = EmailMessage()
    message["From"] = smtp.sender
    message["To"] = ", ".join(to)
    message["Subject"] = night.title
    message["Date"] = format_datetime(night.ended)
    message["Message-ID"] = make_msgid(domain=smtp.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834, 5
    message.set_content(night.text())
    return message


def _is_due(config: Config, night: Night, kept: KeptNotices) -> bool:
    if config.notify.when == "always" or kept.get("state") != night.state:
        return True
    try:
        told = datetime.fromisoformat(str(kept["told_at"]))
        return night.ended - told >= _REMIND
    except (KeyError, ValueError, TypeError):
        return True


def _warn(console: Console, way: str, fault: str) -> None:
    if fault:
        console.warn(f"notify: {way}: {fault}")
