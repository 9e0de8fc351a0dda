"""Packs of the report that were given away, and what they still show.

A pack is a copy.  Where it is, and whether it was deleted, the program can't know.
"""

from collections.abc import Collection, Iterator

from pipeline import protection
from pipeline.history import CustodyEvent, EventKind
from pipeline.ledger import Ledger
from pipeline.model import Row
from pipeline.review import rules
from pipeline.wording import counted

FORMAT = "pack"  # in the chain of custody


def made_with(ledger: Ledger, shas: Collection[str]) -> list[str]:
    """Find the packs that hold the clip of one of these originals.

    :returns: when each was made.
    """
    return [event.at for event, held in _packs(ledger) if not held.isdisjoint(shas)]


def outdated(ledger: Ledger) -> list[str]:
    """Find the packs with a clip from before it hid what its review hides now.

    :returns: when each was made.
    """
    packs = list(_packs(ledger))
    if not packs:
        return []
    rows = ledger.clips.rows()
    since = _hidden_since(ledger, [row for row in rows if _hides(row)])
    since |= {row.sha256: float("inf") for row in rows if row.is_hidden_with_film}
    return [
        event.at
        for event, held in packs
        if any(sha256 in held and event.number < number for sha256, number in since.items())
    ]


def to_be_deleted(made_at: Collection[str]) -> str:
    """Say which packs still show what is hidden now, and what to do."""
    count = len(made_at)
    return (
        f"{counted(count, 'pack')} of the report (made at {', '.join(made_at)}) "
        f"{'shows' if count == 1 else 'show'} a clip as it was before its masks or its sound were "
        f"changed: delete all copies of {'it' if count == 1 else 'them'}"
    )


def _packs(ledger: Ledger) -> Iterator[tuple[CustodyEvent, set[object]]]:
    """Each pack, with the originals whose clips it holds."""
    for event in ledger.chain.events(EventKind.EXPORTED):
        held = event.facts.get("clips")
        if event.facts.get("format") == FORMAT and isinstance(held, list):
            yield event, set(held)


def _hides(row: Row) -> bool:
    """Whether there is a clip of which something is hidden, or has to be."""
    return bool(row.result and row.result.outputs and _hidden(row))


def _hidden(row: Row) -> str:
    return protection.hidden(row.review.masks, row.review.sounds)


def _hidden_since(ledger: Ledger, rows: Collection[Row]) -> dict[str, float]:
    """From which event on each clip hides what its review hides now; infinity: it does not yet."""
    changed: dict[str, int] = {}  # the newest change of what is hidden: its number in the trail
    for entry in ledger.reviews.trail():
        before, after = entry.before, entry.after
        if protection.hidden(before.masks, before.sounds) != protection.hidden(
            after.masks, after.sounds
        ):
            changed[entry.sha256] = entry.id
    decided: dict[object, int] = {}
    begun: dict[object, int] = {}
    made: dict[str, list[CustodyEvent]] = {}
    for event in ledger.chain.events(EventKind.DECIDED, EventKind.RUN, EventKind.MADE):
        match event.kind:
            case EventKind.DECIDED:
                decided[event.facts.get("trail")] = event.number
            case EventKind.RUN:
                begun[event.facts.get("run")] = event.number
            case _:
                made.setdefault(event.subject, []).append(event)
    since: dict[str, float] = {}
    for row in rows:
        if not rules.hides_what_it_should(row):
            since[row.sha256] = float("inf")
            continue
        wanted_at = decided.get(changed.get(row.sha256))
        clips = made.get(row.sha256, [])
        # a run that began before the decision may have made the clip without it
        surely = [
            event.number
            for event in clips
            if wanted_at is not None and begun.get(event.facts.get("run"), 0) > wanted_at
        ]
        since[row.sha256] = surely[0] if surely else max((it.number for it in clips), default=0)
    return since
