"""Kinds of sound, each in a film with flashes and beeps: what is seen and heard is in sync.

A flash and a beep of 0.1 s mark the same moment.  The beep is high on the right and low on the
left, so a channel that is lost, doubled or exchanged is heard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from support.clip_scene import Clip, ClipScene

MOMENTS = (0.5, 1.2)
LEFT, RIGHT = 500, 900  # Hz
_SECONDS, _RATE, _FPS = 1.6, 48000, 30
_APART_S = 0.034  # of a flash and its beep
_SHARE = 0.8  # of a channel's energy that is at its pitch
_NEAR_HZ = 40
_QUICK = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "15", "-pix_fmt", "yuv420p")
_MPEG = ("-c:v", "mpeg2video", "-q:v", "3")


@dataclass(frozen=True)
class SoundKind:
    """A kind of sound by the name of its film, with FFmpeg's options for the film.

    ``codec`` is its name in the report.  ``mono``: both pitches are on both sides.
    """

    name: str
    codec: str
    options: tuple[str, ...]
    mono: bool = False
    quick: bool = False

    def now(self) -> SoundKind:
        """The same kind, tried by ``make test`` too."""
        return replace(self, quick=True)


def _sound(name: str, codec: str, *sound: str, video: tuple[str, ...] = _QUICK) -> SoundKind:
    mono = "-ac" in sound and sound[sound.index("-ac") + 1] == "1"
    return SoundKind(name, codec, (*video, *sound), mono)


SOUNDS: tuple[SoundKind, ...] = (
    _sound("aac.mp4", "aac", "-c:a", "aac").now(),
    _sound("aac-mono.mp4", "aac", "-c:a", "aac", "-ac", "1"),
    _sound("aac-44100.mov", "aac", "-c:a", "aac", "-ar", "44100"),
    _sound("aac-51.mp4", "aac", "-c:a", "aac", "-ac", "6"),
    _sound("aac.ts", "aac", "-c:a", "aac"),
    _sound("aac.flv", "aac", "-c:a", "aac"),
    _sound("aac.3gp", "aac", "-c:a", "aac", "-ar", "16000"),
    _sound("mp3.avi", "mp3", "-c:a", "libmp3lame"),
    _sound(
        "reordered-mp3.avi",
        "mp3",
        "-bf",
        "2",
        "-c:a",
        "libmp3lame",
        video=(*_QUICK[:2], *_QUICK[4:]),
    ).now(),
    _sound("mp3.mkv", "mp3", "-c:a", "libmp3lame", "-ar", "44100"),
    _sound("opus.webm", "opus", "-c:a", "libopus", video=("-c:v", "libvpx", "-b:v", "1M")).now(),
    _sound("vorbis.mkv", "vorbis", "-c:a", "libvorbis"),
    _sound("vorbis.ogv", "vorbis", "-c:a", "libvorbis", video=("-c:v", "libtheora")),
    _sound("flac.mkv", "flac", "-c:a", "flac"),
    _sound("alac.mov", "alac", "-c:a", "alac"),
    _sound("ac3.ts", "ac3", "-c:a", "ac3"),
    _sound("ac3-51.mkv", "ac3", "-c:a", "ac3", "-ac", "6"),
    _sound("eac3.mp4", "eac3", "-c:a", "eac3"),
    _sound("dts.mkv", "dts", "-c:a", "dca", "-strict", "-2"),
    _sound("mp2.mpg", "mp2", "-c:a", "mp2", video=_MPEG).now(),
    _sound("mp2.ts", "mp2", "-c:a", "mp2", video=_MPEG),
    _sound("wma.wmv", "wmav2", "-c:a", "wmav2", video=("-c:v", "wmv2")),
    _sound("pcm.mov", "pcm_s16le", "-c:a", "pcm_s16le"),
    _sound("pcm-24.mov", "pcm_s24le", "-c:a", "pcm_s24le"),
    _sound("pcm-big.mov", "pcm_s16be", "-c:a", "pcm_s16be"),
    _sound("pcm-8.avi", "pcm_u8", "-c:a", "pcm_u8", "-ar", "11025"),
    _sound("float.mkv", "pcm_f32le", "-c:a", "pcm_f32le"),
    _sound("mulaw.mov", "pcm_mulaw", "-c:a", "pcm_mulaw"),
    _sound("adpcm.avi", "adpcm_ms", "-c:a", "adpcm_ms"),
    _sound("ima.mov", "adpcm_ima_qt", "-c:a", "adpcm_ima_qt"),
    _sound("amr.3gp", "amr_nb", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
)


def faults(kind: SoundKind, scene: ClipScene) -> list[str]:
    """Make a clip of a film of the kind, and say what is not as it must be."""
    shown = "+".join(f"between(t,{moment - 0.001},{moment + 0.099})" for moment in MOMENTS)
    picture = f"color=c=gray:s=160x90:r={_FPS}:d={_SECONDS},drawbox=c=white:t=fill:enable='{shown}'"
    waves = "|".join(f"0.4*({shown})*sin(2*PI*{pitch}*t)" for pitch in (LEFT, RIGHT))
    sound = f"aevalsrc='{waves}':s={_RATE}:d={_SECONDS}:c=stereo"
    inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound)
    result = scene.make(scene.film(kind.name, *inputs, *kind.options))
    if result.refusal is not None or result.source is None:
        return [f"refused: {result.refusal}"]
    wrong = []
    if result.source.audio_codec != kind.codec:
        wrong.append(f"named {result.source.audio_codec}")
    clip = Clip(scene.folder / "work" / result.outputs[0].path, result)
    seen, heard = flashes(clip), beeps(clip)
    if not len(seen) == len(heard) == len(MOMENTS):
        return [*wrong, f"flashes {seen}, beeps {heard}"]
    if np.abs(np.subtract(seen, MOMENTS)).max() > 2 / _FPS:
        wrong.append(f"flashes {seen}")
    if np.abs(np.subtract(seen, heard)).max() > _APART_S:
        wrong.append(f"flashes {seen}, beeps {heard}")
    for channel, pitch in enumerate((LEFT, RIGHT)):
        wanted = (LEFT, RIGHT) if kind.mono else (pitch,)
        found = sum(share(clip.sound()[:, channel], each) for each in wanted)
        if found < _SHARE:
            wrong.append(f"channel {channel}: {found:.2f} at {wanted} Hz")
    return wrong


def flashes(clip: Clip) -> list[float]:
    """When the picture becomes white, in seconds."""
    light = np.array([picture[:32].mean() for picture in clip.pictures])
    return [float(at) / _FPS for at in np.flatnonzero((light[1:] > 190) & (light[:-1] <= 190)) + 1]


def beeps(clip: Clip) -> list[float]:
    """When it begins to sound after silence, in seconds."""
    pieces = clip.sound()[:, 0]
    loud = np.sqrt((pieces[: len(pieces) // 240 * 240].reshape(-1, 240) ** 2).mean(1))
    on = loud > loud.max() * 0.4
    starts = np.flatnonzero(on & ~np.concatenate(([False], on[:-1])))
    return [float(at) * 240 / _RATE for at in starts if not on[max(0, at - 6) : at].any()]


def share(channel: NDArray[np.float64], pitch: int) -> float:
    """How much of the energy of a channel is near a pitch."""
    energy = np.abs(np.fft.rfft(channel * np.hanning(len(channel)))) ** 2
    near = np.abs(np.fft.rfftfreq(len(channel), 1 / _RATE) - pitch) < _NEAR_HZ
    return float(energy[near].sum() / energy.sum())
