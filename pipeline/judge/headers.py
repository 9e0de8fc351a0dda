"""The values in the headers of an MP4 of ours: no dates, no names, no reference to other files.

Every field that could hold information is compared with the value that FFmpeg writes without
metadata.  Sizes, rates and durations are returned, to be compared with the samples.

Sections are those of ISO/IEC 14496-12 unless another standard is named.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import NotClean
from pipeline.judge.boxes import Mp4Box
from pipeline.judge.problems import Problems
from pipeline.judge.track import SampleEntry, TrackCodec

_MAJOR = b"isom\0\0\2\0"
_BRANDS = {b"isom", b"iso2", b"iso4", b"iso6", b"avc1", b"mp41"}
_IDENTITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNDETERMINED = 0x55C4  # "und", 8.4.2.3
_HANDLERS = {b"vide": b"VideoHandler\0", b"soun": b"SoundHandler\0"}
# An iTunes list without entries, which FFmpeg's MP4 muxer writes in any case.
_EMPTY_USER_DATA = (
    struct.pack(">I4sI", 53, b"meta", 0)
    + struct.pack(">I4s8x4s4s9x", 33, b"hdlr", b"mdir", b"appl")
    + struct.pack(">I4s", 8, b"ilst")
)


@dataclass(frozen=True)
class Edit:
    """The one entry of an edit list: the track plays from ``start``, in ticks of the track's clock.

    ``duration`` is in ticks of the movie's clock.
    """

    start: int
    duration: int


@dataclass(frozen=True)
class JudgedTrack:
    """One track as its headers state it.  ``timescale`` is in ticks a second."""

    codec: SampleEntry
    enabled: bool
    timescale: int
    duration: int
    edit: Edit | None
    table: Mp4Box  # its stbl

    @property
    def name(self) -> str:
        """The name of the track in problems."""
        return f"the {self.codec.name} track"


@dataclass(frozen=True)
class JudgedMovie:
    """The movie as its headers state it; ``timescale`` is in ticks a second."""

    timescale: int
    tracks: tuple[JudgedTrack, ...]


def read_type(ftyp: bytes, problems: Problems) -> None:
    """Check the brands (4.3): those of a plain MP4, each once."""
    brands = [ftyp[at : at + 4] for at in range(8, len(ftyp), 4)]
    known = _BRANDS.issuperset(brands) and len(set(brands)) == len(brands)
    problems.need(ftyp[:8] == _MAJOR and known, "brands in ftyp that we do not write")


def read_movie(moov: Mp4Box, codecs: Mapping[str, TrackCodec], problems: Problems) -> JudgedMovie:
    """Read the movie header (8.2.2) and those of all tracks.

    :param codecs: that tracks may have, by the type of their sample entry.
    :raises NotClean: a header is of another size than we write.
    """
    mvhd = _header(moov["mvhd"], 80, problems)
    row = [box for box in moov.inner if box.name == "trak"]
    wanted = (
        struct.pack(">IHHII", 0x10000, 0x100, 0, 0, 0)
        + _IDENTITY
        + bytes(24)
        + struct.pack(">I", len(row) + 1)
    )
    known = mvhd.rest == wanted and mvhd.flags == 0
    problems.need(known, "values in mvhd that we do not write")
    if udta := moov.get("udta"):
        problems.need(udta.data == _EMPTY_USER_DATA, "user data in moov/udta")
    found = tuple(_track(node, number, codecs, problems) for number, node in enumerate(row, 1))
    longest = max(_header(node["tkhd"], 60, problems).duration for node in row)
    problems.need(mvhd.duration == longest, "another duration in mvhd than its longest track's")
    return JudgedMovie(mvhd.number, found)


@dataclass(frozen=True)
class _Header:
    """The common part of mvhd, mdhd and tkhd; ``number`` is the timescale, or a track's number."""

    flags: int
    number: int
    duration: int
    rest: bytes


def _header(node: Mp4Box, rest: int, problems: Problems) -> _Header:
    """Version 0, or 1 with 64-bit times (8.2.2.2); *rest* bytes follow the duration."""
    times, duration = ("QQ", "Q") if node.data[:1] == b"\1" else ("II", "I")
    gap = 4 if node.name == "tkhd" else 0
    flags, created, modified, number, *reserved, length = node.fields(
        f">I{times}I{gap}B{duration}", rest
    )
    problems.need(not created and not modified, f"a date in {node.name}")
    known = flags >> 24 in (0, 1) and 0 < number < 1 << 31 and not any(reserved)
    problems.need(known, f"values in {node.name} that we do not write")
    return _Header(flags & 0xFFFFFF, number, length, node.data[len(node.data) - rest :])


def _track(
    trak: Mp4Box, number: int, codecs: Mapping[str, TrackCodec], problems: Problems
) -> JudgedTrack:
    handler = _handler(trak["mdia/hdlr"], problems)
    mdhd = _header(trak["mdia/mdhd"], 4, problems)
    problems.need(mdhd.rest == struct.pack(">HH", _UNDETERMINED, 0), "a language in mdhd")
    problems.need(mdhd.flags == 0, "values in mdhd that we do not write")
    _media_header(trak["mdia/minf"], handler, problems)
    problems.stop()
    entry = _sample_entry(trak["mdia/minf/stbl/stsd"], problems)
    codec = codecs[entry.name].read_entry(entry, number, problems)
    problems.need(codec.is_sound == (handler == b"soun"), "a handler that is not its codec's")
    edit = _edit(trak, problems)
    tkhd = _header(trak["tkhd"], 60, problems)
    problems.need(tkhd.number == number, "a track number that we do not write")
    return JudgedTrack(
        codec=codec,
        enabled=_is_enabled(tkhd, codec, edit, problems),
        timescale=mdhd.number,
        duration=mdhd.duration,
        edit=edit,
        table=trak["mdia/minf/stbl"],
    )


def _sample_entry(stsd: Mp4Box, problems: Problems) -> Mp4Box:
    """Return the one sample entry that a track may have (8.5.2)."""
    if len(stsd.inner) != 1 or stsd.data != struct.pack(">II", 0, 1):
        raise NotClean(["another number of sample entries than one in stsd"])
    entry = stsd.inner[0]
    problems.need(entry.data[:8] == bytes(7) + b"\1", f"a data reference in {entry.name}")
    return entry


def _is_enabled(header: _Header, codec: SampleEntry, edit: Edit | None, problems: Problems) -> bool:
    """Whether the track header (8.3.2) enables the track; sound tracks are alternatives."""
    same = edit is None or edit.duration == header.duration
    problems.need(same, "durations in tkhd and elst differ")
    wanted = (
        struct.pack(">QHHHH", 0, 0, int(codec.is_sound), 0x100 if codec.is_sound else 0, 0)
        + _IDENTITY
        + struct.pack(">II", codec.width << 16, codec.height << 16)
    )
    known = header.rest == wanted and header.flags in (2, 3)
    problems.need(known, "values in tkhd that we do not write")
    return bool(header.flags & 1)


def _handler(hdlr: Mp4Box, problems: Problems) -> bytes:
    """The handler of the track (8.4.3)."""
    kind = hdlr.data[8:12]
    problems.need(kind in _HANDLERS, "a track that is neither picture nor sound")
    wanted = bytes(8) + kind + bytes(12) + _HANDLERS.get(kind, b"")
    problems.need(hdlr.data == wanted, "a handler name in hdlr")
    return kind


def _media_header(minf: Mp4Box, handler: bytes, problems: Problems) -> None:
    """8.4.5 (vmhd or smhd) and 8.7.2: one data reference, "in this file", without a name."""
    name, other = ("vmhd", "smhd") if handler == b"vide" else ("smhd", "vmhd")
    wanted = struct.pack(">I8x", 1) if name == "vmhd" else bytes(8)
    problems.need(minf.get(other) is None, f"a box {other} that is not its handler's")
    problems.need(minf[name].data == wanted, f"values in {name} that we do not write")
    dref = minf["dinf/dref"]
    problems.need(dref.data == struct.pack(">II", 0, 1), "values in dref that we do not write")
    problems.need(dref["url"].data == struct.pack(">I", 1), "a reference to another file in dref")


def _edit(trak: Mp4Box, problems: Problems) -> Edit | None:
    """8.6.6: at most one entry, at the normal rate, without an empty start."""
    if trak.get("edts") is None:
        return None
    elst = trak["edts/elst"]
    large = elst.data[:1] == b"\1"
    count = int.from_bytes(elst.data[4:8], "big")
    problems.need(count == 1, "more than one entry in elst")
    problems.stop()
    head, _count, duration, start, rate, fraction = elst.fields(">IIQqhh" if large else ">IIIihh")
    problems.need(head == int(large) << 24, "values in elst that we do not write")
    problems.need((rate, fraction) == (1, 0), "a change of speed in elst")
    problems.need(0 <= start < 1 << 62, "a wait before the track in elst")
    return Edit(start, duration)
