"""The order of work, and what surrounds every stage: the lock, the log, the exit code."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import custody, files
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import FootageError, InboxError, StageError, UsageError
from pipeline.files import Workspace
from pipeline.ingest import add as adding
from pipeline.ingest import stage as ingest
from pipeline.late import late
from pipeline.ledger import Ledger
from pipeline.media.ffmpeg import Door
from pipeline.model import Row, Status
from pipeline.process import stage as process
from pipeline.render import interchange
from pipeline.review import admission, report

if TYPE_CHECKING:
    from pipeline.render import making
    from pipeline.render import stage as render
    from pipeline.render.preview import Excerpt
else:
    making, render = late("pipeline.render.making"), late("pipeline.render.stage")

EXIT_CLIP_FAILED = 3


@dataclass(frozen=True)
class Bench:
    """What the stages of one run share."""

    config: Config
    ledger: Ledger
    workspace: Workspace
    door: Door
    console: Console


Step = Callable[[Bench], dict[str, Any]]


def nightly(bench: Bench) -> dict[str, Any]:
    """Pull the attachments, clean and normalize them, write the report, render if asked.

    :raises InboxError: the inbox could not be read to its end; what came in, tonight or
        before, has been worked on all the same.
    """
    facts, unread = _take_in_what_can_be(bench)
    facts |= make_clips(bench)
    facts |= write_report(bench)
    if bench.config.montage.automatic and _admitted(bench):
        facts |= make_montages(bench)
    if unread is not None:
        raise unread
    return facts


def _take_in_what_can_be(bench: Bench) -> tuple[dict[str, Any], InboxError | None]:
    try:
        return take_in(bench), None
    except InboxError as error:
        bench.console.warn(f"ingest: {error}")
        return {}, error


def take_in(bench: Bench, *, dry_run: bool = False) -> dict[str, Any]:
    """``footage ingest``."""
    done = ingest.run(bench.config, bench.ledger, bench.workspace, bench.console, dry_run=dry_run)
    if dry_run:
        bench.console.say(f"ingest: {len(done.coming)} new mails would come in")
    else:
        bench.console.say(f"ingest: {done.mails} new mails, {done.attachments} attachments")
    return {"ingest": asdict(done)}


def make_clips(bench: Bench) -> dict[str, Any]:
    """``footage process``."""
    done = process.run(bench.config, bench.ledger, bench.workspace, bench.door, bench.console)
    bench.console.say(
        f"process: {done.accepted} clips made, {done.rejected} refused, {done.failed} failed"
    )
    facts = {"process": asdict(done)}
    if bench.config.workspace.retain_originals_days == 0:
        facts |= purge(bench)
    return facts


def write_report(bench: Bench) -> dict[str, Any]:
    """``footage report``."""
    done = report.write(bench.config, bench.ledger, bench.workspace, bench.console)
    bench.console.say(f"report: {bench.workspace.report / 'index.html'}")
    return {"report": asdict(done)}


def make_montages(
    bench: Bench, names: Sequence[str] = (), excerpt: Excerpt | None = None
) -> dict[str, Any]:
    """``footage render``: first the admitted clips that are not as they must be, then the film.

    :param excerpt: a preview of this much instead.
    :raises StageError: nothing is admitted; the text says what waits.
    """
    outputs = render.outputs_named(bench.config, names)
    admitted = _admitted(bench)
    if not admitted:
        raise StageError(_what_waits(bench))
    wanted = {row.attachment.sha256 or "" for row in admitted}
    process.run(bench.config, bench.ledger, bench.workspace, bench.door, bench.console, only=wanted)
    done = render.run(
        bench.config,
        bench.ledger,
        bench.workspace,
        bench.door,
        bench.console,
        admitted=_admitted(bench),
        outputs=outputs,
        excerpt=excerpt,
    )
    for film in done:
        state = "unchanged" if film.cached else "made"
        bench.console.say(
            f"render: {bench.workspace.root / film.path} {state}: {film.clips} clips, "
            f"{film.duration_s:.1f} s"
        )
    return {"render": [asdict(film) for film in done]}


def export(bench: Bench, kind: interchange.Format, names: Sequence[str]) -> dict[str, Any]:
    """``footage export``."""
    admitted = _admitted(bench)
    if not admitted:
        raise StageError(_what_waits(bench))
    shop = making.Shop(bench.config, bench.ledger, bench.workspace, bench.door, bench.console)
    outputs = render.outputs_named(bench.config, names)
    paths = [render.export(shop, output, admitted, kind) for output in outputs]
    for path in paths:
        bench.console.say(f"export: {bench.workspace.root / path}")
    return {"export": paths}


def put_back(bench: Bench, prefixes: Sequence[str]) -> dict[str, Any]:
    """``footage retry``: the failed clips' outcomes are forgotten; the next process makes them.

    :raises UsageError: a prefix fits no failed clip.
    """
    failed = [sha for sha, clip in bench.ledger.clips().items() if clip.status is Status.FAILED]
    chosen = [sha for sha in failed if not prefixes or sha.startswith(tuple(prefixes))]
    for prefix in prefixes:
        if not any(sha.startswith(prefix) for sha in failed):
            raise UsageError(f"no failed clip begins with {prefix!r}")
    bench.ledger.forget_clips(chosen)
    bench.console.say(f"retry: {len(chosen)} clips are back in line; next: footage process")
    return {"retry": chosen}


def add(bench: Bench, paths: Sequence[Path]) -> dict[str, Any]:
    """``footage add``."""
    done = adding.add(paths, bench.config, bench.ledger, bench.workspace, bench.console)
    bench.console.say(f"add: {done.attachments} files taken in, {done.seen_again} known already")
    return {"add": asdict(done)}


def purge(bench: Bench) -> dict[str, Any]:
    """``footage purge``."""
    days = bench.config.workspace.retain_originals_days
    done = custody.purge(bench.ledger, bench.workspace, days)
    bench.console.say(
        f"purge: {done.deleted} originals older than {days} days deleted; {done.waiting} kept, "
        "which wait for a clip"
    )
    return {"purge": asdict(done)}


def withdraw(
    bench: Bench, clip: str | None, submission: str | None, sender: str | None
) -> dict[str, Any]:
    """``footage withdraw``; the report no longer shows what is gone."""
    shas = custody.chosen(bench.ledger, clip, submission, sender)
    done = custody.withdraw(bench.ledger, bench.workspace, shas)
    render.forget(bench.ledger, bench.workspace)
    bench.console.say(f"withdraw: {len(done.withdrawn)} originals and their clips are deleted")
    for path in done.stale:
        bench.console.warn(f"{path} still holds them: delete it, or run footage render")
    return {"withdraw": asdict(done), **write_report(bench)}


def _admitted(bench: Bench) -> list[Row]:
    return admission.admitted(bench.ledger.rows(), required=bench.config.review.required)


def _what_waits(bench: Bench) -> str:
    rows = bench.ledger.rows()
    waiting = admission.waiting(rows)
    if waiting:
        names = " ".join((row.attachment.sha256 or "")[:12] for row in waiting[:5])
        more = " …" if len(waiting) > 5 else ""
        return (
            f"no clip is admitted to the montage; {len(waiting)} wait for a decision. Look at "
            f"{bench.workspace.report / 'index.html'}, then: footage approve {names}{more}"
        )
    said = "no clip is admitted to the montage, and none waits for a decision"
    unmade, failed = (
        sum(row.status is status for row in rows) for status in (Status.PENDING, Status.FAILED)
    )
    if unmade:
        said += f"; {unmade} still to be made (footage process)"
    if failed:
        said += f"; {failed} failed (footage retry, then footage process)"
    return said


def execute(
    config: Config, console: Console, command: str, step: Step
) -> tuple[int, dict[str, Any]]:
    """Run one command with the workspace in hand; the exit code and its facts.

    :raises FootageError: what ended the command early; it stands in the ledger already.
    """
    workspace = Workspace(config.root)
    with (
        files.hold(workspace),
        Ledger(workspace.ledger) as ledger,
        _logged(console, workspace) as run,
    ):
        swept = files.sweep(workspace)
        if swept:
            console.event("swept", files=swept)
        ledger.start_run(run, command)
        door = Door(config.process.sandbox, console)
        bench = Bench(config, ledger, workspace, door, console)
        try:
            facts = step(bench)
        except BaseException as error:
            code = error.exit_code if isinstance(error, FootageError) else 1
            ledger.end_run(run, code, {"error": type(error).__name__})
            raise
        finally:
            door.close()
            # a program whose run was killed just as it started may have written since
            files.sweep(workspace)
        failed = sum(row.status is Status.FAILED for row in ledger.rows())
        code = EXIT_CLIP_FAILED if failed else 0
        ledger.end_run(run, code, facts)
        if failed:
            console.warn(f"{failed} clips failed; see the report, then: footage retry")
        return code, facts


@contextmanager
def _logged(console: Console, workspace: Workspace) -> Iterator[str]:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    run = f"{moment}-{secrets.token_hex(3)}"
    console.open_log(workspace.logs / f"{run}.jsonl")
    try:
        yield run
    finally:
        console.close()
