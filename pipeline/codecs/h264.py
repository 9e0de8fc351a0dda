"""H.264 by x264, in MP4.

Clips are joined by copy, so all files of an output need equal parameter sets and closed groups of
pictures that begin with an IDR.
"""

from pipeline import judge
from pipeline.codecs.codec import Arguments, Codec
from pipeline.config import Output
from pipeline.media.timebase import TICKS

_PRESETS = {"draft": ("ultrafast", 28), "standard": ("veryfast", 20), "high": ("medium", 18)}
# Preset options that end up in the SPS and PPS.  They are named so that `ultrafast` output has
# equal parameter sets.
_PARAMETER_SET_OPTIONS = {
    "draft": "",
    "standard": ":cabac=1:8x8dct=1:weightp=1:weightb=1",
    "high": ":ref=3:cabac=1:8x8dct=1:weightp=2:weightb=1:chroma-qp-offset=-2",
}
_FINER = 4  # steps of the quantizer


def arguments(output: Output) -> Arguments:
    """Return FFmpeg's options for the picture of a clip."""
    preset, crf = _PRESETS[output.quality]
    keyint = 2 * output.fps
    return {
        "c:v": "libx264",
        "preset": preset,
        "crf": crf,
        "profile:v": "high",
        "x264-params": f"keyint={keyint}:min-keyint=1:open-gop=0:stitchable=1:bframes=3",
        "a53cc": 0,
        # SEI holds the encoder's option string and could hold the closed captions of a source
        "bsf:v": "filter_units=remove_types=6",
        "threads:v": 1,
        "video_track_timescale": output.fps * TICKS,
    }


def quick_arguments(output: Output) -> Arguments:
    """Return FFmpeg's options for a picture that joins the clips and is made quickly.

    x264's quickest preset searches little and spends bits instead: finer quantizers than a
    clip's, in half the time.  The quantizer is constant, since a piece that is made alone must
    not depend on the pieces before it.  The parameter sets are those of a clip: the options of
    its preset are named, and ``stitchable`` keeps the quantizer out of them.
    """
    options = arguments(output)
    del options["crf"]
    return {
        **options,
        "preset": "ultrafast",
        "qp": _PRESETS[output.quality][1] - _FINER,
        "x264-params": f"{options['x264-params']}{_PARAMETER_SET_OPTIONS[output.quality]}",
    }


CODEC = Codec(
    name="h264",
    suffix=".mp4",
    lead=2,  # x264 with B-frames that other B-frames refer to
    judged=judge.H264,
    arguments=arguments,
    quick_arguments=quick_arguments,
)
