"""The warnings of a clip: what a reviewer should look at, never a reason to refuse it."""

from __future__ import annotations

from pipeline.media.loudness import Correction, Measured
from pipeline.media.probe import Probe
from pipeline.model import Caution
from pipeline.process.recipe import Recipe

_SHORT_S, _LONG_S = 1.0, 300.0
_UPSCALE = 2.0
_TOLERANCE_LU = 0.5


def of_picture(seen: Probe, recipe: Recipe, length: float) -> tuple[Caution, ...]:
    """Of its size and its length in seconds."""
    found = []
    source, first = seen.source(), recipe.outputs[0]
    if min(first.width / source.width, first.height / source.height) > _UPSCALE:
        found.append(Caution.UPSCALED)
    if not seen.still and length < _SHORT_S:
        found.append(Caution.VERY_SHORT)
    if not seen.still and length > _LONG_S:
        found.append(Caution.VERY_LONG)
    return tuple(found)


def of_sound(
    seen: Probe, recipe: Recipe, correction: Correction | None, after: Measured
) -> tuple[Caution, ...]:
    """Of its sound; why the loudness is not the one asked for, where it is not."""
    if correction is None:
        return () if seen.still else (Caution.NO_SOUND,)
    found = [Caution.CLIPPED_SOUND] if correction.before.clipped else []
    heard = after.loudness_lufs
    if correction.warning is not None:
        found.append(correction.warning)
    elif heard is None or abs(heard - recipe.loudness_lufs) > _TOLERANCE_LU:
        found.append(Caution.OFF_TARGET)
    return tuple(found)
