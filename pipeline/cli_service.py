"""``footage service``: the commands below it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.ending import Ending
from pipeline.options import CommandOptions, P, common

if TYPE_CHECKING:
    from pipeline.commands.service import ServiceCall


@click.group()
@common
def service(_options: CommandOptions) -> Ending:
    """Have the night run by itself, by systemd or cron."""
    return Ending()


_service_name = click.option(
    "--name", default="footage", show_default=True, help="The name of the units."
)
_service_user = click.option(
    "--run-as", default="", metavar="USER", help="A service of the whole system, run by USER."
)
_service_folder = click.option(
    "--to", type=click.Path(path_type=Path), help="Use this folder and do not call systemd."
)
_SERVICE = (
    _service_name,
    _service_user,
    click.option("--at", default="02:15", show_default=True, help="The time of day."),
    click.option(
        "--credential",
        "credentials",
        multiple=True,
        metavar="NAME=FILE",
        help="A secret that systemd reads from FILE, such as FOOTAGE_IMAP_PASSWORD=/etc/….",
    ),
    click.option("--memory", default="", help="The most memory, such as 8G."),
    click.option("--cpu", default="", help="The most CPU, such as 150%: one core and a half."),
    click.option(
        "--hours",
        type=click.IntRange(1, 48),
        default=12,
        show_default=True,
        help="A night that takes longer is ended.",
    ),
)


def _call() -> ServiceCall:
    """What the options of the current command ask for."""
    from pipeline.commands.service import ServiceCall

    params = click.get_current_context().params
    return ServiceCall(
        **{field.name: params[field.name] for field in fields(ServiceCall) if field.name in params}
    )


def _planned(command: Callable[P, Ending]) -> Callable[P, Ending]:
    for option in reversed(_SERVICE):
        command = option(command)
    return command


@service.command()
@_planned
@click.option("--cron", is_flag=True, help="The line for cron instead.")
@common
def show(options: CommandOptions, /, *, cron: bool, **_: object) -> Ending:
    """Print the units of systemd, or the line for cron, and change nothing."""
    from pipeline.commands.service import show

    return show(options.load(), options.config, _call(), cron=cron)


@service.command()
@_planned
@_service_folder
@click.option("--force", is_flag=True, help="Write over units that this program did not write.")
@common
def install(options: CommandOptions, /, **_: object) -> Ending:
    """Write the units, and have systemd start the timer."""
    from pipeline.commands.service import install

    return install(options.load(), options.console, options.config, _call())


@service.command()
@_service_name
@_service_user
@_service_folder
@common
def remove(options: CommandOptions, /, **_: object) -> Ending:
    """Stop the timer and delete the units; the workspace stays."""
    from pipeline.commands.service import remove

    return remove(options.console, _call())


@service.command(hidden=True)
@common
def failed(options: CommandOptions) -> Ending:
    """Announce that a night failed; the unit of the service calls this."""
    from pipeline.commands.announcing import announce_failure

    return announce_failure(options.load(), options.console)
