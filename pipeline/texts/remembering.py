"""Results that are remembered by the texts of which they were made."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, TypeVar

_DIGEST = 16  # bytes
Result = TypeVar("Result")


class Remembered(Generic[Result]):
    """What was found in texts, in this process.

    It has the digests of the texts and not the texts, which would take much memory.
    """

    def __init__(self, most: int) -> None:
        """Begin with nothing; more than *most* results are never kept."""
        self._most, self._known = most, dict[bytes, Result]()

    def of(self, texts: tuple[str, ...], find: Callable[[], Result]) -> Result:
        """Give the result for *texts*; it is found only if it is not known."""
        key = blake2b(repr(texts).encode(), digest_size=_DIGEST).digest()
        if key not in self._known:
            found = find()
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = found
            return found
        return self._known[key]
