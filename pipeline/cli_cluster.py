"""``footage worker``, ``scheduler`` and ``certificates``: the other machines of a cluster."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.ending import Ending
from pipeline.options import CommandOptions, common


@click.command()
@click.option(
    "--slots",
    type=click.IntRange(0, 256),
    default=0,
    help="How many clips at once; by default one for each processor core.",
)
@click.option("--scratch", type=click.Path(path_type=Path), help="The folder for unfinished clips.")
@common
def worker(options: CommandOptions, slots: int, scratch: Path | None) -> Ending:
    """Make clips for a coordinator on another machine, until Ctrl-C."""
    from pipeline.commands.cluster import WorkerCall, work

    return work(options.load(), options.console, WorkerCall(slots, scratch))


@click.command()
@click.option("--host", default="", help="The address to listen at, if not that of the file.")
@common
def scheduler(options: CommandOptions, host: str) -> Ending:
    """Run a scheduler, which brings coordinator and workers together, until Ctrl-C."""
    from pipeline.commands.cluster import run_scheduler

    return run_scheduler(options.load(), options.console, host)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@common
def certificates(_options: CommandOptions, folder: Path) -> Ending:
    """Write a certificate for the machines of a cluster into DIR, signed by an authority there."""
    from pipeline.commands.cluster import make_certificates

    return make_certificates(folder)


COMMANDS = (worker, scheduler, certificates)
