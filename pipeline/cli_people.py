"""``footage consent``: what senders agreed to."""

from __future__ import annotations

from collections.abc import Sequence

import click

from pipeline.commands.ending import Ending
from pipeline.consent import Consent
from pipeline.options import CommandOptions, common


@click.command()
@click.argument("what", nargs=-1, metavar="[MAIL|CLIP|ADDRESS]…")
@click.option(
    "--set",
    "wanted",
    type=click.Choice([str(each) for each in Consent]),
    help="What the sender agreed to.",
)
@click.option("--name", default="", help="The name to show, with yes-with-name.")
@click.option("--place", default="", help="The place to show, in the words of the sender's mail.")
@click.option("--by", default="", help="Who records it; by default the name of the user.")
@common
def consent(
    options: CommandOptions, /, what: Sequence[str], wanted: str | None, **details: str
) -> Ending:
    """Record what senders agreed to; without --set, list what is recorded."""
    from pipeline.commands.consent import ConsentCall, record
    from pipeline.commands.review import user

    by = details.pop("by") or user()
    call = ConsentCall(what, wanted or "", by=by, **details)
    return record(options.load(), options.console, call)


COMMANDS = (consent,)
