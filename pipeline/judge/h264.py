"""H.264 in MP4: the sample entry of the picture, and every sample without decoding it.

Samples (ITU-T H.264, 7.3 and 7.4.1; length-prefixed as in ISO/IEC 14496-15, 4.3.3) hold slices of
the picture and the parameter sets of the header; no SEI, no user data, no filler.  Entropy-coded
data inside a slice is not read.  The sample entry is that of ISO/IEC 14496-12, 12.1.3, and
14496-15, 5.3.3 (avcC).
"""

import struct

from pipeline.errors import NotClean
from pipeline.judge.boxes import EntryShape, Mp4Box
from pipeline.judge.problems import Problems
from pipeline.judge.track import SampleEntry, SampleTable, TrackCodec, bit_rates, places

_COMPRESSORS = (b"", b"Lavc libx264")  # of a copied stream, and of an encoded one
_HIGH_PROFILES = (100, 110, 122, 144)  # whose avcC has four bytes more (-15, 5.3.3.1.2)
_EXTENSION = bytes((0xFC | 1, 0xF8, 0xF8, 0))  # 4:2:0, eight bits, no further sets
_MAX_SETS = 64  # bytes of a parameter set; x264's have 4 to 30
_LENGTH = struct.Struct(">I")
_SLICE, _IDR = 1, 5
# Access unit delimiters: primary_pic_type in three bits, then the stop bit (7.3.2.4).
_DELIMITERS = tuple(bytes((9, kind << 5 | 0x10)) for kind in range(8))
_NAMES = {
    **dict.fromkeys((2, 3, 4), "a data partition"),
    6: "an SEI message (user data, captions)",
    **dict.fromkeys((7, 8), "a parameter set that is not the header's"),
    9: "an access unit delimiter with something in it",
    10: "an end of sequence",
    11: "an end of stream",
    12: "filler data",
    13: "a parameter set extension",
    14: "a prefix unit",
    15: "a further parameter set",
    19: "an auxiliary picture",
    20: "a second view",
}


def sample_entry(entry: Mp4Box, _track: int, problems: Problems) -> SampleEntry:
    """Read the sample entry of the picture."""
    width, height = struct.unpack_from(">HH", entry.data, 24)
    name = entry.data[43 : 43 + min(entry.data[42], 31)]
    problems.need(name in _COMPRESSORS, "a compressor name in avc1")
    wanted = (
        bytes(16)
        + struct.pack(">HHIIIHB", width, height, 72 << 16, 72 << 16, 0, 1, len(name))
        + name.ljust(31, b"\0")
        + struct.pack(">Hh", 24, -1)
    )
    problems.need(entry.data[8:] == wanted, "values in avc1 that we do not write")
    if pasp := entry.get("pasp"):
        problems.need(pasp.data == struct.pack(">II", 1, 1), "pixels that are not square in pasp")
    if colr := entry.get("colr"):
        problems.need(
            colr.data == b"nclx" + struct.pack(">HHHB", 1, 1, 1, 0),
            "a colour description in colr that is not BT.709",
        )
    avc = entry["avcC"].data
    return SampleEntry(
        "h264", width, height, avc, _parameter_sets(avc, problems), rates=bit_rates(entry, problems)
    )


def _parameter_sets(avc: bytes, problems: Problems) -> tuple[bytes, ...]:
    """The sequence and the picture parameter set: exactly one of each, and no bytes after them."""
    try:
        (size,) = struct.unpack_from(">H", avc, 6)
        sps = avc[8 : 8 + size]
        (pictures, length) = struct.unpack_from(">BH", avc, 8 + size)
    except struct.error:
        raise NotClean(["avcC is cut off"]) from None
    pps = avc[11 + size : 11 + size + length]
    tail = avc[11 + size + length :]
    problems.need(avc[5] == 0xE1 and pictures == 1, "more than one parameter set in avcC")
    known = sps[:1] == b"\x67" and pps[:1] == b"\x68" and max(size, length) <= _MAX_SETS
    problems.need(known, "parameter sets in avcC that are none")
    high = sps[1:2] and sps[1] in _HIGH_PROFILES
    problems.need(tail == (_EXTENSION if high else b""), "bytes after the parameter sets in avcC")
    head = b"\1" + sps[1:4] + b"\xff"
    problems.need(avc[:5] == head, "values in avcC that are not its parameter sets'")
    return sps, pps


def judge_pictures(
    data: memoryview, codec: SampleEntry, samples: SampleTable, problems: Problems
) -> None:
    """Each sample is one coded picture: IDR exactly where the table says so."""
    sync = samples.sync
    for number, at, size in places(samples):
        kind = _IDR if sync is None or number in sync else _SLICE
        if problem := _picture(data[at : at + size], kind, codec.sets):
            problems.note(problem)


def _picture(sample: memoryview, kind: int, sets: tuple[bytes, ...]) -> str | None:
    """What is wrong with the NAL units of a sample, whose slices must be of *kind*."""
    slices = at = 0
    while at < len(sample):
        body = at + 4
        if len(sample) - body < 2:
            return "bytes in a picture that are not a NAL unit"
        stop = body + _LENGTH.unpack_from(sample, at)[0]
        if stop > len(sample) or stop - body < 2:
            return "a NAL unit of impossible size"
        if sample[body] & 0x9F == kind:
            # first_mb_in_slice is 0, written as a single 1, in the first slice only, so that
            # there is no second picture after the one that is shown
            if (sample[body + 1] >= 0x80) != (slices == 0):
                return "more than one picture in a sample"
            slices += 1
        else:
            unit = bytes(sample[body:stop])
            allowed = () if slices else sets if at else (*sets, *_DELIMITERS)
            if problem := None if unit in allowed else _fault(unit[0] & 0x1F):
                return problem
        at = stop
    return None if slices else "a sample without a picture"


def _fault(kind: int) -> str:
    """How problems name a NAL unit that may not be there."""
    if kind in (_SLICE, _IDR):
        return "key frames that are not those of stss"
    return f"{_NAMES.get(kind, 'an unknown NAL unit')} among the pictures (type {kind})"


H264 = TrackCodec(
    "h264", EntryShape("avc1", 78, "avcC colr? pasp? btrt?"), sample_entry, judge_pictures
)
