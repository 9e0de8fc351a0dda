"""The command ``footage``: arguments in, an exit code and one JSON object or sentences out.

A command imports what it needs when it is called, and not at the top of this module: so
``footage --help`` and wrong usage answer in a quarter of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pipeline import __version__
from pipeline.calling import HELP_OPTIONS, find_flags, open_closed_streams, run_program
from pipeline.cli_cluster import COMMANDS as CLUSTER_COMMANDS
from pipeline.cli_custody import COMMANDS as CUSTODY_COMMANDS
from pipeline.cli_help import CommandsInOrder
from pipeline.cli_people import COMMANDS as PEOPLE_COMMANDS
from pipeline.cli_service import service
from pipeline.commands.ending import Ending
from pipeline.errors import UsageError
from pipeline.model import Decision, Review
from pipeline.options import CommandOptions, common, work

_LONGEST_PREVIEW_S = 86_400


@click.group(cls=CommandsInOrder, context_settings={"help_option_names": HELP_OPTIONS})
@click.version_option(__version__)
@common
def cli(_options: CommandOptions) -> Ending:
    """Make a montage of mailed-in footage, after all locations were removed from it."""
    return Ending()


_inboxes = click.option(
    "--inbox", "inboxes", multiple=True, metavar="NAME", help="Read only the inbox of this name."
)


@cli.command()
@_inboxes
@common
def run(options: CommandOptions, inboxes: Sequence[str]) -> Ending:
    """Do the whole night's work: ingest, process, report; render if the config says so."""
    from pipeline.commands.announcing import announced
    from pipeline.commands.nightly import work_all_night
    from pipeline.commands.session import execute

    config, console = options.load(), options.console
    return announced(
        config,
        console,
        lambda: execute(config, console, "run", lambda run: work_all_night(run, inboxes)),
    )


@cli.command()
@click.option("--dry-run", is_flag=True, help="List what would come in and change nothing.")
@_inboxes
@common
def ingest(options: CommandOptions, inboxes: Sequence[str], *, dry_run: bool) -> Ending:
    """Take in new mail: attachments become originals in the workspace."""
    from pipeline.commands.stages import take_in

    return work(options, "ingest", lambda run: take_in(run, dry_run=dry_run, inboxes=inboxes))


@cli.command()
@common
def process(options: CommandOptions) -> Ending:
    """Make a clean, normalized, captioned clip of every original that has none."""
    from pipeline.commands.stages import make_clips

    return work(options, "process", make_clips)


@cli.command()
@click.argument("outputs", nargs=-1)
@click.option("--preview", is_flag=True, help="Make a small, quick film of a part instead.")
@click.option(
    "--seconds",
    type=float,
    default=30.0,
    show_default=True,
    help="How much of it a preview shows.",
)
@click.option("--from", "clip", default="", metavar="SHA", help="The clip a preview begins with.")
@common
def render(
    options: CommandOptions, outputs: Sequence[str], *, preview: bool, seconds: float, clip: str
) -> Ending:
    """Join the clips that the review admits into the montage of each output, or of OUTPUTS."""
    if clip and not preview:
        raise UsageError("--from is for --preview; a montage is always whole")
    if not 0.1 <= seconds <= _LONGEST_PREVIEW_S:  # NaN is refused here too
        raise UsageError(f"--seconds must be a number from 0.1 to {_LONGEST_PREVIEW_S:,}")
    from pipeline.commands.render import make_montages
    from pipeline.render.preview import Excerpt

    excerpt = Excerpt(seconds, clip) if preview else None
    return work(options, "render", lambda run: make_montages(run, outputs, excerpt))


@cli.command()
@click.argument("outputs", nargs=-1)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["otio", "fcpxml", "edl", "mlt"]),
    required=True,
    help="What the editing program reads.",
)
@common
def export(options: CommandOptions, outputs: Sequence[str], *, kind: str) -> Ending:
    """Write the montage of each output, or of OUTPUTS, as a timeline for an editing program."""
    from pipeline.commands.render import write_timelines

    return work(options, "export", lambda run: write_timelines(run, kind, outputs))


@cli.command()
@click.option(
    "--pack",
    "target",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Also put it with its clips into one folder, or one file if PATH ends in .zip.",
)
@common
def report(options: CommandOptions, *, target: Path | None) -> Ending:
    """Write the per-clip report: index.html, report.json, report.csv."""
    from pipeline.commands.stages import pack_report, write_report

    return work(options, "report", lambda r: pack_report(r, target) if target else write_report(r))


@cli.command()
@click.argument("shas", nargs=-1)
@common
def retry(options: CommandOptions, shas: Sequence[str]) -> Ending:
    """Have failed clips made, and unread mails read again: all, or those that begin with SHAS."""
    from pipeline.commands import stages

    return work(options, "retry", lambda run: stages.retry(run, shas))


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@common
def add(options: CommandOptions, paths: Sequence[Path]) -> Ending:
    """Bring in files that came by another way than mail."""
    from pipeline.commands.stages import add_files

    return work(options, "add", lambda run: add_files(run, paths))


@cli.command()
@click.option("--clip", metavar="SHA", help="One original; a SHA-256 prefix is enough.")
@click.option("--submission", metavar="ID", help="All that came in one mail.")
@click.option("--sender", metavar="ADDRESS", help="All that came from one address.")
@click.option("--case", metavar="CODE", help="All that a receipt with this code was for.")
@click.option("--also-kept", is_flag=True, help="Also what is kept for a case (footage keep).")
@click.option("--dry-run", is_flag=True, help="List what would be deleted and change nothing.")
@common
def withdraw(options: CommandOptions, /, *, dry_run: bool, **what: str | None) -> Ending:
    """Delete footage that somebody takes back, and name the montages that hold it."""
    from pipeline.commands.withdraw import Selection, take_back

    also_kept = bool(what.pop("also_kept"))
    selection = Selection(**what, also_kept=also_kept)
    return work(options, "withdraw", lambda run: take_back(run, selection, dry_run=dry_run))


@cli.command()
@click.option("--dry-run", is_flag=True, help="List what would be deleted and change nothing.")
@common
def purge(options: CommandOptions, *, dry_run: bool) -> Ending:
    """Delete the originals that were kept for more than retain_originals_days."""
    from pipeline.commands.purge import purge_by_hand

    return work(options, "purge", lambda run: purge_by_hand(run, dry_run=dry_run))


@cli.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@click.option("--by", default="", help="Who has read them; by default the name of the user.")
@click.option("--undo", is_flag=True, help="They wait for an answer again.")
@common
def handled(options: CommandOptions, ids: Sequence[str], by: str, *, undo: bool) -> Ending:
    """Say that a person has read mails and dealt with them."""
    from pipeline.commands.handled import Marking, mark
    from pipeline.commands.review import user

    return mark(options.load(), options.console, Marking(ids, by or user(), undo))


@cli.command()
@click.option("--to", type=click.Path(path_type=Path), help="The folder for the letters.")
@click.option("--send", "sends", is_flag=True, help="Send what is in its folder approved/.")
@common
def letters(options: CommandOptions, *, to: Path | None, sends: bool) -> Ending:
    """Write a draft of an answer for each mail that needs one; send only what was approved."""
    from pipeline.commands.letters import write_drafts
    from pipeline.commands.sending import send_approved

    return work(options, "letters", lambda run: (send_approved if sends else write_drafts)(run, to))


@cli.command()
@common
def status(options: CommandOptions) -> Ending:
    """Count the clips by state; say how the last night ended, what failed and who has to act."""
    from pipeline.commands.status import tell

    return tell(options.load())


@cli.command()
@click.argument("run", required=False, metavar="[RUN]")
@common
def log(options: CommandOptions, run: str | None) -> Ending:
    """List the latest runs, or show the log of RUN ("last", or the beginning of its name)."""
    from pipeline.commands.log import show

    return show(options.load(), options.console, run)


@cli.command()
@click.option("--repair", is_flag=True, help="Make ledger and disk agree again.")
@click.option("--dry-run", is_flag=True, help="With --repair: list what would be done.")
@common
def doctor(options: CommandOptions, *, repair: bool, dry_run: bool) -> Ending:
    """Check all that a run needs, from config to inbox and cluster, and say what to do."""
    if repair:
        from pipeline.commands.repair import repair as mend

        return work(options, "doctor", lambda run: mend(run, dry_run=dry_run))
    if dry_run:
        raise UsageError("--dry-run is for --repair; the checks change nothing")
    from pipeline.commands.doctor import examine

    return examine(options.config)


cli.add_command(service)
for _command in (*CUSTODY_COMMANDS, *PEOPLE_COMMANDS, *CLUSTER_COMMANDS):
    cli.add_command(_command)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo"), metavar="[DIR]")
@common
def demo(options: CommandOptions, folder: Path) -> Ending:
    """Run everything on a small sample inbox, made in DIR (default ./demo)."""
    from pipeline.demo.tour import walk

    return walk(folder, options.console)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any that is free.")
@click.option(
    "--by",
    "names",
    multiple=True,
    metavar="NAME",
    help="Who decides, once for each reviewer. Each name gets a link of its own, which decides "
    "under that name only. NAME:editor orders the montage and comments, but decides nothing. "
    "NAME:media also sees the addresses of senders. "
    "Without it, a reviewer can give any name; by default it is the user's.",
)
@click.option(
    "--open", "opens", is_flag=True, help="Open the browser, with the link of the first name."
)
@click.option(
    "--bind",
    "address",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Let other machines reach it at this address of this machine, by TLS only. It needs --by.",
)
@click.option("--host", default="", metavar="NAME", help="By which name reviewers reach it.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    help="The certificate with its chain, in PEM. Without it, one is made.",
)
@click.option("--key", type=click.Path(path_type=Path), help="The key of the certificate, in PEM.")
@common
def review(
    options: CommandOptions,
    port: int,
    names: Sequence[str],
    address: str,
    host: str,
    certificate: Path | None,
    key: Path | None,
    *,
    opens: bool,
) -> Ending:
    """Serve the report with approve / hold / reject on a loopback port, until Ctrl-C."""
    from pipeline.commands.older_ledger import opened_ledger
    from pipeline.commands.review import name_reviewers, write_report
    from pipeline.review.listening import Listening
    from pipeline.review.serving import ReviewOptions, serve

    listening = Listening(address, port, host, certificate, key)
    config = options.load()
    with opened_ledger(config, options.console):
        pass  # only to say if it is older
    serve(config, options.console, ReviewOptions(name_reviewers(names), listening, opens))
    write_report(config, options.console)
    return Ending()


def _decision(name: str, decision: Decision, text: str) -> None:
    """Add a command that decides on clips."""

    @cli.command(name, help=text)
    @click.argument("shas", nargs=-1, required=True, metavar="SHA…")
    @click.option(
        "--note", help='Why, for the audit trail. Without it an earlier note stays; "" removes it.'
    )
    @click.option("--by", default="", help="Who decides; by default the name of the user.")
    @common
    def command(options: CommandOptions, shas: Sequence[str], note: str | None, by: str) -> Ending:
        from pipeline.commands.review import decide_clips, user

        wanted = Review(decision, note or "", by or user())
        return decide_clips(options.load(), options.console, shas, wanted, keeps_note=note is None)


_decision(
    "approve", Decision.APPROVED, "Let clips into the montage; a unique SHA-256 prefix is enough."
)
_decision("hold", Decision.HELD, "Keep clips out of the montage until somebody decides again.")
_decision("reject", Decision.REJECTED, "Keep clips out of the montage.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", default="", help="Who decided, where the file does not say.")
@common
def decide(options: CommandOptions, file: Path, by: str) -> Ending:
    """Take the decisions FILE that the offline report saved."""
    from pipeline.commands.review import take_decisions

    return take_decisions(options.load(), options.console, file, by)


def main() -> None:
    """Run the command line and exit."""
    open_closed_streams()
    flags = find_flags(cli, sys.argv[1:])
    sys.exit(run_program(cli, CommandOptions(flags=flags), flags))
