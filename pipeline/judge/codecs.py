"""The sample entry of a track: H.264, AAC-LC or ALAC, and no other information.

ISO/IEC 14496-12, 8.5.2 (stsd), 12.1.3 (picture), 12.2.3 (sound); -15, 5.3.3 (avcC);
-14, 5.6 and -1, 7.2.6 (esds); Apple's ALAC magic cookie.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pipeline.errors import NotClean
from pipeline.judge.boxes import Mp4Box
from pipeline.judge.problems import Problems

_COMPRESSORS = (b"", b"Lavc libx264")  # of a copied stream, and of an encoded one
_HIGH_PROFILES = (100, 110, 122, 144)  # whose avcC has four bytes more (-15, 5.3.3.1.2)
_EXTENSION = bytes((0xFC | 1, 0xF8, 0xF8, 0))  # 4:2:0, eight bits, no further sets
_MAX_SETS = 64  # bytes of a parameter set; x264's have 4 to 30
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_ALAC_FRAME = 4096


@dataclass(frozen=True)
class SampleEntry:
    """The sample entry of a track.  Pixels for the picture, channels and hertz for sound.

    ``config`` is the body of avcC; ``sets`` are its parameter sets, each a whole NAL unit;
    ``rates`` are the bit rates it states, each the highest and the mean; ``frame`` is the number
    of samples of sound in a frame.
    """

    name: str  # "h264", "aac" or "alac"
    width: int = 0
    height: int = 0
    config: bytes = b""
    sets: tuple[bytes, ...] = ()
    channels: int = 0
    sample_rate: int = 0
    frame: int = 0
    rates: tuple[tuple[int, int], ...] = ()

    @property
    def is_sound(self) -> bool:
        """Whether the track is sound; otherwise it is the picture."""
        return self.name != "h264"


def sample_entry(stsd: Mp4Box, track: int, problems: Problems) -> SampleEntry:
    """Read the one sample entry that a track may have; *track* is its number.

    :raises NotClean: there are none or several.
    """
    if len(stsd.inner) != 1 or stsd.data != struct.pack(">II", 0, 1):
        raise NotClean(["another number of sample entries than one in stsd"])
    entry = stsd.inner[0]
    problems.need(entry.data[:8] == bytes(7) + b"\1", f"a data reference in {entry.name}")
    if entry.name == "avc1":
        return _h264(entry, problems)
    return _aac(entry, track, problems) if entry.name == "mp4a" else _alac(entry, problems)


def _h264(entry: Mp4Box, problems: Problems) -> SampleEntry:
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
        "h264", width, height, avc, _parameter_sets(avc, problems), rates=_rates(entry, problems)
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


def _sound(entry: Mp4Box, bits: tuple[int, ...], problems: Problems) -> tuple[int, int]:
    """Channels and sample rate of a sound sample entry (12.2.3)."""
    channels, depth, zero, rate = struct.unpack_from(">HHII", entry.data, 16)
    fixed = entry.data[8:16] == bytes(8) and depth in bits and not zero and not rate & 0xFFFF
    known = fixed and channels in (1, 2) and rate >> 16 in _RATES
    problems.need(known, f"values in {entry.name} that we do not write")
    problems.stop()
    return channels, rate >> 16


def _aac(entry: Mp4Box, track: int, problems: Problems) -> SampleEntry:
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
    rates = ((most, average), *_rates(entry, problems))
    return SampleEntry("aac", channels=channels, sample_rate=rate, frame=1024, rates=rates)


def _descriptor(tag: int, data: bytes) -> bytes:
    """A descriptor with its size in four bytes, as FFmpeg writes them (14496-1, 8.3.3)."""
    return bytes((tag, 0x80, 0x80, 0x80, len(data))) + data


def _alac(entry: Mp4Box, problems: Problems) -> SampleEntry:
    channels, rate = _sound(entry, (16, 24), problems)
    (bits,) = struct.unpack_from(">H", entry.data, 18)
    largest = -(-(23 + bits * channels * _ALAC_FRAME + 3) // 8)
    wanted = struct.pack(
        ">IIBBBBBBHIII",
        *(0, _ALAC_FRAME, 0, bits, 40, 10, 14, channels, 0),
        *(largest, rate * channels * bits, rate),
    )
    problems.need(entry["alac"].data == wanted, "values in the ALAC cookie that we do not write")
    return SampleEntry(
        "alac",
        channels=channels,
        sample_rate=rate,
        frame=_ALAC_FRAME,
        rates=_rates(entry, problems),
    )


def _rates(entry: Mp4Box, problems: Problems) -> tuple[tuple[int, int], ...]:
    """The bit rates in btrt (8.5.2.2), whose buffer size is always 0."""
    btrt = entry.get("btrt")
    if btrt is None:
        return ()
    buffer, most, average = btrt.fields(">III")
    problems.need(buffer == 0, "a buffer size in btrt")
    return ((most, average),)
