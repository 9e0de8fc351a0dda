"""``footage keep``, ``verify``, ``custody`` and ``move``: what is there, where, and proof of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.commands.ending import Ending
from pipeline.options import CommandOptions, common, work


@click.command()
@click.argument("shas", nargs=-1, metavar="[SHA]…")
@click.option("--why", default="", help="The reason, such as the number of the case.")
@click.option("--end", is_flag=True, help="Do not keep them any longer.")
@click.option("--by", default="", help="Who asks for it; by default the name of the user.")
@common
def keep(options: CommandOptions, shas: Sequence[str], why: str, by: str, *, end: bool) -> Ending:
    """Keep originals for a case, whatever their age; without SHA, list those that are kept."""
    from pipeline.commands.keep import KeepCall, keep
    from pipeline.commands.review import user

    return keep(options.load(), options.console, KeepCall(shas, by or user(), why, end))


@click.command()
@click.option("--head", default="", metavar="NUMBER:HASH", help="An event that must be there.")
@common
def verify(options: CommandOptions, head: str) -> Ending:
    """Hash originals, clips and montages, and check the ledger and its chain of custody."""
    from pipeline.commands.verify import verify

    return work(options, "verify", lambda run: verify(run, head))


@click.command()
@click.option("--clip", required=True, metavar="SHA", help="A SHA-256 prefix is enough.")
@click.option("--to", type=click.Path(path_type=Path), help="The folder for the two files.")
@common
def custody(options: CommandOptions, clip: str, to: Path | None) -> Ending:
    """Write what happened to a clip, from its mail to its end, as JSON and as a page."""
    from pipeline.commands.custody import write

    return write(options.load(), options.console, clip, to)


@click.command()
@common
def move(options: CommandOptions) -> Ending:
    """Move all footage to the store that the configuration names, or back into the workspace."""
    from pipeline.commands.move import move

    return work(options, "move", move)


COMMANDS = (keep, verify, custody, move)
