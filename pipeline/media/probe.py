"""What a media file holds, as data.  ``probe_child`` reads the file, in the sandbox."""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from pipeline.carriers import BudgetSpent, Window
from pipeline.carriers.containers import turning
from pipeline.carriers.containers.ending import Cut
from pipeline.carriers.containers.heif import HeifPicture
from pipeline.carriers.containers.heif_links import HeifFilm, ItemMask
from pipeline.carriers.containers.tiff import TiffPicture
from pipeline.carriers.containers.turning import Step
from pipeline.carriers.containers.webp import Animation, WebpPicture
from pipeline.errors import Refused
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.formats import Format, Headers
from pipeline.media import probe_answer
from pipeline.media.probe_answer import FirstFrame, ProbedFile, ProbedPart, ProbedSound, ProbedVideo
from pipeline.model import Kind, Reason, Refusal, Source
from pipeline.texts import Detail

_CHILD = Path(__file__).with_name("probe_child.py")
_UNSPECIFIED = 2
PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273, table 3
# FFmpeg's own decoders for these ignore the transparency
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_MAX_PIXELS = 205_000_000  # more than the largest sensors of phones, 16384 x 12288
_LIMITED = frozenset(("h264", "hevc", "av1", "vp8", "vp9", "vvc"))
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
class Mask:
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
    allow for.  ``mask``: its transparency, where that is in other streams.
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
    mask: Mask | None = None

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
    container: str
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
            container=self.format.name if self.still else self.container,
            video_codec=picture.codec,
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


def probe(runner: FfmpegRunner, path: Path, footage: Format) -> Probe:
    """Find out what an original holds.

    :raises Refused: it can't become a clip: encrypted, no-video, corrupt, unsafe.
    :raises ProgramFailed: the decoder crashed, was killed or took too long.
    """
    headers = _headers(path, footage)
    if isinstance(headers, TiffPicture) and (headers.raw or headers.jpeg):
        # FFmpeg shows the small picture of a raw photo, and nothing but black for a JPEG
        detail = Detail.RAW_PHOTO if headers.raw else Detail.JPEG_IN_TIFF
        raise _refused(Reason.UNSUPPORTED, detail)
    if footage.name == "jpegxl":
        raise _refused(Reason.UNSUPPORTED, Detail.JPEG_XL)  # PyAV has no decoder for it
    if isinstance(headers, Animation):
        # PyAV's FFmpeg can't read it, so nothing more can be asked
        picture = bounded(_stepped(_animated(headers), turning.turns(headers.orientation)))
        return Probe(footage, footage.name, picture, None, picture.packets == 1)
    argv = [sys.executable, "-I", str(_CHILD), str(path), footage.demuxer]
    argv += [f"{name}={value}" for name, value in footage.options]
    if isinstance(headers, HeifPicture):
        argv.append(f"pick=item:{headers.item}")
    elif isinstance(headers, HeifFilm):
        argv.append(f"pick=track:{headers.track}")
    permissions = Permissions((path, _CHILD), limits=Limits(120, cpu_s=120, memory=4 << 30))
    ended = runner.run("probe", argv, permissions)
    faults.check(ended, "probe", permissions)
    facts = probe_answer.read(ended.stdout)
    if facts is None:
        raise _refused(Reason.CORRUPT, Detail.BROKEN_STRUCTURE)
    seen = _understood(facts, footage, headers if isinstance(headers, HeifPicture) else None)
    return replace(seen, picture=_told(seen.picture, headers, facts["parts"]))


def _told(picture: Picture, headers: Headers | None, parts: list[ProbedPart]) -> Picture:
    """Return the picture with what its headers say of its turns and its transparency."""
    match headers:
        case WebpPicture(orientation):
            return _stepped(picture, turning.turns(orientation))
        case HeifPicture(steps=steps, mask=None):
            return _stepped(picture, steps)
        case HeifPicture(mask=ItemMask() as found):
            wanted = [("item", number) for number in found.items]
            steps = () if found.turned else turning.turns(headers.orientation)
            size = (found.columns, found.width, found.height, steps)
        case HeifFilm(mask=int() as track):
            wanted, size = [("track", track)], (1, 0, 0, ())
        case _:
            return picture
    by_number: dict[tuple[str, int], ProbedPart] = {
        (part["kind"], part["number"]): part for part in parts
    }
    if not all(each in by_number for each in wanted):
        return picture
    streams = tuple(str(by_number[each]["index"]) for each in wanted)
    limited = by_number[wanted[0]]["limited"]
    return replace(picture, alpha=True, mask=Mask(streams, limited, *size))


def _headers(path: Path, footage: Format) -> Headers | None:
    if footage.headers is None:
        return None
    try:
        with path.open("rb") as file:
            return footage.headers(Window.whole(file))
    except (ValueError, BudgetSpent) as error:
        raise _refused(Reason.CORRUPT, Detail.BROKEN_STRUCTURE) from error


def _understood(facts: ProbedFile, footage: Format, item: HeifPicture | None) -> Probe:
    video, sounds = facts["video"], facts["sounds"]
    if facts["encrypted"]:
        raise _refused(Reason.ENCRYPTED, Detail.PROTECTED_FILE)
    if video is None and item is None:
        detail = Detail.SOUND_ONLY if sounds else Detail.NO_PICTURE
        raise _refused(Reason.NO_VIDEO if sounds else Reason.CORRUPT, detail)
    if item is not None and item.grid:
        picture = _grid(item)
    elif video is None or video["frame"] is None:
        raise _refused(Reason.CORRUPT, Detail.UNDECODABLE)
    else:
        picture = _picture(video, video["frame"])
        if footage.kind is Kind.IMAGE:
            # how densely a photo is printed says nothing about the shape of its pixels
            picture = replace(picture, aspect=Fraction(picture.width, picture.height))
    bounded(picture)
    moves = footage.may_move and item is None and picture.packets > 1
    still = footage.kind is Kind.IMAGE and not moves
    heard = () if still else _sounds(sounds)
    return Probe(
        footage,
        facts["container"],
        picture,
        heard[0] if heard else None,
        still,
        other_sounds=heard[1:],
        clock_breaks=facts["clock_breaks"],
    )


def _stepped(picture: Picture, steps: tuple[Step, ...]) -> Picture:
    """Return the picture as it is after *steps*, which FFmpeg does not do by itself."""
    if not steps:
        return picture
    width, height = turning.size_after(steps, picture.width, picture.height)
    return replace(
        picture,
        width=width,
        height=height,
        aspect=Fraction(width, height),
        rotation=(picture.rotation + turning.rotation_of(steps)) % 360,
        steps=steps,
    )


def bounded(picture: Picture) -> Picture:
    """Return the picture; refuse it if it is too large to be decoded."""
    if picture.width * picture.height > _MAX_PIXELS:
        raise _refused(Reason.UNSAFE, Detail.HUGE_PICTURE)
    return picture


def _animated(found: Animation) -> Picture:
    *before, last = found.durations_ms
    return Picture(
        stream="0",
        codec="webp",
        width=found.width,
        height=found.height,
        aspect=Fraction(found.width, found.height),
        fps=1000 * len(found.durations_ms) / (sum(before) + last),
        latest_s=sum(before) / 1000,
        end_s=(sum(before) + last) / 1000,
        packets=len(found.durations_ms),
        rgb=True,
        alpha=found.alpha,
    )


def _grid(found: HeifPicture) -> Picture:
    """A photo in tiles: FFmpeg joins and turns them in a stream group."""
    primaries, transfer, matrix = 2, 2, 6  # JPEG's, where no box colr of type nclx has others
    if found.colour[:4] == b"nclx" and len(found.colour) >= 10:
        primaries, transfer, matrix = struct.unpack_from(">3H", found.colour, 4)
    return Picture(
        stream="g:0",
        codec=found.codec,
        width=found.width,
        height=found.height,
        aspect=Fraction(found.width, found.height),
        rotation=found.rotation,
        matrix=matrix,
        transfer=transfer,
        primaries=primaries,
    )


def _picture(video: ProbedVideo, frame: FirstFrame) -> Picture:
    rotation = -round(frame["rotation"] / 90) * 90 % 360
    width, height = frame["width"], frame["height"]
    sar = pixel_shape(*frame["sar"])
    if rotation in (90, 270):
        width, height, sar = height, width, 1 / sar
    fmt = frame["format"]
    decoder = _WITH_ALPHA.get(video["codec"]) if video["alpha_beside"] else None
    end = video["end_s"]
    if end is not None and not video["last_has_length"] and video["fps"]:
        end += 1 / video["fps"]
    return Picture(
        stream=str(video["index"]),
        codec=video["codec"],
        width=width,
        height=height,
        aspect=Fraction(width, height) * sar,
        rotation=rotation,
        fps=video["fps"] if video["fps"] and math.isfinite(video["fps"]) else None,
        start_s=video["start_s"] or 0.0,
        latest_s=video["latest_s"] or 0.0,
        end_s=end,
        packets=video["packets"],
        depth=frame["depth"],
        full_range=_full_range(video["codec"], frame),
        rgb=fmt.startswith(("rgb", "bgr", "gbr", "pal", "argb", "abgr", "0", "mono")),
        gray=fmt.startswith("gray"),
        alpha=decoder is not None
        or fmt.startswith(("yuva", "rgba", "bgra", "argb", "abgr", "gbrap", "pal", "ya")),
        matrix=frame["matrix"],
        transfer=frame["transfer"],
        primaries=frame["primaries"],
        interlaced=frame["interlaced"],
        decoder=decoder,
        changes=video["sizes_change"],
    )


def _full_range(codec: str, frame: FirstFrame) -> bool:
    """Whether 0 is black; gray that says nothing is, unless a codec of films made it."""
    if frame["format"].startswith("gray") and frame["range"] == 0:
        return codec not in _LIMITED
    return frame["range"] == 2 or frame["format"].startswith("yuvj")


def pixel_shape(over: int, under: int) -> Fraction:
    """The width of a pixel by its height; 1 where the header is broken: nobody films like that."""
    shape = Fraction(over, under) if over and under else Fraction(1)
    return shape if Fraction(1, 8) <= shape <= 8 else Fraction(1)


def _sounds(sounds: list[ProbedSound]) -> tuple[Sound, ...]:
    return tuple(
        Sound(sound["index"], sound["codec"], sound["start_s"], sound["end_s"], sound["layout"])
        for sound in sounds
        if sound["start_s"] is not None and sound["end_s"] is not None
    )


def _refused(reason: Reason, detail: Detail) -> Refused:
    return Refused(Refusal(reason, detail))
