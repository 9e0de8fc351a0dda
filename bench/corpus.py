"""All kinds of pictures, films and sound, each against another decoder or what was painted.

    .venv/bin/python -m bench.corpus [NAME...]

The rows are in ``tests/support/corpus``.  Without names, all of them.
"""

from __future__ import annotations

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.corpus import kinds, sounds
from support.corpus.films import FILMS
from support.corpus.kinds import PictureKind, scene_in
from support.corpus.pictures import PICTURES
from support.corpus.sounds import SOUNDS, SoundKind

KINDS: tuple[PictureKind | SoundKind, ...] = (*PICTURES, *FILMS, *SOUNDS)


def tried(kind: PictureKind | SoundKind) -> list[str]:
    """What is wrong with a clip of the kind."""
    with tempfile.TemporaryDirectory() as folder:
        scene = scene_in(Path(folder))
        if isinstance(kind, SoundKind):
            return sounds.faults(kind, scene)
        return kinds.faults(kind, scene)


def main(*names: str) -> int:
    """Try each kind, and print those that are not as they must be; 1 if there are any."""
    chosen = [kind for kind in KINDS if not names or kind.name in names]
    with ThreadPoolExecutor(2) as pool:
        wrong = dict(zip([kind.name for kind in chosen], pool.map(tried, chosen), strict=True))
    for name, found in wrong.items():
        if found:
            print(f"{name}: {'; '.join(found)}")
    print(f"{sum(not found for found in wrong.values())} of {len(chosen)} kinds are right")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
