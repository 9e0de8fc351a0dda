"""A corpus of small files; in each a place is planted in one carrier where files keep places.

``python -m tests.support.planted DIR`` writes it, with a ``manifest.json`` that names the needles:
planted coordinates and invented place names, which no clean output may contain.
"""

from __future__ import annotations

import json
from pathlib import Path

from . import appended, films, jpegs, matroskas, stills, streams, tracks
from .place import Place
from .planted import Planted


def corpus() -> list[Planted]:
    """All carriers, in a fixed order."""
    families = (jpegs, stills, films, tracks, matroskas, streams, appended)
    return [planted for family in families for planted in family.CARRIERS]


def build(folder: Path) -> list[Planted]:
    """Write the corpus and its manifest into *folder*, always the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    carriers = corpus()
    for index, planted in enumerate(carriers):
        place = Place.number(index)
        (folder / planted.name).write_bytes(planted.plant(place))
        rows.append(
            {
                "name": planted.name,
                "group": "planted",
                "kind": planted.kind,
                "carrier": planted.carrier,
                "where": planted.where,
                "lat": place.lat,
                "lon": place.lon,
                "needles": place.needles,
                "needles_hex": [planted.hexadecimal(place)] if planted.hexadecimal else [],
                "identity": list(planted.identity),
                "source": "planted",
                "found": [list(pair) for pair in planted.found],
            }
        )
    about = "places planted one a file; written by tests/support/planted"
    manifest = json.dumps({"about": about, "files": rows}, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(manifest + "\n", encoding="utf-8")
    return carriers
