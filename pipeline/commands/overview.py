"""What the ledger says of the workspace as it is now, for ``footage status`` and the notices."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.commands import disk, log, rereading, waits
from pipeline.commands.disk import DiskRoom
from pipeline.commands.ending import Facts
from pipeline.config import Config
from pipeline.consent import Consent
from pipeline.history import RUN_ID, InboxRemains, MontageRecord, RunRecord
from pipeline.ledger import Ledger, heads
from pipeline.model import OriginalState, Row, Status, Wait
from pipeline.process import stage as process
from pipeline.review import alike, mails, packs, rules, undone
from pipeline.review.admission import Admission
from pipeline.review.mails import MailView
from pipeline.review.undone import Undone
from pipeline.store import FootageFile, WorkspaceFolder
from pipeline.workspace import Workspace, is_held

_NIGHTS = 7  # that the growth of the workspace is known from


@dataclass(frozen=True)
class FilmStatus:
    """A montage, and the originals in it that films may not show any more."""

    record: MontageRecord
    not_admitted: list[str]


@dataclass(frozen=True)
class Overview:
    """What the ledger says; ``waiting`` and ``admitted`` count clips.

    ``is_running``: the last run holds the workspace.  ``outdated``: the originals (by SHA-256)
    whose clips are out of date and can't be made anew.  ``withheld`` counts the clips in which a
    face may be seen although all must be masked.  ``silent``: the mails whose senders have not
    answered on consent; ``without_sender``: those of them that name no sender, as files that
    ``doctor --repair`` took in.  ``old_packs``: when packs were made that show what is hidden now.
    ``read_again``: what the last run said of mails that it read again by newer rules.
    ``is_report_older``: the last night ended before it wrote the report.  ``bare``: the originals
    of admitted clips that hide less than one that looks like them.  ``not_recorded``: the newest
    night, if the ledger has no row of it.
    """

    campaign: str
    counts: dict[str, int]
    failed: list[Row]
    waiting: int
    unready: dict[str, int]
    withheld: int
    admitted: int
    last_run: RunRecord | None
    last_night: RunRecord | None
    remains: InboxRemains
    is_running: bool
    outdated: tuple[str, ...]
    montages: list[FilmStatus]
    mails: list[MailView]
    held_back: int
    silent: dict[str, Consent]
    left: dict[str, Wait]
    left_lines: tuple[str, ...]
    room: DiskRoom
    last_backup: str | None
    unclear_receipts: list[str]
    is_ledger_older: bool
    without_sender: frozenset[str]
    old_packs: list[str]
    undone: Undone
    read_again: tuple[str, ...]
    is_report_older: bool
    bare: list[str]
    not_recorded: Facts | None

    def state_of(self, run: RunRecord) -> str:
        """Whether a run has ended, is running, or was killed: only the newest can be running."""
        if run.ended_at is not None:
            return "ended"
        return "running" if self.is_running and run == self.last_run else "killed"


def read_overview(config: Config) -> Overview:
    """Read the ledger.

    :raises UsageError: nothing was ever taken in.
    """
    workspace = Workspace.existing(config.root)
    with Ledger(workspace.ledger) as ledger:
        rows = ledger.clips.rows()
        numbers = Counter(row.status for row in rows)
        admission = Admission.of(config, ledger, rows)
        silent = rules.waits_for_consent(rows, needs_consent=admission.needs_consent)
        return Overview(
            campaign=config.campaign.name,
            counts={status.value: numbers[status] for status in Status},
            failed=[row for row in rows if row.status is Status.FAILED],
            waiting=len(rules.waiting(rows)) if admission.required else 0,
            admitted=len(rules.admitted(rows, admission)),
            unready=rules.unready(rows, admission),
            withheld=len(rules.withheld(rows)),
            last_run=ledger.runs.last(),
            last_night=ledger.runs.last("run"),
            is_running=is_held(workspace),
            outdated=process.plan(config, ledger, _holds(config, ledger)).outdated,
            remains=ledger.runs.remains(),
            montages=[
                FilmStatus(film, rules.no_longer_admitted(film.clips, rows, admission))
                for film in ledger.runs.montages()
            ],
            mails=mails.view(ledger, rows),
            held_back=len(rules.held_back(rows)),
            silent=silent,
            left=(left := _left(ledger, rows)),
            left_lines=tuple(waits.lines(config, ledger)) if left else (),
            room=disk.room(config.root, ledger.runs.latest("run", _NIGHTS)),
            last_backup=next((path.name for path in reversed(ledger.backups.stored())), None),
            unclear_receipts=[
                mail
                for receipt in ledger.receipts.all()
                if receipt.state == "claimed"
                for mail in receipt.submissions
            ],
            is_ledger_older=heads.is_ledger_older(workspace, ledger),
            without_sender=frozenset(
                mail.id
                for mail in ledger.intake.submissions()
                if mail.id in silent and not mail.sender
            ),
            old_packs=packs.outdated(ledger),
            undone=undone.undone(config, ledger),
            read_again=tuple(_read_again(ledger)),
            is_report_older=_is_report_older(workspace, ledger),
            bare=[row.sha256 for row in alike.bare_in_films(rows, admission)],
            not_recorded=_not_recorded(workspace, ledger),
        )


def _read_again(ledger: Ledger) -> list[str]:
    """What is said once of mails that were read again: until the next night."""
    newest = (ledger.runs.last(), ledger.runs.last("run"))
    is_new = any("words_read" in run.summary for run in newest if run)
    return rereading.lines(ledger.runs.words_read()) if is_new else []


def _is_report_older(workspace: Workspace, ledger: Ledger) -> bool:
    """Whether the last night wrote no report, and no other command did since."""
    night = ledger.runs.last("run")
    if night is None or is_held(workspace) or ledger.runs.has_report_since(night.id):
        return False
    index = workspace.report / "index.html"
    if not index.exists():
        return True
    written = datetime.fromtimestamp(index.stat().st_mtime, UTC)
    return written.strftime(RUN_ID) < night.id  # finer than started_at


def _not_recorded(workspace: Workspace, ledger: Ledger) -> Facts | None:
    """The newest night, if the ledger has no row of it, and is not an older one."""
    if is_held(workspace) or heads.is_ledger_older(workspace, ledger):
        return None
    return log.not_recorded(workspace, ledger.runs.since_night())


def _holds(config: Config, ledger: Ledger) -> Callable[[FootageFile], bool]:
    """Whether a file can be had; of a store beyond the workspace, what the ledger says of it."""
    if not config.workspace.store:
        return WorkspaceFolder(Workspace(config.root)).holds
    states = ledger.custody.states()
    kept = OriginalState.KEPT
    return lambda file: states.get(file.path.rpartition("/")[2], kept) is kept


def _left(ledger: Ledger, rows: list[Row]) -> dict[str, Wait]:
    """What the newest run that made clips left for the next one, and is not made since."""
    pending = {row.sha256 for row in rows if row.status is Status.PENDING}
    return {sha256: why for sha256, why in ledger.runs.waits().items() if sha256 in pending}
