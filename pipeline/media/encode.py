"""The stream parameters of an output: the same for every clip and card, so that they join.

Joining by copy wants equal H.264 parameter sets, an equal timebase, closed groups of
pictures that begin with an IDR, constant frame durations and lossless sound of exactly the
picture's length; AAC, whose frames do not end where pictures do, is there for the browser.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pipeline.config import Output

SAMPLE_RATE = 48000
TICKS = 1000  # of the timebase in a frame

_X264 = {"draft": ("ultrafast", 28), "standard": ("veryfast", 20), "high": ("medium", 18)}
# What a preset has that stands in the parameter sets, so that the quickest can join it.
_TOOLS = {
    "draft": "",
    "standard": ":cabac=1:8x8dct=1:weightp=1:weightb=1",
    "high": ":ref=3:cabac=1:8x8dct=1:weightp=2:weightb=1:chroma-qp-offset=-2",
}
_FINER = 4  # steps of the quantizer

_CLEAN: dict[str, str] = {
    # nothing of the input's metadata, chapters, programs; no dates, no versions
    "map_metadata": "-1",
    "map_chapters": "-1",
    "fflags": "+bitexact",
    "flags:v": "+bitexact",
    "flags:a": "+bitexact",
    "write_tmcd": "0",
    "movflags": "+faststart",
    "f": "mp4",
}


def samples_of(frames: int, fps: int) -> int:
    """The samples of sound that *frames* pictures last; exact for every rate we allow."""
    return frames * SAMPLE_RATE // fps


def frames_in(seconds: float, fps: int) -> int:
    """How many pictures *seconds* are, at least one; half a picture counts as one."""
    return max(1, int(Fraction(seconds).limit_denominator(1_000_000) * fps + Fraction(1, 2)))


def fade_frames(seconds: float, fps: int) -> int:
    """How many pictures a crossfade of *seconds* lasts; 0 for hard cuts."""
    return frames_in(seconds, fps) if seconds > 0 else 0


def labelled(picture: Any) -> Any:
    """A stream of ffmpeg-python's, named as what every output is: BT.709, limited, progressive."""
    return picture.filter(
        "setparams",
        range="tv",
        colorspace="bt709",
        color_primaries="bt709",
        color_trc="bt709",
        field_mode="prog",
    )


def video_arguments(output: Output) -> dict[str, str | int]:
    """FFmpeg's options for the picture of an output."""
    preset, crf = _X264[output.quality]
    keyint = 2 * output.fps
    return {
        "c:v": "libx264",
        "preset": preset,
        "crf": crf,
        "profile:v": "high",
        "x264-params": f"keyint={keyint}:min-keyint=1:open-gop=0:stitchable=1:bframes=3",
        "a53cc": 0,
        # SEI carries the encoder's option string and could carry a source's captions
        "bsf:v": "filter_units=remove_types=6",
        "threads:v": 1,
        "video_track_timescale": output.fps * TICKS,
    }


def clip_arguments(output: Output) -> dict[str, str | int]:
    """Options for a clip: picture, AAC for the browser, ALAC for the montage."""
    return {
        **video_arguments(output),
        "c:a:0": "aac",
        # with less, or its usual cutoff, wind and applause come out a decibel quieter
        "b:a:0": "256k",
        "cutoff:a:0": 22000,
        "c:a:1": "alac",
        "disposition:a:0": "default",
        "disposition:a:1": "0",
        **_CLEAN,
    }


def cut_arguments(frames: int, fade: int) -> dict[str, str | int]:
    """Options that put key frames where a clip of *frames* meets crossfades of *fade* pictures.

    Between them it is copied into the montage; what lies outside is all that is encoded again.
    A clip shorter than two fades is cut in its middle.
    """
    cut = min(fade, frames // 2)
    return {"force_key_frames:v": f"expr:eq(n,{cut})+eq(n,{frames - cut})"} if cut else {}


def quick_arguments(output: Output) -> dict[str, str | int]:
    """Options for a picture that joins the clips and is made at the editor's desk.

    x264's quickest preset, which searches little and spends bits instead: finer quantizers
    than a clip's in half the time.  They are constant, since what is made alone must not
    depend on what was made before it.  The parameter sets are a clip's: its preset's tools
    are named, and ``stitchable`` keeps the quantizer out of them.
    """
    options = video_arguments(output)
    del options["crf"]
    return {
        **options,
        "preset": "ultrafast",
        "qp": _X264[output.quality][1] - _FINER,
        "x264-params": f"{options['x264-params']}{_TOOLS[output.quality]}",
    }


def card_arguments(output: Output) -> dict[str, str | int]:
    """Options for a card: all that a clip has."""
    options = clip_arguments(output)
    del options["crf"]
    return {**options, **quick_arguments(output)}


def piece_arguments(output: Output) -> dict[str, str | int]:
    """Options for a piece of a montage that is encoded again: the picture alone."""
    return {**quick_arguments(output), **_CLEAN}


def montage_arguments(output: Output) -> dict[str, str | int]:
    """Options for a montage: the picture is copied, the sound encoded once."""
    return {
        "c:v": "copy",
        "c:a": "aac",
        "b:a": "192k",
        "video_track_timescale": output.fps * TICKS,
        **_CLEAN,
    }


def still_arguments() -> dict[str, str | int]:
    """Options for the still of a clip: one JPEG with nothing but the picture in it."""
    return {
        "c:v": "mjpeg",
        "q:v": 4,
        "frames:v": 1,
        "update": 1,
        "map_metadata": "-1",
        "fflags": "+bitexact",
        "flags:v": "+bitexact",
        "threads:v": 1,
        "f": "image2",
    }
