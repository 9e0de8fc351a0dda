"""Judges how samples begin, end and are structured, without decoding them.

H.264 (ITU-T H.264, 7.3 and 7.4.1; length-prefixed as in ISO/IEC 14496-15, 4.3.3): slices
of the picture and the parameter sets of the header, no SEI, no user data, no filler.  AAC
(ISO/IEC 14496-3, 4.4.2.1) and ALAC: the frame begins with the one element of sound and
ends with the end mark.  Entropy-coded data inside a slice or an
element is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pipeline.judge.codecs import SampleEntry
from pipeline.judge.problems import Problems
from pipeline.judge.tables import Samples

_SLICE, _IDR, _SEI, _SPS, _PPS, _AUD = 1, 5, 6, 7, 8, 9
_NAMES = {
    2: "a data partition",
    3: "a data partition",
    4: "a data partition",
    _SEI: "an SEI message (user data, captions)",
    10: "an end of sequence",
    11: "an end of stream",
    12: "filler data",
    13: "a parameter set extension",
    14: "a prefix unit",
    15: "a further parameter set",
    19: "an auxiliary picture",
    20: "a second view",
}
_LENGTH = struct.Struct(">I")
_PAIR = struct.Struct(">H")


def places(samples: Samples) -> Iterator[tuple[int, int, int]]:
    """Number, position in the file and size of each sample, chunk by chunk."""
    for chunk in samples.chunks:
        at = chunk.offset
        for number in range(chunk.first, chunk.last):
            size = samples.sizes[number]
            yield number, at, size
            at += size


def judge_pictures(
    data: memoryview, codec: SampleEntry, samples: Samples, problems: Problems
) -> None:
    """Each sample is one coded picture: IDR exactly where the table says so."""
    sync = samples.sync
    for number, at, size in places(samples):
        kind = _IDR if sync is None or number in sync else _SLICE
        if problem := _picture(data, at, at + size, kind, codec.sets):
            problems.note(problem)


def _picture(data: memoryview, at: int, end: int, kind: int, sets: tuple[bytes, ...]) -> str | None:
    """What is wrong with the NAL units from *at* to *end*, whose slices must be of *kind*."""
    slices = 0
    start = at
    while at < end:
        body = at + 4
        if end - body < 2:
            return "bytes in a picture that are no NAL unit"
        stop = body + _LENGTH.unpack_from(data, at)[0]
        if stop > end or stop - body < 2:
            return "a NAL unit of impossible size"
        head = data[body]
        if head & 0x9F == kind:
            # first_mb_in_slice is 0, written as a single 1, in the first slice only, so that
            # there is no second picture after the one that is shown
            if (data[body + 1] >= 0x80) != (slices == 0):
                return "more than one picture in a sample"
            slices += 1
        elif problem := _beside(data, body, stop, sets, first=body == start + 4, slices=slices):
            return problem
        at = stop
    return None if slices else "a sample without a picture"


def _beside(
    data: memoryview, body: int, stop: int, sets: tuple[bytes, ...], *, first: bool, slices: int
) -> str | None:
    """What is wrong with a NAL unit that is not a slice of the expected kind."""
    kind = data[body] & 0x1F
    if kind in (_SLICE, _IDR):
        return "key frames that are not those of stss"
    if kind in (_SPS, _PPS):
        known = not slices and bytes(data[body:stop]) in sets
        return None if known else "a parameter set that is not the header's"
    if kind == _AUD:
        # primary_pic_type in three bits, then the stop bit (7.3.2.4)
        known = first and stop - body == 2 and data[body] == _AUD and data[body + 1] & 0x1F == 0x10
        return None if known else "an access unit delimiter with something in it"
    return f"{_NAMES.get(kind, 'an unknown NAL unit')} among the pictures (type {kind})"


def judge_sound(data: memoryview, codec: SampleEntry, samples: Samples, problems: Problems) -> None:
    """Each sample is one frame with a single element of all channels."""
    pair = codec.channels == 2  # channel_pair_element is 1, single_channel_element 0
    begins = _alac_begins if codec.name == "alac" else _aac_begins
    for _number, at, size in places(samples):
        if size < 4 or not begins(data, at, pair=pair):
            problems.note(f"something else than sound at the start of {codec.name} frames")
        elif not _ends(_PAIR.unpack_from(data, at + size - 2)[0]):
            problems.note(f"bytes after the sound in {codec.name} frames")


def _aac_begins(data: memoryview, at: int, *, pair: bool) -> bool:
    """Three bits of element, four of instance tag, which is 0 (14496-3, table 4.85)."""
    return data[at] >> 1 == int(pair) << 4


def _alac_begins(data: memoryview, at: int, *, pair: bool) -> bool:
    """The same seven bits, then twelve unused ones, which are 0."""
    head: int = _LENGTH.unpack_from(data, at)[0]
    return head >> 13 == int(pair) << 16


def _ends(last: int) -> bool:
    """Whether the last two bytes hold the end mark, three ones, and fewer than eight zeros."""
    zeros = (last & -last).bit_length() - 1
    return 0 <= zeros < 8 and last >> zeros & 7 == 7
