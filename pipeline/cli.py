"""The command ``footage``: arguments in, plain sentences and an exit code out."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from pipeline import __version__
from pipeline.commands import nightly, session
from pipeline.commands.session import Step
from pipeline.config import Config, load
from pipeline.console import Console, Verbosity
from pipeline.errors import FootageError, UsageError
from pipeline.ledger import Ledger
from pipeline.model import Decision
from pipeline.render.interchange import Format
from pipeline.review import decisions

Command = Callable[..., Any]


@dataclass
class Options:
    """What stands before or behind any command."""

    config: Path = Path("config.toml")
    json: bool = False
    verbose: bool = False
    quiet: bool = False

    @property
    def console(self) -> Console:
        """The voice that was asked for."""
        level = Verbosity.VERBOSE if self.verbose else Verbosity.NORMAL
        return Console(Verbosity.QUIET if self.quiet else level)

    def load(self) -> Config:
        """The configuration that was named."""
        return load(self.config)


def _common(command: Command) -> Command:
    """Take the options that every command has, before or after its own."""

    @click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
    @click.option("-v", "--verbose", is_flag=True, help="Say more.")
    @click.option("-q", "--quiet", is_flag=True, help="Say only what must be heard.")
    @click.pass_context
    @wraps(command)
    def wrapped(
        context: click.Context,
        /,
        *args: Any,
        config: Path | None,
        as_json: bool,
        verbose: bool,
        quiet: bool,
        **kwargs: Any,
    ) -> Any:
        options = context.ensure_object(Options)
        options.config = config or options.config
        options.json |= as_json
        options.verbose |= verbose
        options.quiet |= quiet
        return command(options, *args, **kwargs)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@_common
def cli(_options: Options) -> None:
    """From mailed-in footage to a montage, with no location on the way."""


def _work(options: Options, command: str, step: Step) -> None:
    """Run a command that needs the workspace, and end with its exit code."""
    code, facts = session.execute(options.load(), options.console, command, step)
    _end(options, code, facts)


def _end(options: Options, code: int, facts: dict[str, Any]) -> None:
    if options.json:
        click.echo(json.dumps({"exit_code": code, **facts}, default=str, ensure_ascii=False))
    if code:
        raise click.exceptions.Exit(code)


@cli.command()
@_common
def run(options: Options) -> None:
    """Do the whole night's work: ingest, process, report; render if the config says so."""
    _work(options, "run", nightly.nightly)


@cli.command()
@click.option("--dry-run", is_flag=True, help="List what would come in and change nothing.")
@_common
def ingest(options: Options, *, dry_run: bool) -> None:
    """Take in new mail: attachments become originals in the workspace."""
    _work(options, "ingest", lambda run: nightly.take_in(run, dry_run=dry_run))


@cli.command()
@_common
def process(options: Options) -> None:
    """Make a clean, normalized, captioned clip of every original that has none."""
    _work(options, "process", nightly.make_clips)


@cli.command()
@click.argument("outputs", nargs=-1)
@click.option("--preview", is_flag=True, help="Make a small, quick film of a part instead.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.1),
    default=30.0,
    show_default=True,
    help="How much of it a preview shows.",
)
@click.option("--from", "clip", default="", metavar="SHA", help="The clip a preview begins with.")
@_common
def render(
    options: Options, outputs: Sequence[str], *, preview: bool, seconds: float, clip: str
) -> None:
    """Join the clips that the review admits into the montage of each output, or of OUTPUTS."""
    if clip and not preview:
        raise UsageError("--from is for --preview; a montage is always whole")
    from pipeline.render.preview import Excerpt  # noqa: PLC0415 - slow to load

    excerpt = Excerpt(seconds, clip) if preview else None
    _work(options, "render", lambda run: nightly.make_montages(run, outputs, excerpt))


@cli.command()
@click.argument("outputs", nargs=-1)
@click.option(
    "--format",
    "kind",
    type=click.Choice([kind.value for kind in Format]),
    required=True,
    help="What the editing program reads.",
)
@_common
def export(options: Options, outputs: Sequence[str], *, kind: str) -> None:
    """Write the montage of each output, or of OUTPUTS, as a timeline for an editing program."""
    from pipeline.commands import export as exporting  # noqa: PLC0415 - slow to load

    _work(options, "export", lambda run: exporting.export(run, Format(kind), outputs))


@cli.command()
@_common
def report(options: Options) -> None:
    """Write the per-clip report: index.html, report.json, report.csv."""
    _work(options, "report", nightly.write_report)


@cli.command()
@click.argument("shas", nargs=-1)
@_common
def retry(options: Options, shas: Sequence[str]) -> None:
    """Put failed clips back in line: all, or those whose SHA-256 begin with SHAS."""
    from pipeline.commands import retry as retrying  # noqa: PLC0415

    _work(options, "retry", lambda run: retrying.put_back(run, shas))


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@_common
def add(options: Options, paths: Sequence[Path]) -> None:
    """Bring in files that came by another way than mail."""
    from pipeline.commands import add as adding  # noqa: PLC0415

    _work(options, "add", lambda run: adding.add(run, paths))


@cli.command()
@click.option("--clip", metavar="SHA", help="One original; a SHA-256 prefix is enough.")
@click.option("--submission", metavar="ID", help="All that came in one mail.")
@click.option("--sender", metavar="ADDRESS", help="All that came from one address.")
@_common
def withdraw(
    options: Options, clip: str | None, submission: str | None, sender: str | None
) -> None:
    """Delete footage that somebody takes back, and name the montages that hold it."""
    from pipeline.commands import withdraw as withdrawing  # noqa: PLC0415 - slow to load

    _work(options, "withdraw", lambda run: withdrawing.withdraw(run, clip, submission, sender))


@cli.command()
@_common
def purge(options: Options) -> None:
    """Delete the originals that are past the days for which they are kept."""
    from pipeline.commands import purge as purging  # noqa: PLC0415

    _work(options, "purge", purging.purge)


@cli.command()
@_common
def status(options: Options) -> None:
    """Say what there is: counts by state, the last run, what failed, what waits for whom."""
    from pipeline.commands import status as standing  # noqa: PLC0415

    config = options.load()
    with _ledger(config) as ledger:
        facts = standing.facts(config, ledger)
    if not options.json:
        for line in standing.lines(facts):
            click.echo(line)
    _end(options, 0, facts)


@cli.command()
@_common
def doctor(options: Options) -> None:
    """Check config, FFmpeg, fonts, sandbox, disk space and inbox, and say what to do."""
    from pipeline.commands import doctor as checks  # noqa: PLC0415 - most commands need none of it

    found = checks.examine(options.config)
    if not options.json:
        for check in found:
            click.echo(f"{'ok    ' if check.ok else 'FAULT '} {check.name}: {check.text}")
    facts = {"checks": [{"name": c.name, "ok": c.ok, "text": c.text} for c in found]}
    _end(options, 0 if all(check.ok for check in found) else 1, facts)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo"), metavar="[DIR]")
@_common
def demo(options: Options, folder: Path) -> None:
    """Run everything on a small sample inbox, made in DIR (default ./demo)."""
    from pipeline.demo import tour  # noqa: PLC0415 - most commands need none of it

    code, facts = tour.walk(folder, options.console)
    for line in facts["summary"]:
        click.echo(line, err=options.json)
    _end(options, code, facts)


@cli.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any that is free.")
@click.option("--by", default="", help="Who decides; the user's name unless given.")
@click.option("--open", "opens", is_flag=True, help="Open the browser.")
@_common
def review(options: Options, port: int, by: str, *, opens: bool) -> None:
    """Serve the report with approve / hold / reject on a loopback port, until Ctrl-C."""
    from pipeline.review import web  # noqa: PLC0415 - most commands need none of it

    web.serve(options.load(), options.console, by=by or _user(), port=port, opens=opens)


def _decide(name: str, decision: Decision, text: str) -> None:
    @cli.command(name, help=text)
    @click.argument("shas", nargs=-1, required=True, metavar="SHA…")
    @click.option("--note", default="", help="Why, for the audit trail.")
    @click.option("--by", default="", help="Who decides; the user's name unless given.")
    @_common
    def command(options: Options, shas: Sequence[str], note: str, by: str) -> None:
        with _ledger(options.load()) as ledger:
            done = decisions.decide(ledger, shas, decision, note=note, by=by or _user())
        for item in done:
            options.console.say(f"{item.sha256[:12]} {item.before.decision} -> {decision}")
        _end(options, 0, {"decided": [item.sha256 for item in done], "decision": decision})


_decide(
    "approve", Decision.APPROVED, "Let clips into the montage; a unique SHA-256 prefix is enough."
)
_decide("hold", Decision.HELD, "Keep clips out of the montage until somebody decides again.")
_decide("reject", Decision.REJECTED, "Keep clips out of the montage.")


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--by", default="", help="Who decided, where the file does not say.")
@_common
def decide(options: Options, file: Path, by: str) -> None:
    """Take the decisions FILE that the offline report saved."""
    config = options.load()
    with _ledger(config) as ledger:
        done = decisions.take_file(ledger, file, by or _user(), campaign=config.campaign.name)
    options.console.say(f"{len(done.decided)} decisions taken, {done.same} stood already")
    for entry in done.not_taken:
        options.console.warn(f"entry {entry.entry} was not taken: {entry.problem}")
    facts = {
        "decided": [item.sha256 for item in done.decided],
        "same": done.same,
        "not_taken": [{"entry": e.entry, "problem": e.problem} for e in done.not_taken],
    }
    _end(options, 1 if done.not_taken else 0, facts)


def _ledger(config: Config) -> Ledger:
    """The ledger of a workspace that exists; decisions need no lock.

    :raises UsageError: nothing was ever taken in.
    """
    path = config.root / "ledger.db"
    if not path.exists():
        raise UsageError(f"there is no workspace at {config.root} yet; begin with: footage run")
    return Ledger(path)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def main() -> None:
    """Run the command line and exit."""
    arguments = sys.argv[1:]
    try:
        code = cli.main(arguments, prog_name="footage", standalone_mode=False)
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except FootageError as error:
        code = _fail(arguments, str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        code = _fail(arguments, "stopped; nothing is lost, run again to go on", 1)
    except OSError as error:
        code = _fail(arguments, f"{error.strerror or type(error).__name__}: {error.filename}", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(arguments: list[str], text: str, code: int) -> int:
    click.echo(f"footage: {text}", err=True)
    if "--json" in arguments:
        click.echo(json.dumps({"exit_code": code, "error": text}, ensure_ascii=False))
    return code
