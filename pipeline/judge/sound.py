"""AAC-LC and ALAC in MP4: the sample entry of the sound, and the ends of every sample.

A frame (ISO/IEC 14496-3, 4.4.2.1) begins with the one element of sound and ends with the end mark;
entropy-coded data inside the element is not read.  The sample entries are those of ISO/IEC
14496-12, 12.2.3; 14496-14, 5.6 and 14496-1, 7.2.6 (esds); and Apple's ALAC magic cookie.
"""

import struct

from pipeline.judge.boxes import EntryShape, Mp4Box
from pipeline.judge.problems import Problems
from pipeline.judge.track import SampleEntry, SampleTable, TrackCodec, bit_rates, places

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_ALAC_FRAME = 4096
_LENGTH = struct.Struct(">I")
_PAIR = struct.Struct(">H")


def _sound(entry: Mp4Box, bits: tuple[int, ...], problems: Problems) -> tuple[int, int]:
    """Channels and sample rate of a sound sample entry (12.2.3)."""
    channels, depth, zero, rate = struct.unpack_from(">HHII", entry.data, 16)
    fixed = entry.data[8:16] == bytes(8) and depth in bits and not zero and not rate & 0xFFFF
    known = fixed and channels in (1, 2) and rate >> 16 in _RATES
    problems.need(known, f"values in {entry.name} that we do not write")
    problems.stop()
    return channels, rate >> 16


def aac_entry(entry: Mp4Box, track: int, problems: Problems) -> SampleEntry:
    """Read the sample entry of AAC; *track* is its number."""
    channels, rate = _sound(entry, (16,), problems)
    data = entry["esds"].data
    # AudioSpecificConfig (14496-3, 1.6.2.1): AAC-LC; FFmpeg adds "no SBR" (1.6.6.1)
    index = _RATES.index(rate)
    setup = struct.pack(">H", 2 << 11 | index << 7 | channels << 3) + b"\x56\xe5\0"
    claims = data[22:30]
    wanted = bytes(4) + _descriptor(
        3,
        struct.pack(">HB", track, 0)
        + _descriptor(4, b"\x40\x15" + bytes(3) + claims + _descriptor(5, setup))
        + _descriptor(6, b"\2"),
    )
    problems.need(data == wanted, "values in esds that we do not write")
    problems.stop()
    most, average = struct.unpack(">II", claims)
    rates = ((most, average), *bit_rates(entry, problems))
    return SampleEntry("aac", channels=channels, sample_rate=rate, frame=1024, rates=rates)


def _descriptor(tag: int, data: bytes) -> bytes:
    """A descriptor with its size in four bytes, as FFmpeg writes them (14496-1, 8.3.3)."""
    return bytes((tag, 0x80, 0x80, 0x80, len(data))) + data


def alac_entry(entry: Mp4Box, _track: int, problems: Problems) -> SampleEntry:
    """Read the sample entry of ALAC."""
    channels, rate = _sound(entry, (16, 24), problems)
    (bits,) = struct.unpack_from(">H", entry.data, 18)
    largest = -(-(23 + bits * channels * _ALAC_FRAME + 3) // 8)
    wanted = struct.pack(
        ">IIBBBBBBHIII",
        *(0, _ALAC_FRAME, 0, bits, 40, 10, 14, channels, 0),
        *(largest, rate * channels * bits, rate),
    )
    problems.need(entry["alac"].data == wanted, "values in the ALAC cookie that we do not write")
    rates = bit_rates(entry, problems)
    return SampleEntry("alac", channels=channels, sample_rate=rate, frame=_ALAC_FRAME, rates=rates)


def judge_sound(
    data: memoryview, codec: SampleEntry, samples: SampleTable, problems: Problems
) -> None:
    """Each sample is one frame with a single element of all channels."""
    for _number, at, size in places(samples):
        if size < 4 or not _begins(data, at, codec):
            problems.note(f"something else than sound at the start of {codec.name} frames")
        elif not _ends(_PAIR.unpack_from(data, at + size - 2)[0]):
            problems.note(f"bytes after the sound in {codec.name} frames")


def _begins(data: memoryview, at: int, codec: SampleEntry) -> bool:
    """Three bits of element, four of instance tag, which is 0 (14496-3, table 4.85).

    The element is 1 for a pair of channels, 0 for a single one.  In ALAC, twelve unused bits
    follow, which are 0.
    """
    pair = int(codec.channels == 2)
    if codec.name == "aac":
        return data[at] >> 1 == pair << 4
    head: int = _LENGTH.unpack_from(data, at)[0]
    return head >> 13 == pair << 16


def _ends(last: int) -> bool:
    """Whether the last two bytes hold the end mark, three ones, and fewer than eight zeros."""
    zeros = (last & -last).bit_length() - 1
    return 0 <= zeros < 8 and last >> zeros & 7 == 7


AAC = TrackCodec("aac", EntryShape("mp4a", 28, "esds btrt?"), aac_entry, judge_sound)
ALAC = TrackCodec("alac", EntryShape("alac", 28, "alac btrt?"), alac_entry, judge_sound)
