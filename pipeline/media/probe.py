"""Find out what a media file holds.  ``probe_child`` reads the file, in the sandbox."""

from __future__ import annotations

import math
import struct
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from pipeline.carriers import BudgetSpent, Window
from pipeline.carriers.containers import turning
from pipeline.carriers.containers.heif import HeifPicture
from pipeline.carriers.containers.heif_links import HeifFilm, ItemMask
from pipeline.carriers.containers.jpegxl import JpegXlPicture
from pipeline.carriers.containers.tiff import TiffPicture
from pipeline.carriers.containers.turning import Step
from pipeline.carriers.containers.webp import Animation, WebpPicture
from pipeline.errors import Refused
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.formats import Format, PictureHeaders
from pipeline.media import effort, jxl_probe, probe_answer
from pipeline.media.probe_answer import FirstFrame, ProbedFile, ProbedPart, ProbedSound, ProbedVideo
from pipeline.media.probed import Picture, Probe, Sound, Transparency, pixel_shape
from pipeline.model import Kind, Reason, Refusal
from pipeline.texts import Detail

_CHILD = Path(__file__).with_name("probe_child.py")
# FFmpeg's own decoders for these ignore the transparency
_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
_MAX_PIXELS = 205_000_000  # more than the largest sensors of phones, 16384 x 12288
_LIMITED = frozenset(("h264", "hevc", "av1", "vp8", "vp9", "vvc"))


def probe(runner: FfmpegRunner, path: Path, footage: Format, most_s: float) -> Probe:
    """Find out what an original holds.

    :param most_s: how long a film may be, in seconds.
    :raises Refused: it can't become a clip.
    :raises ProgramFailed: the decoder crashed, was killed or took too long.
    """
    headers = _headers(path, footage)
    if isinstance(headers, TiffPicture):
        _admit_tiff(headers)
    if isinstance(headers, JpegXlPicture):
        _bound(headers.width, headers.height)
        picture = jxl_probe.probe(runner, path, footage, headers)
        return Probe(footage, picture, None, still=True)
    if isinstance(headers, Animation):
        # PyAV's FFmpeg can't read it, so nothing more can be asked
        picture = bounded(_stepped(_animated(headers), turning.turns(headers.orientation)))
        return Probe(footage, picture, None, picture.packets == 1)
    argv = [sys.executable, "-I", str(_CHILD), str(path), footage.demuxer]
    argv += [f"{name}={value}" for name, value in footage.options]
    argv.append(f"most={effort.most_pixels(most_s)}")
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
    if facts["too_much"]:
        raise effort.too_much(most_s)
    seen = _understood(facts, footage, headers if isinstance(headers, HeifPicture) else None)
    return replace(seen, picture=_told(seen.picture, headers, facts["parts"]))


def _told(picture: Picture, headers: PictureHeaders | None, parts: list[ProbedPart]) -> Picture:
    """Return the picture with what its headers say of its turns and its transparency."""
    match headers:
        case WebpPicture(orientation):
            return _stepped(picture, turning.turns(orientation))
        case TiffPicture(transparent=transparent, multiplied=multiplied):
            return replace(picture, alpha=picture.alpha and transparent, multiplied=multiplied)
        case HeifPicture(steps=steps, mask=None):
            return _stepped(picture, steps)
        case HeifPicture(mask=ItemMask() as found):
            wanted = [("item", number) for number in found.items]
            steps = () if found.turned else turning.turns(headers.orientation)
            size = (found.columns, found.width, found.height, steps)
            picture = replace(picture, multiplied=found.multiplied)
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
    return replace(picture, alpha=True, mask=Transparency(streams, limited, *size))


def _admit_tiff(found: TiffPicture) -> None:
    if found.raw:  # FFmpeg shows the small picture of it
        raise _refused(Reason.UNSUPPORTED, Detail.RAW_PHOTO)
    if not found.known:
        detail = Detail.JPEG_IN_TIFF if found.jpeg else Detail.TIFF_KIND
        raise _refused(Reason.UNSUPPORTED, detail)


def _headers(path: Path, footage: Format) -> PictureHeaders | None:
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
    _bound(picture.width, picture.height)
    return picture


def _bound(width: int, height: int) -> None:
    if width * height > _MAX_PIXELS:
        raise _refused(Reason.UNSAFE, Detail.HUGE_PICTURE)


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


def _sounds(sounds: list[ProbedSound]) -> tuple[Sound, ...]:
    return tuple(
        Sound(sound["index"], sound["codec"], sound["start_s"], sound["end_s"], sound["layout"])
        for sound in sounds
        if sound["start_s"] is not None and sound["end_s"] is not None
    )


def _refused(reason: Reason, detail: Detail) -> Refused:
    return Refused(Refusal(reason, detail))
