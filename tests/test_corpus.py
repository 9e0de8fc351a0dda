"""Kinds of pictures, films and sound against other decoders: the quick rows of the corpus.

``python -m bench.corpus`` tries all rows.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from support.corpus import sounds
from support.corpus.films import FILMS
from support.corpus.kinds import PictureKind, faults, scene_in
from support.corpus.pictures import PICTURES
from support.corpus.sounds import SOUNDS, SoundKind

QUICK = [kind for kind in (*PICTURES, *FILMS) if kind.quick]


@pytest.mark.parametrize("kind", QUICK, ids=lambda kind: kind.name)
def test_pictures(tmp_path: Path, kind: PictureKind) -> None:
    assert faults(kind, scene_in(tmp_path)) == []


@pytest.mark.parametrize(
    "kind", [kind for kind in SOUNDS if kind.quick], ids=lambda kind: kind.name
)
def test_sounds(tmp_path: Path, kind: SoundKind) -> None:
    assert sounds.faults(kind, scene_in(tmp_path)) == []
