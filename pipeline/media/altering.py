"""Stretches of a clip's sound that a reviewer mutes or disguises.

A stretch is cut in pieces of a millisecond, and a piece is changed as a whole.  The stretch is
longer by what resampling mixes on both sides, so nothing of what is muted is heard.

A disguise lowers the pitch.  It is no protection: who knows the person may recognise the voice, and
a program that raises the pitch again gives the voice back.
"""

from collections.abc import Sequence

from pipeline.ffmpeg.graph import Audio, amix
from pipeline.media.timebase import SAMPLE_RATE
from pipeline.protection import SoundChange, SoundChangeKind

_PIECE = SAMPLE_RATE // 1000  # samples
_MIXED_S = 0.003  # at 8 kHz a resampler reaches 16 samples far
_FRAME = 1024  # samples that filters and encoders work on at once
_PITCH = 0.8  # of the frequency: about four semitones lower


def altered(sound: Audio, changes: Sequence[SoundChange]) -> Audio:
    """Apply changes to sound of 48 kHz, stereo, that begins at 0."""
    if not changes:
        return sound
    disguised = _within(changes, SoundChangeKind.DISGUISE)
    muted = _within(changes, SoundChangeKind.MUTE)
    sound = sound.filter("asetnsamples", _PIECE, p=0)
    if disguised:
        plain, low = sound.split(2)
        plain = plain.filter("volume", 0, enable=disguised)
        low = _lowered(low).filter("volume", 0, enable=f"not({disguised})")
        sound = amix(plain, low, duration="first", normalize=0)
        sound = sound.filter("asetnsamples", _PIECE, p=0)
    if muted:
        sound = sound.filter("volume", 0, enable=muted)
    return sound.filter("asetnsamples", _FRAME, p=0)


def _lowered(sound: Audio) -> Audio:
    """Lower the pitch; the length stays the same."""
    slow = sound.filter("asetrate", round(SAMPLE_RATE * _PITCH)).filter("aresample", SAMPLE_RATE)
    same = slow.filter("atempo", 1 / _PITCH).filter("asetpts", "N")
    return same.filter("asetnsamples", _PIECE, p=0)


def _within(changes: Sequence[SoundChange], kind: SoundChangeKind) -> str:
    """An expression of FFmpeg that is true for the pieces that changes of a kind touch."""
    stretches = []
    for change in changes:
        begin = f"{change.from_s - _MIXED_S - _PIECE / SAMPLE_RATE:.4f}"
        if change.kind is kind and change.to_s is None:
            stretches.append(f"gte(t,{begin})")
        elif change.kind is kind and change.to_s is not None:
            stretches.append(f"between(t,{begin},{change.to_s + _MIXED_S:.4f})")
    return "+".join(stretches)
