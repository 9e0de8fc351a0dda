"""``footage verify``: are all files and rows still what they were when they were recorded?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.commands import comparison, stamping
from pipeline.commands.comparison import Compared
from pipeline.commands.difference import Difference, DifferenceKind
from pipeline.commands.ending import Facts
from pipeline.commands.stamping import StampedEvent
from pipeline.errors import StageError, UsageError
from pipeline.history import ChainHead, EventKind, parse_head
from pipeline.ledger.heads import is_ledger_older
from pipeline.run import Run
from pipeline.wording import counted


def verify(run: Run, wanted_head: str = "") -> Facts:
    """Hash originals, clips and films, and check the ledger and its chain of custody.

    :param wanted_head: an event that the chain must have, as ``NUMBER:HASH``.
    :raises UsageError: *wanted_head* is not of that form.
    :raises StageError: something differs; all of it is named.
    """
    wanted = [_wanted_head(wanted_head)] if wanted_head else []
    compared = comparison.look(run)
    found = comparison.differences(run.workspace, compared)
    for head in wanted:
        found += comparison.was_cut(run.ledger, head)
    stamped = _stamped(run)
    found += _stamp_differences(run, stamped)
    counts = _counts(compared)
    run.ledger.chain.append(EventKind.VERIFIED, **counts, differences=len(found))
    stamps = [asdict(each) for each in stamped]
    facts: Facts = {"verify": {**_facts(run, compared, found), "stamps": stamps}}
    for each in found:
        run.console.warn(each.sentence)
    for sha256 in compared.lost:
        run.console.say(f"the original {sha256[:12]} is lost, as it was recorded")
    for path in compared.films_gone:
        run.console.say(f"{path} is not there any more; footage render makes it again")
    said = ", ".join(counted(number, name.removesuffix("s")) for name, number in counts.items())
    if found:
        kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(e.kind for e in found).items())
        error = StageError(
            f"verify: {said} compared; {counted(len(found), 'differs', 'differ')} ({kinds}). Next: "
            f"{_next_step(run, found)}"
        )
        error.facts = facts
        raise error
    run.console.say(f"verify: {said} are as recorded, and the chain of custody holds")
    run.console.say(f"its newest event: {run.ledger.chain.head()}")
    for line in stamping.lines(stamped):
        run.console.say(line)
    return facts


def _next_step(run: Run, found: Sequence[Difference]) -> str:
    """What to do first; nothing is repaired before an older ledger has what it has forgotten."""
    if any(each.kind is DifferenceKind.BACKUP_NEWER for each in found):
        return "put the newer backup back, then footage verify; see docs/custody.md"
    if is_ledger_older(run.workspace, run.ledger):
        return "repeat the acts that are listed; see docs/custody.md"
    return "footage doctor --repair --dry-run"


def _wanted_head(text: str) -> ChainHead:
    try:
        return parse_head(text)
    except ValueError as error:
        raise UsageError("--head is NUMBER:HASH, as footage verify prints it") from error


def _stamped(run: Run) -> list[StampedEvent]:
    """The time stamps of the chain; those that can't be checked here are a warning."""
    try:
        return stamping.stamped_events(run.config, run.ledger, run.workspace)
    except StageError as error:
        run.console.warn(f"the time stamps were not checked: {error}")
        return []


def _stamp_differences(run: Run, stamped: list[StampedEvent]) -> list[Difference]:
    broken = [Difference(DifferenceKind.STAMP_BROKEN, each.path) for each in stamped if each.fault]
    cut = [comparison.without_event(run.ledger, each.number) for each in stamped if each.is_cut]
    return [*broken, *cut]


def _counts(compared: Compared) -> dict[str, int]:
    """How many files of each kind were hashed."""
    clips = [output.path for result in compared.clips.values() for output in result.outputs]
    return {
        "originals": sum(path.startswith("originals/") for path in compared.files),
        "clips": sum(path in compared.files for path in clips),
        "montages": len(compared.films) - len(compared.films_gone),
    }


def _facts(run: Run, compared: Compared, found: list[Difference]) -> Facts:
    head = run.ledger.chain.head()
    return {
        "chain": {
            "events": head.number,
            "head": str(head),
            "breaks": [asdict(each) for each in compared.broken],
        },
        "checked": {
            **_counts(compared),
            "bytes": sum(file.size for file in compared.files.values()),
        },
        "differences": [each.table() for each in found],
        "lost": compared.lost,
        "montages_gone": compared.films_gone,
    }
