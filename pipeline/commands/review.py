"""``footage approve``, ``hold``, ``reject`` and ``decide``: decisions from the shell, and by whom.

None of them takes the lock of the workspace: each decision is one short transaction, so it works
while a run goes on.
"""

import getpass
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.commands.ending import Ending, Facts
from pipeline.commands.older_ledger import opened_ledger
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import FootageError, UsageError, named
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.ledger.reviews import Amendment
from pipeline.model import Decision, Review, Row
from pipeline.review import alike, decisions, entries, report, rules
from pipeline.review.access import Reviewers, ReviewRole
from pipeline.review.admission import Admission
from pipeline.run import Run
from pipeline.store.opening import open_store
from pipeline.wording import counted
from pipeline.workspace import Workspace, hold


def decide_clips(
    config: Config, console: Console, shas: Sequence[str], wanted: Review, *, keeps_note: bool
) -> Ending:
    """Decide on the clips whose SHA-256 begin with *shas*.

    :param keeps_note: the note of an earlier review is kept.
    :raises UsageError: there is no workspace, or a prefix does not name exactly one clip.
    """
    with opened_ledger(config, console) as ledger:
        done = decisions.decide(ledger, shas, wanted, keeps_note=keeps_note)
        rows = ledger.clips.rows()
        admission = Admission.of(config, ledger, rows)
        by_sha256 = {row.sha256: row for row in rows}
    for item in done:
        row = by_sha256.get(item.sha256)
        said = f"{item.sha256[:12]} {item.before.decision} -> {wanted.decision}"
        if row and admission.needs_two(row) and wanted.decision is Decision.APPROVED:
            said += f", {rules.approvals(item.after.agreed_by)}"
        console.say(said)
    _warn_of_bare(console, rows, done)
    facts: Facts = {"decided": [item.sha256 for item in done], "decision": wanted.decision}
    return Ending(facts=facts)


def _warn_of_bare(console: Console, rows: list[Row], done: Iterable[Amendment]) -> None:
    """Name the clips that were approved and hide less than one that looks the same."""
    bare = alike.bare(rows)
    for item in done:
        if item.after.decision is Decision.APPROVED and item.sha256 in bare:
            console.warn(
                f"{item.sha256[:12]} hides less than {bare[item.sha256][:12]}, which looks the "
                "same: compare them in the report"
            )


def take_decisions(config: Config, console: Console, file: Path, by: str) -> Ending:
    """Take the decisions of a file that the offline report saved.

    :param by: who decided, where the file does not say; the user of this machine if empty.
    :raises UsageError: there is no workspace, or the file is not a decisions file of the campaign.
    """
    with opened_ledger(config, console) as ledger:
        done = decisions.take_file(ledger, file, by or user(), campaign=config.campaign.name)
        rows = ledger.clips.rows()
    consents = f" and {counted(done.consents, 'consent')}" if done.consents else ""
    said = f"{counted(len(done.decided), 'decision')}{consents} taken"
    if done.same:
        entries_same = "1 entry says" if done.same == 1 else f"{done.same} entries say"
        said += f"; {entries_same} what is recorded already"
    console.say(said)
    _warn_of_bare(console, rows, done.decided)
    for entry in done.not_taken:
        console.warn(f"entry {entry.entry} was not taken: {entry.problem}")
    facts: Facts = {
        "decided": [item.sha256 for item in done.decided],
        "consents": done.consents,
        "same": done.same,
        "not_taken": [asdict(entry) for entry in done.not_taken],
    }
    return Ending(1 if done.not_taken else 0, facts)


def name_reviewers(given: Sequence[str]) -> Reviewers:
    """Make the reviewers of ``footage review`` from what was given with ``--by``.

    A colon is never a part of a name, because a mistyped role must not become one.

    :param given: names, each with a colon and a role behind it for another role than reviewer.
    :raises UsageError: a name is empty or given twice, or a role is unknown.
    """
    roles: dict[str, ReviewRole] = {}
    for each in given:
        # NFKC: keyboards of some languages have another colon
        name, colon, word = unicodedata.normalize("NFKC", each).partition(":")
        shown = entries.clean_text("by", each.strip() if not colon else name)
        if not shown:
            raise UsageError("--by needs a name")
        if colon and word not in set(ReviewRole):
            raise UsageError(
                f"--by {each}: {word!r} is not a role; behind the colon must be one of "
                f"{', '.join(ReviewRole)}"
            )
        if rules.people([*roles, shown]) == [*roles]:
            raise UsageError("--by names a reviewer twice; each needs another name")
        roles[shown] = ReviewRole(word) if colon else ReviewRole.REVIEWER
    return Reviewers(user(), roles)


def user() -> str:
    """The name of the user who runs this, "" if the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def write_report(config: Config, console: Console) -> None:
    """Write the report on disk after a review, so that it has the decisions.

    They are in the ledger already, so what keeps the report from being written is a warning.
    """
    workspace = Workspace(config.root)
    try:
        with hold(workspace), Ledger(workspace.ledger) as ledger:
            runner, store = FfmpegRunner("none", console), open_store(config, workspace)
            report.write(Run(config, ledger, workspace, runner, console, store))
    except (FootageError, OSError) as error:
        console.warn(f"the report on disk is from before this review: {named(error)}")
    else:
        console.say(f"report: {workspace.report / 'index.html'}")
