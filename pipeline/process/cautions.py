"""The warnings of a clip: a reviewer should look at these; none of them refuses the clip."""

from pipeline.media.loudness import TOLERANCE_LU, Correction, Loudness
from pipeline.media.probe import Probe
from pipeline.model import Caution
from pipeline.process.recipe import Recipe

_SHORT_S, _LONG_S = 1.0, 300.0
_UPSCALE = 2.0


def of_picture(seen: Probe, recipe: Recipe, length: float) -> tuple[Caution, ...]:
    """Return the warnings about its size and its length in seconds."""
    source, first = seen.source(), recipe.outputs[0]
    scale = min(first.width / source.width, first.height / source.height)
    found = {
        Caution.UPSCALED: scale > _UPSCALE,
        Caution.VERY_SHORT: not seen.still and length < _SHORT_S,
        Caution.VERY_LONG: not seen.still and length > _LONG_S,
    }
    return tuple(caution for caution, so in found.items() if so)


def of_sound(
    seen: Probe, recipe: Recipe, correction: Correction | None, after: Loudness
) -> tuple[Caution, ...]:
    """Return the warnings about its sound, and why its loudness is not the configured one."""
    if correction is None:
        return () if seen.still else (Caution.NO_SOUND,)
    found = [Caution.CLIPPED_SOUND] if correction.before.clipped else []
    heard = after.lufs
    if correction.warning is not None:
        found.append(correction.warning)
    elif heard is None or abs(heard - recipe.loudness_lufs) > TOLERANCE_LU:
        found.append(Caution.OFF_TARGET)
    return tuple(found)
