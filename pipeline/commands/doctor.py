"""``footage doctor``: check what a nightly run needs, and say how to repair what is missing."""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from PIL import features

from pipeline.commands import older_ledger, stamping
from pipeline.commands.ending import Ending
from pipeline.config import Config, load
from pipeline.console import Console, Verbosity
from pipeline.errors import FootageError, named
from pipeline.faces import model_file
from pipeline.ffmpeg import sandbox, seccomp
from pipeline.ffmpeg.faults import free_bytes
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.ingest import stage as ingest
from pipeline.jobs import engines
from pipeline.ledger import Ledger, heads
from pipeline.media import fonts
from pipeline.render import readiness
from pipeline.store import opening
from pipeline.workspace import Workspace

_LOW_SPACE = 5 << 30
_SCOPED = 6  # the version of Landlock from which it keeps signals in


@dataclass(frozen=True)
class Check:
    """The result of one check; ``text`` says what was found, or what to do."""

    name: str
    ok: bool
    text: str


def examine(path: Path) -> Ending:
    """Make all checks; a faulty configuration leaves out those that need it."""
    try:
        config = load(path)
    except FootageError as error:
        checks = [Check("config", ok=False, text=str(error)), *_programs("auto")]
    else:
        checks = [Check("config", ok=True, text=str(path)), *_programs(config.process.sandbox)]
        checks.append(_checked("fonts", lambda: _fonts(config)))
        checks.append(_checked("montage", lambda: readiness.check(config)))
        if config.looks_for_faces:
            checks.append(_checked("faces", lambda: _faces(config)))
        if config.custody.timestamp:
            checks.append(_checked("time stamps", lambda: stamping.examine(config)))
        checks.append(_checked("disk space", lambda: _space(config)))
        workspace = Workspace(config.root)
        ledger = _checked("ledger", lambda: _ledger(workspace))
        checks += [] if ledger.ok else [ledger]
        if opening.is_used(config, workspace):
            checks.append(_checked("store", lambda: opening.examine(config, workspace)))
        if config.cluster.scheduler:
            checks.append(_checked("cluster", lambda: engines.examine(config.cluster)))
        for inbox in config.inbox:
            name = "inbox login" if inbox.kind.is_on_server else "inbox"
            name += f" {inbox.name}" if inbox.name else ""
            checks.append(_checked(name, partial(ingest.check, inbox, workspace)))
    return Ending(
        0 if all(check.ok for check in checks) else 1,
        {"checks": [asdict(check) for check in checks]},
        tuple(f"{'ok    ' if c.ok else 'FAULT '} {c.name}: {c.text}" for c in checks),
    )


def _ledger(workspace: Workspace) -> str:
    """Find a ledger that can't be read, or is older than its logs; the first run makes one."""
    if workspace.ledger.exists():
        with Ledger(workspace.ledger) as ledger:
            if heads.is_ledger_older(workspace, ledger):
                raise FootageError(older_ledger.OLDER)
    return ""


def _programs(wanted: str) -> list[Check]:
    return [
        _checked("sandbox", lambda: _sandbox(wanted)),
        _checked("ffmpeg", lambda: _ffmpeg(wanted)),
    ]


def _checked(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, ok=True, text=check())
    except (FootageError, OSError) as error:
        return Check(name, ok=False, text=str(named(error)))


def _sandbox(wanted: str) -> str:
    mode = sandbox.choose(wanted).mode
    if mode is sandbox.Mode.NONE:
        return (
            'switched off ([process] sandbox = "none"): FFmpeg reads files of strangers unguarded'
        )
    return f"{mode}; {'; '.join(_uncovered(mode))}"


def _uncovered(mode: sandbox.Mode) -> Iterator[str]:
    """What the wall does not keep out on this kernel."""
    if mode is sandbox.Mode.LANDLOCK:
        abi = sandbox.kernel_landlock_abi()
        yield f"version {abi} of Landlock"
        yield "a program can see names of files and other programs, but not what is in them"
        if abi < _SCOPED:
            yield "signals and connections are kept out by the filter of system calls alone"
    if not seccomp.program():
        yield "there is no filter of system calls for this processor"
    yield "a fault of the kernel is not covered"


def _ffmpeg(wanted: str) -> str:
    runner = FfmpegRunner(wanted, Console(Verbosity.QUIET))
    ended = runner.run("doctor", [program(), "-hide_banner", "-version"], Permissions())
    if not ended.ok:
        raise FootageError("it does not start; install it again with: make install")
    return ended.stdout.decode("utf-8", "replace").split(" Copyright")[0].strip()


def _fonts(config: Config) -> str:
    texts = [*config.campaign.hashtags, config.campaign.name, config.campaign.handle]
    texts += [tag for category in config.campaign.category for tag in category.hashtags]
    texts += [config.montage.opening_card or ""]
    for word in " ".join(texts).split():
        fonts.font_for(word, 20)
    shaping = "with" if features.check("raqm") else "without"
    return f"every character of the captions has a glyph; {shaping} shaping"


def _faces(config: Config) -> str:
    own = config.protect.own_model
    model_file.check(own)
    model_file.check_answers(own, FfmpegRunner(config.process.sandbox, Console(Verbosity.QUIET)))
    return f"the model is {own or 'CenterFace'}"


def _space(config: Config) -> str:
    folder = config.root
    while not folder.exists():
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise FootageError(f"{folder} is not a folder that can be written: change [workspace] path")
    free = free_bytes(folder)
    text = f"{free / 2**30:.1f} GiB free at {folder}"
    if free < _LOW_SPACE:
        text += "; a night may need more than that: make room or move [workspace] path"
        raise FootageError(text)
    return text
