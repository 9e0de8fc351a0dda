"""``footage keep``: an original is kept for a case, whatever its age.

It takes no lock of the workspace: it is one short transaction, so it works while a run goes on.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass

from pipeline import clock
from pipeline.commands.ending import Ending, Facts
from pipeline.commands.older_ledger import opened_ledger
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import UsageError
from pipeline.history import CaseHold
from pipeline.ledger import Ledger


@dataclass(frozen=True)
class KeepCall:
    """The originals, by the beginning of their SHA-256; why they are kept, or that this ends."""

    shas: Sequence[str]
    by: str
    why: str = ""
    end: bool = False


def keep(config: Config, console: Console, call: KeepCall) -> Ending:
    """Keep originals for a case, end that, or list those that are kept.

    :raises UsageError: there is no workspace, a prefix does not name exactly one original, the
        original is not there any more, or no reason is given.
    """
    if call.shas and bool(call.why.strip()) == call.end:
        raise UsageError("say why with --why, or end it with --end")
    if not call.shas and (call.why or call.end):
        raise UsageError("name the originals by the beginning of their SHA-256")
    with opened_ledger(config, console) as ledger:
        shas = [_found(ledger, prefix) for prefix in call.shas]
        with ledger.transaction():
            for sha256 in shas:
                if not call.end:
                    hold = CaseHold(sha256, clock.now(), call.by, call.why.strip())
                    ledger.custody.keep_for_case(hold)
                elif not ledger.custody.end_case(sha256):
                    raise UsageError(f"{sha256[:12]} is not kept for a case")
        holds = ledger.custody.case_holds()
    for sha256 in shas:
        state = "is not kept for a case any longer" if call.end else "is kept for a case"
        console.say(f"{sha256[:12]} {state}")
    facts: Facts = {"kept_for_case": [asdict(hold) for hold in holds.values()]}
    return Ending(0, facts, () if call.shas else tuple(_lines(holds.values())))


def _lines(holds: Collection[CaseHold]) -> Iterator[str]:
    for hold in holds:
        yield f"{hold.sha256[:12]} since {hold.at}, asked for by {hold.by or 'nobody'}: {hold.why}"
    if not holds:
        yield "nothing is kept for a case"


def _found(ledger: Ledger, prefix: str) -> str:
    found = ledger.custody.matching(prefix.lower())
    if len(found) != 1:
        count = "no original has" if not found else "more than one original has"
        raise UsageError(f"{count} a SHA-256 that begins with {prefix!r}")
    return found[0]
