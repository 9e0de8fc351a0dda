"""The warnings of a clip: a reviewer should look at these; none of them refuses the clip."""

from dataclasses import dataclass

from pipeline.caution import Caution
from pipeline.media.loudness import TOLERANCE_LU, Correction, Loudness
from pipeline.media.probed import Probe
from pipeline.media.survey import Hearing
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces

_SHORT_S, _LONG_S = 1.0, 300.0
_UPSCALE = 2.0
_HELD_S, _STILL_S = 5.0, 2.0


def of_picture(seen: Probe, recipe: Recipe, length: float) -> tuple[Caution, ...]:
    """Return the warnings about its size and its length in seconds."""
    source, first = seen.source(), recipe.outputs[0]
    scale = min(first.width / source.width, first.height / source.height)
    # how long the last picture stays while sound goes on
    held = 0.0 if seen.still else length - (seen.picture.end_s or 0.0)
    found = {
        Caution.FROZEN: held >= _HELD_S or (held >= _STILL_S and held >= length / 2),
        Caution.UPSCALED: scale > _UPSCALE,
        Caution.SIZE_CHANGES: seen.picture.changes,
        # a face jumps where the size changes, which may be between two looks
        Caution.WITHHELD: seen.picture.changes and recipe.faces == "always",
        Caution.INCOMPLETE: seen.cut is not None,
        Caution.VERY_SHORT: not seen.still and length < _SHORT_S,
        Caution.VERY_LONG: not seen.still and length > _LONG_S,
    }
    return tuple(caution for caution, so in found.items() if so)


def of_faces(found: FoundFaces | None) -> tuple[Caution, ...]:
    """Return the warnings about the search for faces."""
    if found is None:
        return ()
    told = {Caution.FACE_LOST: found.is_lost, Caution.FACES_PARTIAL: found.is_partial}
    return tuple(caution for caution, so in told.items() if so)


@dataclass(frozen=True)
class ClipSound:
    """The sound of a clip: as it was sent, how it was corrected, and as it came out.

    ``correction`` is None where there is no sound.
    """

    hearing: Hearing
    correction: Correction | None
    after: Loudness


def of_sound(seen: Probe, recipe: Recipe, sound: ClipSound) -> tuple[Caution, ...]:
    """Return the warnings about its sound, and why its loudness is not the configured one."""
    correction, after = sound.correction, sound.after.lufs
    # the last packet of a cut file is damaged; that it is cut has a warning of its own
    broken = sound.hearing.is_broken and (seen.cut is None or correction is None)
    found = [Caution.BROKEN_SOUND] if broken else []
    found += [Caution.SOUND_CHANGES] if sound.hearing.changes else []
    if correction is None:
        return tuple(found) if seen.still or found else (Caution.NO_SOUND,)
    found += [Caution.CLIPPED_SOUND] if correction.before.clipped else []
    if correction.warning is not None:
        found.append(correction.warning)
    elif after is None or abs(after - recipe.loudness_lufs) > TOLERANCE_LU:
        found.append(Caution.OFF_TARGET)
    return tuple(found)
