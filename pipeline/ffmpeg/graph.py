"""A filter graph with types: pictures are ``Video``, sound is ``Audio``, and mypy keeps them apart.

This is a thin layer over ffmpeg-python, which has no types.  It is the only module that imports
that package.  Filters are named as FFmpeg names them; the names that a stream accepts are listed
below, so a filter for sound on a picture is a type error.  Streams are values: a filter returns a
new stream and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Option = str | int | float
Options = Mapping[str, str | int | None]  # None: an option without a value

VideoFilter = Literal[
    "bwdif", "crop", "fade", "format", "fps", "framestep", "gblur", "hflip", "loop", "lut3d",
    "lutyuv", "negate", "pad", "premultiply", "scale", "select", "setparams", "setpts", "setsar",
    "settb", "sidedata", "tile", "tpad", "transpose", "trim", "unpremultiply", "vflip", "zscale",
]  # fmt: skip
AudioFilter = Literal[
    "aeval", "aformat", "alimiter", "ametadata", "apad", "aresample", "asetnsamples", "asetpts",
    "asetrate", "asettb", "astats", "atempo", "atrim", "channelmap", "ebur128", "stereotools",
    "volume",
]  # fmt: skip


@dataclass(frozen=True)
class Video:
    """A stream of pictures in a graph."""

    _stream: Any

    def filter(self, name: VideoFilter, /, *values: Option, **options: Option) -> Video:
        """Send the pictures through a filter of FFmpeg."""
        return Video(self._stream.filter(name, *values, **options))

    def split(self, count: int) -> list[Video]:
        """Copy the stream for *count* readers, which must all be used."""
        if count == 1:
            return [self]
        copies = self._stream.filter_multi_output("split", count)
        return [Video(copies[index]) for index in range(count)]


@dataclass(frozen=True)
class Audio:
    """A stream of sound in a graph."""

    _stream: Any

    def filter(self, name: AudioFilter, /, *values: Option, **options: Option) -> Audio:
        """Send the sound through a filter of FFmpeg."""
        return Audio(self._stream.filter(name, *values, **options))

    def split(self, count: int) -> list[Audio]:
        """Copy the stream for *count* readers, which must all be used."""
        if count == 1:
            return [self]
        copies = self._stream.filter_multi_output("asplit", count)
        return [Audio(copies[index]) for index in range(count)]

    def channels(self, layout: str, count: int) -> list[Audio]:
        """Split sound of *count* channels into streams of one channel each."""
        single = self._stream.filter_multi_output("channelsplit", channel_layout=layout)
        return [Audio(single[index]) for index in range(count)]


@dataclass(frozen=True)
class InputFile:
    """A file that FFmpeg reads, or a source of ``lavfi``."""

    _stream: Any

    def video(self, selector: str = "v:0") -> Video:
        """Select a stream of pictures, with a stream specifier of FFmpeg."""
        return Video(self._stream[selector])

    def audio(self, selector: str = "a:0") -> Audio:
        """Select a stream of sound, with a stream specifier of FFmpeg."""
        return Audio(self._stream[selector])


@dataclass(frozen=True)
class OutputFile:
    """A file that FFmpeg writes, with the streams that go into it."""

    _stream: Any


@dataclass(frozen=True)
class Graph:
    """All outputs of one run of FFmpeg.

    ``filter_threads`` is how many threads a filter may use; 0 leaves the choice to FFmpeg.
    """

    outputs: tuple[OutputFile, ...]
    filter_threads: int = 0

    def arguments(self) -> list[str]:
        """Return FFmpeg's arguments, without the name of the program."""
        streams = [output._stream for output in self.outputs]
        node = _package().merge_outputs(*streams) if len(streams) > 1 else streams[0]
        flags = ["-nostdin", "-hide_banner", "-v", "error"]
        if self.filter_threads:
            count = str(self.filter_threads)
            flags += ["-filter_threads", count, "-filter_complex_threads", count]
        arguments = node.global_args(*flags).overwrite_output().get_args()
        return [str(argument) for argument in arguments]


def read(source: Path | str, options: Options) -> InputFile:
    """Read a file, a pipe (``pipe:0``) or a source of ``lavfi``."""
    return InputFile(_package().input(str(source), **options))


def write(
    target: Path | str, options: Options, video: Video | None = None, audio: Sequence[Audio] = ()
) -> OutputFile:
    """Write streams into a file or a pipe (``pipe:1``): first the picture, then the sound."""
    streams: list[Video | Audio] = [video] if video is not None else []
    streams += audio
    return OutputFile(_package().output(*(s._stream for s in streams), str(target), **options))


def overlay(below: Video, above: Video, /, **options: Option) -> Video:
    """Lay one picture over another; the last picture above is repeated where it ends early."""
    return Video(_package().overlay(below._stream, above._stream, **options))


def masked(picture: Video, mask: Video) -> Video:
    """Give a picture the transparency that another one shows as gray."""
    return Video(_package().filter([picture._stream, mask._stream], "alphamerge"))


def tiled(tiles: Sequence[Video], columns: int) -> Video:
    """Put pictures of one size together, row by row."""
    if len(tiles) == 1:
        return tiles[0]
    grid = f"{columns}x{len(tiles) // columns}"
    streams = [tile._stream for tile in tiles]
    return Video(_package().filter(streams, "xstack", inputs=len(tiles), grid=grid))


def xfade(tail: Video, head: Video, /, **options: Option) -> Video:
    """Pass from one picture into another with a transition of FFmpeg's ``xfade``."""
    return Video(_package().filter([tail._stream, head._stream], "xfade", **options))


def join(left: Audio, right: Audio, /, **options: Option) -> Audio:
    """Join two streams of one channel to one stream of two channels."""
    return Audio(_package().filter([left._stream, right._stream], "join", inputs=2, **options))


def amix(one: Audio, other: Audio, /, **options: Option) -> Audio:
    """Mix two streams of sound."""
    return Audio(_package().filter([one._stream, other._stream], "amix", inputs=2, **options))


def sidechaincompress(sound: Audio, control: Audio, /, **options: Option) -> Audio:
    """Make *sound* quieter while *control* is loud."""
    return Audio(
        _package().filter([sound._stream, control._stream], "sidechaincompress", **options)
    )


def silence(rate: int) -> Audio:
    """Return endless silence, stereo, that is made inside the graph and is not an input of FFmpeg.

    ffmpeg-python does not provide a filter without an input, so its node is made here.
    """
    nodes = _package().nodes
    node = nodes.FilterNode.__new__(nodes.FilterNode)
    nodes.Node.__init__(
        node,
        stream_spec=None,
        name="anullsrc",
        incoming_stream_types={nodes.FilterableStream},
        outgoing_stream_type=nodes.FilterableStream,
        min_inputs=0,
        max_inputs=0,
        kwargs={"r": rate, "cl": "stereo"},
    )
    return Audio(node.stream())


def _package() -> Any:
    """Load ffmpeg-python, which is slow; a night without new footage builds no graph."""
    import ffmpeg  # noqa: PLC0415 - see above

    return ffmpeg
