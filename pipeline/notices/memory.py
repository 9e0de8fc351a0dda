"""What the program keeps of its notices between nights, in ``notices.json`` of the workspace.

It has the state that people were told last, and the newest nights: which began, and which said
themselves how they ended.  So the service does not announce a night a second time.
"""

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline import publishing
from pipeline.errors import FootageError

FILE = "notices.json"
KeptNotices = dict[str, object]

_MOST = 8  # nights: a second one can begin while a first is running
# systemd before version 251 does not name the night that failed; it starts its service at once
_AT_ONCE = timedelta(minutes=10)


@dataclass(frozen=True)
class KeptNight:
    """A night that began.

    ``run``: a UUID.  ``began`` and ``ended``: ISO times.  ``invocation``: systemd's id of the
    service's run, "" elsewhere.  ``code``: the exit code that the night itself announced, None if
    it announced none, or somebody did not get the notice.
    """

    run: str
    began: str
    invocation: str = ""
    ended: str = ""
    code: int | None = None

    @property
    def has_spoken(self) -> bool:
        """Whether the night itself announced how it ended."""
        return self.code is not None


def load(root: Path) -> KeptNotices:
    """What is kept; empty if there is nothing, or it can't be read."""
    try:
        kept = json.loads((root / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def save(root: Path, kept: KeptNotices) -> str:
    """Write what is kept; return what went wrong, or ""."""
    if not root.is_dir():
        return ""  # nothing was ever taken in
    try:
        publishing.write_text(root / FILE, json.dumps(kept))
    except (OSError, FootageError) as error:
        return f"it can't be written ({type(error).__name__})"
    return ""


def nights(kept: KeptNotices) -> list[KeptNight]:
    """The newest nights, the oldest first."""
    listed = kept.get("nights")
    found = []
    for each in listed if isinstance(listed, list) else ():
        try:
            night = KeptNight(**each)
            datetime.fromisoformat(night.began)
        except (TypeError, ValueError):
            continue
        found.append(night)
    return found


def with_night(kept: KeptNotices, night: KeptNight) -> KeptNotices:
    """What is kept, with one night added, or replaced if it is known."""
    others = [asdict(each) for each in nights(kept) if each.run != night.run]
    return {**kept, "nights": [*others, asdict(night)][-_MOST:]}


def invocation() -> str:
    """Give the id by which systemd knows this run of the service; "" without systemd."""
    return os.environ.get("INVOCATION_ID", "")


def failed_night(kept: KeptNotices, code: int, now: datetime) -> KeptNight | None:
    """The night that systemd says has failed with *code*; None if none is known to have begun."""
    newest = nights(kept)[::-1]
    if failed := os.environ.get("MONITOR_INVOCATION_ID", ""):
        return next((each for each in newest if each.invocation == failed), None)
    if not newest or not newest[0].has_spoken:
        return next(iter(newest), None)
    try:
        is_new = now - datetime.fromisoformat(newest[0].ended) < _AT_ONCE
    except (TypeError, ValueError):
        return None
    return newest[0] if is_new and newest[0].code == code else None
