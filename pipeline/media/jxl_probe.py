"""Photos in JPEG XL.  PyAV can't decode them, so the FFmpeg that makes the clips is asked.

The size is in the file's own header.  The colours come from one pixel that FFmpeg writes as a
PNG, because the profile of a JPEG XL is packed.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from pipeline.carriers import Window
from pipeline.carriers.containers import png
from pipeline.carriers.containers.jpegxl import JpegXlPicture
from pipeline.errors import Refused
from pipeline.ffmpeg import faults
from pipeline.ffmpeg.faults import ProgramFailed
from pipeline.ffmpeg.graph import Graph, Options, read, write
from pipeline.ffmpeg.runner import FfmpegRunner, program
from pipeline.ffmpeg.sandbox import Limits, Permissions
from pipeline.formats import Format
from pipeline.media.probed import Picture
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_UNSPECIFIED = b"\2\2"  # code points of ITU-T H.273
_RGB, _ALPHA = 2, 4  # flags of the colour type (PNG, section 11.2.1)
_LEAST_S, _PIXELS_A_SECOND, _WALL_S = 2, 2_000_000, 240.0  # of CPU; a whole photo takes less


def probe(runner: FfmpegRunner, path: Path, footage: Format, found: JpegXlPicture) -> Picture:
    """Find out what a photo holds; its colour profile included.

    :raises Refused: ``unsupported``: it is an animation; ``corrupt``: it has no end.
    :raises ProgramFailed: it can't be decoded.
    """
    if found.moves:
        raise Refused(Refusal(Reason.UNSUPPORTED, Detail.JPEG_XL))
    demuxer = footage.demuxer
    options: Options = {"protocol_whitelist": "file", "format_whitelist": demuxer, "f": demuxer}
    pixel = read(path, {**options, "threads": 1}).video("0").filter("crop", 1, 1, 0, 0)
    graph = Graph((write("-", {"c:v": "png", "f": "image2pipe", "frames:v": 1}, pixel),))
    seconds = _LEAST_S + found.width * found.height // _PIXELS_A_SECOND
    permissions = Permissions((path,), (), Limits(wall_s=_WALL_S, cpu_s=seconds))
    ended = runner.run("probe", [program(), *graph.arguments()], permissions)
    try:
        faults.check(ended, "probe", permissions)
    except ProgramFailed as fault:
        if fault.refusal.code is Detail.LIMIT_REACHED:
            # FFmpeg's decoder waits for the rest of a file for ever, and uses the processor
            raise Refused(Refusal(Reason.CORRUPT, Detail.INCOMPLETE)) from fault
        raise
    untrusted_png = Window.over(ended.stdout)
    header = {chunk.kind: chunk.body.read(0, 13) for chunk in png.chunks(untrusted_png)}
    if len(header.get(b"IHDR", b"")) < 13:
        raise Refused(Refusal(Reason.CORRUPT, Detail.UNDECODABLE))
    depth, kind = header[b"IHDR"][8:10]
    primaries, transfer = header.get(b"cICP", _UNSPECIFIED)[:2].ljust(2, b"\2")
    return Picture(
        stream="0",
        codec="jpegxl",
        width=found.width,
        height=found.height,
        aspect=Fraction(found.width, found.height),
        depth=16 if depth == 16 else 8,
        rgb=bool(kind & _RGB),
        gray=not kind & _RGB,
        alpha=bool(kind & _ALPHA),
        primaries=primaries,
        transfer=transfer,
        profile=png.colour_profile(untrusted_png),
    )
