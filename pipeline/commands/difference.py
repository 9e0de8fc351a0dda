"""A thing on the disk or in the ledger that is not as the ledger or its chain says."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum

from pipeline import places, texts

_HEX = re.compile("[0-9a-f]+")


class DifferenceKind(StrEnum):
    """How something differs from what the ledger says.  Part of what ``--json`` prints."""

    LEDGER_DAMAGED = "ledger-damaged"
    CHAIN_BROKEN = "chain-broken"
    CHAIN_CUT = "chain-cut"
    CHAIN_REPLACED = "chain-replaced"
    LOG_NEWER = "log-newer"
    LOG_DIFFERS = "log-differs"
    ACT_FORGOTTEN = "act-forgotten"
    ACT_UNKNOWN = "act-unknown"
    TRIGGER_MISSING = "trigger-missing"
    STAMP_BROKEN = "stamp-broken"
    ROW_CHANGED = "row-changed"
    UNREADABLE = "unreadable"
    ORIGINAL_MISSING = "original-missing"
    ORIGINAL_CHANGED = "original-changed"
    ORIGINAL_UNKNOWN = "original-unknown"
    ORIGINAL_LEFT = "original-left"
    CLIP_MISSING = "clip-missing"
    CLIP_CHANGED = "clip-changed"
    STILL_CHANGED = "still-changed"
    CLIP_UNKNOWN = "clip-unknown"
    FILM_CHANGED = "film-changed"
    FILM_UNKNOWN = "film-unknown"
    BACKUP_OUTDATED = "backup-outdated"
    BACKUP_NEWER = "backup-newer"


def shown_path(path: str) -> str:
    """A path as people and logs get it: a name that somebody else gave may hold a place."""
    parts = (part if _HEX.fullmatch(part) else places.masked(part) for part in path.split("/"))
    return "/".join(parts)


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the ledger says.

    ``path`` is from the workspace, or the name of a row; ``sha256`` that of the original, if it
    concerns one; ``number`` that of the event of the chain; ``command`` what repeats an act;
    ``changed`` what of a review was changed.
    """

    kind: DifferenceKind
    path: str = ""
    sha256: str = ""
    number: int | None = None
    command: str = ""
    changed: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, for a person."""
        said = texts.difference(self.kind)
        if self.command:
            said = f"{said}: {self.command}"
        if self.changed:
            said += f" ({texts.changed(self.changed)} of {self.sha256[:12]})"
        event = "" if self.number is None else f"event {self.number}"
        subject = ", ".join(filter(None, (event, shown_path(self.path))))
        return f"{subject}: {said}" if subject else said

    def table(self) -> dict[str, object]:
        """What ``--json`` and the ledger hold."""
        return {**asdict(self), "path": shown_path(self.path), "text": self.sentence}
