"""FFmpeg's options for each kind of file that is made, equal for all files of an output.

Clips, cards and pieces are joined by copy.  This needs equal parameter sets, an equal timebase,
constant picture durations, and lossless sound that is exactly as long as the picture.  AAC, whose
frames do not end where pictures do, is there for the browser.  What depends on the codec of the
picture is in ``codecs``.
"""

from pipeline.codecs import Arguments, codec_of
from pipeline.config import Output
from pipeline.ffmpeg.graph import Audio, Video
from pipeline.judge import VideoFacts
from pipeline.media.timebase import TICKS, samples_of

_TABLES = 256  # bytes in the tables of an MP4 for a picture and the sound beside it
_HEADERS = 1 << 20
_SAMPLE = 6  # bytes: ALAC has at most the 4 of the sample, AAC at most 1.5
_BITS_OF_8_PIXELS = 2

BT709 = {"range": "tv"} | dict.fromkeys(("colorspace", "color_primaries", "color_trc"), "bt709")

CLEAN: Arguments = {
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


def labelled(picture: Video) -> Video:
    """Label pictures as what every output is: BT.709, limited range, progressive."""
    return picture.filter("setparams", **BT709, field_mode="prog")


def clip_sound(sound: Audio) -> list[Audio]:
    """Return the two sounds of a clip: for AAC and for ALAC."""
    return [
        copy.filter("aformat", sample_fmts=samples, channel_layouts="stereo")
        for copy, samples in zip(sound.split(2), ("fltp", "s16p"), strict=True)
    ]


def still(picture: Video, widest: int, output: Output) -> Video:
    """Reduce a picture to *widest* pixels at most, in the colours of a JPEG."""
    target = {"out_range": "pc", "out_color_matrix": "bt601"}
    reduced = picture.filter("scale", min(widest, output.width), -2, **target)
    # after rounding the height, the JPEG would get an aspect ratio
    return reduced.filter("setsar", 1).filter("format", "yuvj420p")


def clip_arguments(output: Output) -> Arguments:
    """Return the options for a clip: picture, AAC for the browser, ALAC for the montage."""
    return {
        **codec_of(output).arguments(output),
        "c:a:0": "aac",
        # with less, or its usual cutoff, wind and applause come out a decibel quieter
        "b:a:0": "256k",
        "cutoff:a:0": 22000,
        "c:a:1": "alac",
        "disposition:a:0": "default",
        "disposition:a:1": "0",
        **CLEAN,
    }


def most_bytes(output: Output, frames: int) -> int:
    """Return how many bytes a film of an output can have: those of its pictures and samples as raw.

    H.264 can code any picture as it is, in a few bytes more (ITU-T H.264, 7.3.5, I_PCM).
    """
    blocks = -(-output.width // 16) * -(-output.height // 16)
    picture = blocks * (16 * 16 * 3 // 2 + 8) + _TABLES
    return frames * picture + samples_of(frames, output.fps) * _SAMPLE + _HEADERS


def usual_bytes(output: Output, frames: int) -> int:
    """Return how many bytes a film of an output needs, with some to spare.

    Phone films need 0.1 bit for each pixel of 1080p30, and noise by night needs more.
    """
    picture = output.width * output.height * _BITS_OF_8_PIXELS // 64
    return frames * picture + samples_of(frames, output.fps) * _SAMPLE


def most_still(width: int, height: int) -> int:
    """Return how many bytes a JPEG of this size can have."""
    return width * height * 6 + _HEADERS


def joins(facts: VideoFacts, output: Output, frames: int, configuration: str) -> bool:
    """Whether a picture has *frames* and can be joined to an output's clips by copy.

    :param configuration: the SHA-256 of the decoder configuration that the clips have.
    """
    timing = (facts.frames, facts.ticks_per_frame, facts.timescale)
    exact = timing == (frames, TICKS, output.fps * TICKS)
    return exact and facts.extradata == configuration


def cut_arguments(frames: int, fade: int, first: int = 0) -> Arguments:
    """Return options that put key frames where a clip of *frames* meets crossfades of *fade*.

    The pictures between them are copied into the montage; only those outside are encoded again.
    A clip that is shorter than two fades is cut in its middle.

    :param first: the number of the first picture that is encoded, in the clip.
    """
    cut = min(fade, frames // 2)
    places = (cut - first, frames - cut - first)
    return {"force_key_frames:v": "expr:eq(n,{})+eq(n,{})".format(*places)} if cut else {}


def picture_arguments(output: Output) -> Arguments:
    """Return the options for a chunk of a clip's picture.

    Without a sound the muxer counts the whole in thousandths of a second, and its two durations
    are rounded in two ways.
    """
    exact = {"movie_timescale": output.fps * TICKS}
    return codec_of(output).arguments(output) | CLEAN | exact


def sound_arguments(output: Output) -> Arguments:
    """Return the options for the two sounds of a clip in a file of their own."""
    picture = codec_of(output).arguments(output).keys() | {"flags:v"}
    return {name: v for name, v in clip_arguments(output).items() if name not in picture}


def joined_arguments(output: Output) -> Arguments:
    """Return the options for a clip whose pictures and sounds are copied from its pieces.

    The times of the pictures fall between the ticks where files are read one after the other: each
    picture is set to its own tick, the first to 0.
    """
    lead = codec_of(output).lead
    times = f"setts=pts=round((PTS-STARTPTS)/{TICKS})*{TICKS}:dts=(N-{lead})*{TICKS}"
    return {
        "c": "copy",
        "bsf:v": times,
        "disposition:a:0": "default",
        "disposition:a:1": "0",
        "video_track_timescale": output.fps * TICKS,
        **CLEAN,
    }


def card_arguments(output: Output) -> Arguments:
    """Return the options for a card, which has all that a clip has."""
    codec = codec_of(output)
    quick = codec.quick_arguments(output)
    replaced = codec.arguments(output).keys() - quick.keys()
    options = {name: v for name, v in clip_arguments(output).items() if name not in replaced}
    return options | quick


def piece_arguments(output: Output) -> Arguments:
    """Return the options for a piece of a montage that is encoded again: the picture alone."""
    return codec_of(output).quick_arguments(output) | CLEAN


def montage_arguments(output: Output) -> Arguments:
    """Return the options for a montage: the picture is copied, the sound encoded once."""
    return {
        "c:v": "copy",
        "c:a": "aac",
        "b:a": "192k",
        "video_track_timescale": output.fps * TICKS,
        **CLEAN,
    }


def still_arguments() -> Arguments:
    """Return the options for the still of a clip: one JPEG that holds only the picture."""
    one: Arguments = {"frames:v": 1, "update": 1, "threads:v": 1, "f": "image2"}
    clean = {name: CLEAN[name] for name in ("map_metadata", "fflags", "flags:v")}
    return {"c:v": "mjpeg", "q:v": 4, **one, **clean}
