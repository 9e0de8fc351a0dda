"""The record of what a reviewer says about a clip."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Comment:
    """What a reviewer says about a clip, at a moment or in a stretch of it if ``from_s`` is given.

    ``from_s`` and ``to_s`` are seconds of the whole clip.  ``resolved_by`` is who said that nothing
    is left to do; empty while something is.  ``at`` is RFC 3339 in UTC.
    """

    id: str
    text: str
    from_s: float | None = None
    to_s: float | None = None
    by: str = ""
    at: str = ""
    resolved_by: str = ""
