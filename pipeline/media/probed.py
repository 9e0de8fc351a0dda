"""What was found in a media file, as data: its picture and its sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from pipeline.carriers.containers.ending import Cut
from pipeline.carriers.containers.turning import Step
from pipeline.formats import Format
from pipeline.model import Source

_UNSPECIFIED = 2
PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273, table 3
_NAMES = {"mjpeg": "jpeg"}  # of single pictures; FFmpeg has one name for these and for films
_FILLED_S = 0.1  # sound may end so much later than the picture, because frames of sound are full


@dataclass(frozen=True)
class Sound:
    """A sound stream: its index in the file, its start and end in seconds from the file's start.

    ``layout`` is FFmpeg's name of its channels.
    """

    index: int
    codec: str
    start_s: float
    end_s: float
    layout: str = "stereo"


@dataclass(frozen=True)
class Transparency:
    """The transparency of a picture in streams of their own: tiles, row by row.

    ``limited``: their values are those of limited range.  ``width`` and ``height`` are pixels of
    the whole; 0 where there is one tile.  ``steps``: how FFmpeg turned the picture, but not these.
    """

    streams: tuple[str, ...]
    limited: bool
    columns: int
    width: int
    height: int
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Picture:
    """The picture of a file as a player shows it: upright, with square pixels.

    ``stream`` is FFmpeg's name of the stream (an index, or ``g:0`` for a tile grid).
    ``width`` and ``height`` are what the decoder gives after its own rotation, ``aspect`` is
    the display aspect ratio of that.  ``matrix``, ``transfer``, ``primaries`` are the code
    points of ITU-T H.273; 2 is unspecified.  ``table`` is the colour table that the picture has
    to go through (see ``media.lut``), None if its colours are BT.709.  ``decoder`` is the FFmpeg
    decoder to use, if FFmpeg's own choice would lose something.  ``latest_s`` is when the last
    picture begins, ``end_s`` when it ends.  ``changes``: later pictures have another size.
    ``steps``: how FFmpeg's picture has to be cut and turned, which ``width`` and ``height``
    allow for.  ``mask``: its transparency, where that is in other streams.  ``multiplied``: its
    colours are already multiplied with its transparency.  ``profile``: its colour profile, if the
    decoder gave it.  ``late_s``: FFmpeg shows all pictures so much too late.
    """

    stream: str
    codec: str
    width: int
    height: int
    aspect: Fraction
    rotation: int = 0
    fps: float | None = None
    start_s: float = 0.0
    latest_s: float = 0.0
    end_s: float | None = None
    packets: int = 1
    depth: int = 8
    full_range: bool = True
    rgb: bool = False
    gray: bool = False
    alpha: bool = False
    matrix: int = _UNSPECIFIED
    transfer: int = _UNSPECIFIED
    primaries: int = _UNSPECIFIED
    interlaced: bool = False
    table: Path | None = None
    decoder: str | None = None
    changes: bool = False
    steps: tuple[Step, ...] = ()
    mask: Transparency | None = None
    multiplied: bool = False
    profile: bytes = b""
    late_s: float = 0.0

    @property
    def pace(self) -> float:
        """The real number of pictures a second, counted, because headers can be wrong."""
        span = self.latest_s - self.start_s
        return (self.packets - 1) / span if self.packets > 1 and span > 0 else self.fps or 0.0

    @property
    def hdr(self) -> bool:
        """Whether the picture has a high dynamic range."""
        return self.transfer in (PQ, HLG)


@dataclass(frozen=True)
class Probe:
    """A file that can become a clip.  ``still``: it is a single picture.

    ``sound`` is the track to take, ``other_sounds`` those to take where it is silent, in order.
    ``clock_breaks``: the file's clock begins anew or jumps.  ``sound_s`` is when the sound ends,
    in seconds from the file's start, as FFmpeg decodes it; 0 where that is not known.  ``cut``:
    the end of the file is missing.
    """

    format: Format
    picture: Picture
    sound: Sound | None
    still: bool
    other_sounds: tuple[Sound, ...] = ()
    clock_breaks: bool = False
    sound_s: float = 0.0
    cut: Cut | None = None

    def source(self) -> Source:
        """The facts that the report shows."""
        picture = self.picture
        return Source(
            container=self.format.name,
            video_codec=_NAMES.get(picture.codec, picture.codec) if self.still else picture.codec,
            audio_codec=self.sound.codec if self.sound else None,
            width=round(picture.height * picture.aspect),
            height=picture.height,
            fps=None if self.still or picture.fps is None else round(picture.fps, 3),
            duration_s=None if self.still else round(self.length_s, 3),
            rotation=picture.rotation,
            hdr=picture.hdr,
            missing_percent=self.missing_percent,
        )

    @property
    def missing_percent(self) -> float | None:
        """How much of the file did not come, in percent; None where that is not known."""
        share = self.cut.share if self.cut else None
        return None if share is None else round(100 * share, 1)

    @property
    def length_s(self) -> float:
        """From the file's first moment to the end of its picture and its sound, in seconds.

        Sound that ends a moment after the picture is cut: most encoders fill their last frame.
        """
        pictures = self.picture.end_s or 0.0
        return self.sound_s if self.sound_s > pictures + _FILLED_S else pictures


def pixel_shape(over: int, under: int) -> Fraction:
    """The width of a pixel by its height; 1 where the header is broken: nobody films like that."""
    shape = Fraction(over, under) if over and under else Fraction(1)
    return shape if Fraction(1, 8) <= shape <= 8 else Fraction(1)
