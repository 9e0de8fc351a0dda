"""How a command ends."""

import json
from dataclasses import dataclass, field

Facts = dict[str, object]

RECEIPTS_FAULT = "receipts_fault"
"""The key of the facts of a night that says why receipts could not be sent."""


@dataclass(frozen=True)
class Ending:
    """The exit code, what ``--json`` prints, and what standard output shows without it."""

    exit_code: int = 0
    facts: Facts = field(default_factory=dict)
    lines: tuple[str, ...] = ()

    def json(self) -> str:
        """The one JSON object of ``--json``."""
        facts = {"exit_code": self.exit_code, **self.facts}
        text = json.dumps(facts, default=str, ensure_ascii=False)
        # a file's name that is not valid Unicode becomes an escape of JSON
        return text.encode("utf-8", "backslashreplace").decode()
