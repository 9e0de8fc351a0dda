"""Send the notices that ``[notify]`` asks for.  What fails is a warning and ends nothing.

Mail and command are used when a night went otherwise than the one before, and once a week, so that
people know that they still work.  What was sent last is kept in ``notices.json`` of the workspace.
"""

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

from pipeline import post, publishing
from pipeline.config import Config, SmtpSection
from pipeline.console import Console
from pipeline.errors import FootageError
from pipeline.notices import gauges, ping, program
from pipeline.notices.night import Night

_FILE = "notices.json"
_REMIND = timedelta(days=7)
_BUSY = 75
_STOPPING_S = 3.0
_SECRET = re.compile(r"FOOTAGE_.*(?:PASSWORD|TOKEN|SECRET|KEY)", re.IGNORECASE)
_SECRET_OF_STORE = re.compile(
    r"(?:AWS|AZURE|GOOGLE)_.*(?:PASSWORD|TOKEN|SECRET|KEY).*", re.IGNORECASE
)


def announce_start(config: Config, console: Console, run: str) -> None:
    """Say that a night begins.

    :param run: the UUID of the night.
    """
    if config.notify.ping:
        _warn(console, "ping", ping.call(config.notify.ping, "start", run))


def announce_end(config: Config, console: Console, night: Night, *, stopping: bool = False) -> None:
    """Say how a night ended, to all that ``[notify]`` names.

    :param stopping: somebody waits for the program to end, so each way has a few seconds only.
    """
    if config.notify.ping:
        fault = _in_time(lambda: _pinged(config, night), stopping=stopping)
        _warn(console, "ping", fault)
    if night.exit_code == _BUSY:
        return  # the run that holds the workspace says the rest
    kept = _kept(config.root)
    if night.exit_code == 0:
        kept["last_well"] = night.ended.timestamp()
    if config.notify.prometheus:
        _warn(console, "prometheus", _gauged(config, night, kept))
    if (config.notify.mail or config.notify.command) and _is_due(config, night, kept):
        faults = {way: fault for way, fault in _told(config, night, stopping=stopping) if fault}
        for way, fault in faults.items():
            _warn(console, way, fault)
        if not faults:
            kept |= {"state": night.state, "told_at": night.ended.isoformat()}
    _warn(console, _FILE, _keep(config.root, kept))


def _gauged(config: Config, night: Night, kept: dict[str, object]) -> str:
    last = kept.get("last_well")
    last_well = float(last) if isinstance(last, (int, float)) else None
    try:
        gauges.write(config.notify.resolve(config.notify.prometheus), night, last_well)
    except (OSError, FootageError) as error:
        return f"the file can't be written ({type(error).__name__})"
    return ""


def _told(config: Config, night: Night, *, stopping: bool) -> Iterator[tuple[str, str]]:
    """Send the mail and run the command; give what went wrong with each, or ""."""
    if config.notify.mail and config.smtp is not None:
        smtp = config.smtp
        yield "mail", _in_time(lambda: _mailed(config, smtp, night), stopping=stopping)
    if config.notify.command:
        seconds = (_STOPPING_S,) if stopping else ()
        yield "command", program.run(config.notify.command, night, _secrets(config), *seconds)


def _pinged(config: Config, night: Night) -> str:
    return ping.call(config.notify.ping, str(night.exit_code), night.run, night.text())


def _mailed(config: Config, smtp: SmtpSection, night: Night) -> str:
    try:
        post.send(smtp, _message(smtp, config.notify.mail, night))
    except FootageError as error:
        return str(error)
    return ""


def _in_time(send: Callable[[], str], *, stopping: bool) -> str:
    """Send a notice; while the program is stopping, wait a few seconds at most.

    It is sent by a thread then, because no time limit ends the search for the name of a host.
    """
    if not stopping:
        return send()
    faults: list[str] = []
    thread = threading.Thread(target=lambda: faults.append(send()), daemon=True)
    thread.start()
    thread.join(_STOPPING_S)
    return faults[0] if faults else f"no answer within {_STOPPING_S:.0f} s, and the run was stopped"


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


def _secrets(config: Config) -> set[str]:
    """The environment variables that hold a secret, also one that no table names now."""
    names = {name for name in os.environ if _SECRET.fullmatch(name)}
    if config.workspace.store:
        names |= {name for name in os.environ if _SECRET_OF_STORE.fullmatch(name)}
    names |= {inbox.password_env for inbox in config.inbox}
    for inbox in config.inbox:
        if inbox.oauth2 is not None:
            names |= {inbox.oauth2.client_secret_env, inbox.oauth2.refresh_token_env}
    if config.smtp is not None:
        names.add(config.smtp.password_env)
    return names


def _is_due(config: Config, night: Night, kept: dict[str, object]) -> bool:
    if config.notify.when == "always" or kept.get("state") != night.state:
        return True
    try:
        told = datetime.fromisoformat(str(kept["told_at"]))
        return night.ended - told >= _REMIND
    except (KeyError, ValueError, TypeError):
        return True


def _kept(root: Path) -> dict[str, object]:
    try:
        kept = json.loads((root / _FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(root: Path, kept: dict[str, object]) -> str:
    if not root.is_dir():
        return ""  # nothing was ever taken in
    try:
        publishing.write_text(root / _FILE, json.dumps(kept))
    except (OSError, FootageError) as error:
        return f"it can't be written ({type(error).__name__})"
    return ""


def _warn(console: Console, way: str, fault: str) -> None:
    if fault:
        console.warn(f"notify: {way}: {fault}")
