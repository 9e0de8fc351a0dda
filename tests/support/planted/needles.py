"""The search for planted values (needles), in every form in which bytes can hold them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

_SHORTEST = 5
_SHORTEST_BASE64 = 8
_WORD = 4


class Needles:
    """The needles of a manifest's rows: places, invented names, and those of people and devices."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], *, identity: bool = True) -> None:
        """Prepare a search.

        :param identity: search for serial numbers and people's names too, not only for places.
        """
        self._labels: dict[bytes, str] = {}
        for row in rows:
            texts = [*row["needles"], *(row["identity"] if identity else ())]
            for needle in texts:
                if len(needle) >= _SHORTEST:
                    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                        self._add(needle.encode(encoding), needle)
            for digits in row["needles_hex"]:
                self._add(bytes.fromhex(digits), f"the bytes {digits[:16]}")
                self._add(digits.encode(), f"the digits {digits[:16]}")
        self._forms: dict[bytes, list[bytes]] = {}
        for form in self._labels:
            self._forms.setdefault(form[:_WORD], []).append(form)
        self._words = np.array([np.frombuffer(word, "<u4")[0] for word in self._forms])

    def _add(self, form: bytes, label: str) -> None:
        for each in (form, *_base64_forms(form)):
            self._labels.setdefault(each, label)

    def within(self, data: bytes) -> set[str]:
        """The needles that are in *data*."""
        return {
            self._labels[form]
            for at in self._places(data)
            for form in self._forms[data[at : at + _WORD]]
            if data.startswith(form, at)
        }

    def _places(self, data: bytes) -> Iterator[int]:
        """The positions of the first four bytes of a form."""
        for offset in range(_WORD):
            count = max(0, (len(data) - offset) // _WORD)
            words = np.frombuffer(data, "<u4", count, offset if count else 0)
            for hit in np.flatnonzero(np.isin(words, self._words)):
                yield offset + _WORD * int(hit)


def _base64_forms(data: bytes) -> Iterator[bytes]:
    """*data* as it looks in the base64 of something longer, at each of the three offsets."""
    for skipped in range(3):
        coded = base64.b64encode(bytes(skipped) + data)
        start = (skipped * 8 + 5) // 6
        end = len(coded) - (4 if (skipped + len(data)) % 3 else 0)
        if end - start >= _SHORTEST_BASE64:
            yield coded[start:end]
