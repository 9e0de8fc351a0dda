from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .place import Place

Plant = Callable[[Place], bytes]
Found = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Planted:
    """One file of the corpus.

    ``found`` are the pairs of carrier and kind that must be found in it, in the report's words.
    """

    name: str
    kind: str
    carrier: str
    where: str
    found: Found
    plant: Plant
    identity: tuple[str, ...] = ()
    hexadecimal: Callable[[Place], str] | None = None
