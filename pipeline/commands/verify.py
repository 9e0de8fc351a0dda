"""``footage verify``: are all files and rows still what they were when they were recorded?"""

from collections import Counter
from dataclasses import asdict

from pipeline.commands import comparison
from pipeline.commands.comparison import Compared, Difference
from pipeline.commands.ending import Facts
from pipeline.errors import StageError, UsageError
from pipeline.history import ChainHead, EventKind
from pipeline.run import Run
from pipeline.wording import counted


def verify(run: Run, wanted_head: str = "") -> Facts:
    """Hash originals, clips and films, and check the ledger and its chain of custody.

    :param wanted_head: an event that the chain must have, as ``NUMBER:HASH``.
    :raises UsageError: *wanted_head* is not of that form.
    :raises StageError: something differs; all of it is named.
    """
    wanted = [parse_head(wanted_head)] if wanted_head else []
    compared = comparison.look(run)
    found = comparison.differences(run.workspace, compared)
    for head in wanted:
        found += comparison.was_cut(run.ledger, head)
    counts = _counts(compared)
    run.ledger.chain.append(EventKind.VERIFIED, **counts, differences=len(found))
    facts: Facts = {"verify": _facts(run, compared, found)}
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
            f"verify: {said} compared; {len(found)} differ ({kinds}). Next: "
            "footage doctor --repair --dry-run"
        )
        error.facts = facts
        raise error
    run.console.say(f"verify: {said} are as recorded, and the chain of custody holds")
    run.console.say(f"its newest event: {run.ledger.chain.head()}")
    return facts


def parse_head(text: str) -> ChainHead:
    """Read a head of the chain, as ``footage verify`` prints it.

    :raises UsageError: it has another form.
    """
    number, _, digest = text.strip().partition(":")
    if not (number.isascii() and number.isdigit() and len(digest) == 64):
        raise UsageError("--head is NUMBER:HASH, as footage verify prints it")
    return ChainHead(int(number), digest.lower())


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
