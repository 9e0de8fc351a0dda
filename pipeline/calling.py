"""How the command line is called and how it ends: every way out is an exit code and a sentence."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from typing import TextIO

import click

from pipeline.commands.ending import Ending
from pipeline.errors import FootageError, InternalError, Stopping, named

HELP_OPTIONS = ["-h", "--help"]


def run_program(command: click.Group, options: object, flags: frozenset[str]) -> int:
    """Call the command that the arguments of this program name, and print how it ended.

    :param options: the object that click gives to the command.
    :param flags: see :func:`find_flags`.
    :returns: the exit code.
    """
    ending = _call(command, options, flags)
    code = ending.exit_code if ending else 0
    try:
        if ending is not None:
            for line in (ending.json(),) if "json" in flags else ending.lines:
                click.echo(line)
        sys.stdout.flush()
    except OSError as error:
        _drop(sys.stdout)
        if not code and not isinstance(error, BrokenPipeError):
            _said(named(error))
        code = code or 1
    try:
        sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)
    return code


def open_closed_streams() -> None:
    """Open the null device for each standard stream that the caller closed.

    Otherwise a file of the workspace would get its number, and messages would be written into it.
    """
    while (handle := os.open(os.devnull, os.O_RDWR)) <= 2:  # the lowest free number
        pass
    os.close(handle)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w"))


def find_flags(command: click.Command, arguments: list[str]) -> frozenset[str]:
    """The names of the options in *arguments*, as click's parser reads them.

    Click stops at the first fault; here unknown words are passed over, so that what follows
    them is known too.
    """
    # a command keeps the help option of the context that asks first, so the names are given here
    context = click.Context(
        command, resilient_parsing=True, ignore_unknown_options=True,
        help_option_names=HELP_OPTIONS, allow_extra_args=True,
    )  # fmt: skip
    found, rest, _ = command.make_parser(context).parse_args(list(arguments))
    names = frozenset(found)
    if isinstance(command, click.Group):
        while rest and rest[0].startswith("-"):
            rest.pop(0)
        if rest:
            inner = command.commands.get(rest[0]) or click.Command("", params=command.params)
            names |= find_flags(inner, rest[1:])
    return names


def _call(command: click.Group, options: object, flags: frozenset[str]) -> Ending | None:
    """Call the command, and turn whatever it raises into an ending."""
    arguments = sys.argv[1:]
    try:
        with _interruptible():
            ending = command.main(
                arguments, prog_name="footage", standalone_mode=False, obj=options
            )
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return Ending(error.exit_code, {"error": error.format_message()})
    except click.Abort:
        return _said(Stopping())
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - every ending is a sentence
        fault = named(error)
        trace = fault.trace if isinstance(fault, InternalError) else ()
        return _said(fault, "".join(trace) if "verbose" in flags else "")
    # where click showed a help text, there is nothing more to show
    return ending if isinstance(ending, Ending) else None


def _said(error: FootageError, trace: str = "") -> Ending:
    with contextlib.suppress(OSError):  # nobody can read standard error
        click.echo(f"{trace}footage: {error}", err=True)
    return Ending(error.exit_code, {"error": str(error), **error.facts})


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM through; ``__main__`` holds them back before it.

    They are ignored after it.  Holding them back is not enough then: it holds for one thread only,
    and another one that still runs would take them.
    """
    stops = (signal.SIGINT, signal.SIGTERM)
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if before.issuperset(stops):  # not where a test calls the command
            for number in stops:
                signal.signal(number, signal.SIG_IGN)


def _drop(stream: TextIO) -> None:
    """Drop what a stream still holds; it would raise once more when Python ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
