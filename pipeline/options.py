"""The options that every command takes, and how a command of the workspace is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import click

from pipeline.commands.ending import Ending, Facts
from pipeline.console import Console, Verbosity

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.run import Run

P = ParamSpec("P")


@dataclass(frozen=True)
class CommandOptions:
    """The options that may be given before or after any command's name."""

    config: Path = Path("config.toml")
    flags: frozenset[str] = frozenset()

    @property
    def console(self) -> Console:
        """A console that says as much as was asked for."""
        if "quiet" in self.flags:
            return Console(Verbosity.QUIET)
        return Console(Verbosity.VERBOSE if "verbose" in self.flags else Verbosity.NORMAL)

    def load(self) -> Config:
        """The configuration that was named.

        :raises ConfigError: it is faulty.
        """
        from pipeline.config import load

        return load(self.config)


def _keep_config(context: click.Context, _: click.Parameter, value: Path | None) -> None:
    options = context.ensure_object(CommandOptions)
    context.obj = replace(options, config=value or options.config)


_flag = partial(click.option, is_flag=True, expose_value=False)  # see find_flags
_COMMON = (
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        help="The configuration file.",
        expose_value=False,
        callback=_keep_config,
    ),
    _flag("--json", help="One JSON object on standard output."),
    _flag("-v", "--verbose", help="Say more."),
    _flag("-q", "--quiet", help="Say only warnings and errors."),
)


def common(command: Callable[Concatenate[CommandOptions, P], Ending]) -> Callable[P, Ending]:
    """Add the common options to a command, which gets them as its first argument."""
    wrapped = click.pass_obj(command)
    for option in reversed(_COMMON):
        wrapped = option(wrapped)
    return wrapped


def work(options: CommandOptions, command: str, step: Callable[[Run], Facts]) -> Ending:
    """Run a command that holds the workspace."""
    from pipeline.commands.session import execute

    return execute(options.load(), options.console, command, step)
