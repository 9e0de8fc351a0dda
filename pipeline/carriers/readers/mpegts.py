"""MPEG transport streams (ISO/IEC 13818-1, 2.4), AVCHD's among them.

The tables list the streams: picture and sound are silent, the rest is reported.  Of the picture
stream, the first 6 MiB and the last 2 are read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.carriers import opaque, sei, text
from pipeline.carriers.window import Fields, Window, spend
from pipeline.findings import Carrier, Finding, What

_FIRST, _LAST = 6 << 20, 2 << 20
_KEPT = 3 << 20  # bytes of a stream that are kept
_PIDS = 256
_PIECE = 2  # steps

_CODECS = {0x01: "mpeg2", 0x02: "mpeg2", 0x1B: "h264", 0x20: "h264", 0x24: "hevc"}
_PICTURE = frozenset((*_CODECS, 0x10, 0x33, 0xD1, 0xEA))
_SOUND = frozenset((0x03, 0x04, 0x0F, 0x11, 0x1C, *range(0x80, 0x88), 0xA1, 0xA2))
_SUBTITLES = frozenset((0x90, 0x91, 0x92))
# Descriptors of private streams (ETSI EN 300 468, 6.2; registrations of SMPTE)
_SOUND_TAGS = frozenset((0x6A, 0x7A, 0x7B, 0x7C, 0x7F))
_SUBTITLE_TAGS = frozenset((0x56, 0x59, 0x46))
_SOUND_NAMES = frozenset((b"AC-3", b"EAC3", b"DTS1", b"DTS2", b"DTS3", b"Opus", b"BSSD", b"AC-4"))
_PICTURE_NAMES = {b"HEVC": "hevc", b"AV01": "av1", b"VC-1": "", b"drac": ""}
_TABLE_PIDS = frozenset((*range(0x20), 0x1FFF))


@dataclass
class _Stream:
    """A packet identifier with the payload so far."""

    kind: int = -1
    names: frozenset[bytes] = frozenset()
    descriptors: frozenset[int] = frozenset()
    data: bytearray = field(default_factory=bytearray)


def read(window: Window) -> Iterator[Finding]:
    """What a transport stream gives away."""
    size, first = _packets(window)
    streams: dict[int, _Stream] = {}
    tables: set[int] = {0}
    last = max(window.size - _LAST, _FIRST)
    last -= (last - first) % size
    for start, length in ((first, _FIRST), (last, _LAST)):
        for piece in _pieces(window.read(start, length), size):
            spend(_PIECE)
            if piece.startswith(b"G"):
                _packet(piece[:188], streams, tables)
            elif piece.strip(b"\0"):
                yield Finding(Carrier.UNKNOWN_PART, opaque.kind_of(piece))
    for pid in tables - {0}:
        yield from _sections(streams.get(pid, _Stream()).data, streams)
    if 0x11 in streams:
        yield from _service(bytes(streams[0x11].data[:4096]))
    for pid, stream in streams.items():
        if pid not in tables and pid not in _TABLE_PIDS:
            yield from _content(stream)


def _packets(window: Window) -> tuple[int, int]:
    """The size of a packet and where the first sync byte is: 188, 192 (with a time), 204."""
    head = window.read(0, 1024)
    for size, first in ((188, 0), (192, 4), (204, 0)):
        if head[first : first + 1] == b"G" and head[first + size : first + size + 1] == b"G":
            return size, first
    return 188, 0


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Packets, each with its sync byte first, and what is between them where the sync is lost."""
    at = 0
    while at < len(data):
        end = at + size
        if data[at : at + 1] != b"G":
            end = data.find(b"G", at)
            while end >= 0 and data[end + size : end + size + 1] not in (b"G", b""):
                end = data.find(b"G", end + 1)
            end = end if end >= 0 else len(data)
        yield data[at:end]
        at = end


def _packet(packet: bytes, streams: dict[int, _Stream], tables: set[int]) -> None:
    if len(packet) < 188:
        return
    pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
    stream = streams.get(pid)
    if stream is None:
        if len(streams) >= _PIDS:
            return
        stream = streams[pid] = _Stream()
    at = 4 + (1 + packet[4] if packet[3] & 0x20 else 0)
    if not packet[3] & 0x10 or len(stream.data) > _KEPT:
        return
    payload = packet[at:]
    stream.data += payload
    if pid == 0 and packet[1] & 0x40 and payload:
        tables.update(_programs(payload[1 + payload[0] :]))


def _programs(section: bytes) -> Iterator[int]:
    """Where the program map tables are (2.4.4.3)."""
    end = 3 + (int.from_bytes(section[1:3], "big") & 0xFFF) - 4
    for at in range(8, min(end, len(section)) - 3, 4):
        if section[at : at + 2] != b"\0\0":
            yield int.from_bytes(section[at + 2 : at + 4], "big") & 0x1FFF


def _sections(data: bytearray, streams: dict[int, _Stream]) -> Iterator[Finding]:
    """The first program map (2.4.4.8): kinds and descriptors of the streams."""
    section = Fields(bytes(data[1 + data[0] : 4096]) if data else b"", 1)
    end = min(3 + (section.number(2) & 0xFFF) - 4, len(section.data))
    section.at = 10
    if any(tag in (0x25, 0x26) for tag, _body in _descriptors(section)):
        yield Finding(Carrier.DATA_TRACK, What.OTHER)
    while section.at + 5 <= end:
        kind, pid = section.number(1), section.number(2) & 0x1FFF
        listed = _descriptors(section)
        stream = streams.setdefault(pid, _Stream())
        stream.kind = kind
        stream.descriptors = frozenset(tag for tag, _body in listed)
        stream.names = frozenset(body[:4] for tag, body in listed if tag == 5)


def _descriptors(section: Fields) -> list[tuple[int, bytes]]:
    """Tags and bodies of a list of descriptors, before which its size in bytes is."""
    fields = Fields(section.take(section.number(2) & 0xFFF))
    listed = []
    while fields.at + 2 <= len(fields.data):
        listed.append((fields.number(1), fields.take(fields.number(1))))
    return listed


def _service(data: bytes) -> Iterator[Finding]:
    """Names of the service and who provides it (ETSI EN 300 468, 5.2.3)."""
    words = opaque.words(data.replace(b"Service01", b"").replace(b"FFmpeg", b""))
    if words.strip("\n\t \u00ff"):
        yield Finding(Carrier.CONTAINER_TAG, text.kind_of(words))


def _content(stream: _Stream) -> Iterator[Finding]:
    data = bytes(stream.data)
    if not data and stream.kind < 0:  # a stream that only carries a clock
        return
    codec = _CODECS.get(stream.kind, "")
    for name in stream.names & _PICTURE_NAMES.keys():
        codec = _PICTURE_NAMES[name]
    if stream.kind in _PICTURE or stream.names & _PICTURE_NAMES.keys():
        yield from sei.read([data], codec, 0)
    elif stream.kind in _SOUND or stream.names & _SOUND_NAMES or stream.descriptors & _SOUND_TAGS:
        return
    elif stream.kind in _SUBTITLES or stream.descriptors & _SUBTITLE_TAGS:
        yield Finding(Carrier.SUBTITLE_TRACK, What.OTHER)
        if opaque.has_location(data[: 256 << 10]):
            yield Finding(Carrier.SUBTITLE_TRACK, What.LOCATION)
    elif stream.names & {b"KLVA", b"GPMD"} or b"\x06\x0e\x2b\x34\x02\x0b\x01\x01" in data:
        # MISB ST 0601: the position of a drone, and where its camera pointed
        yield Finding(Carrier.TELEMETRY_TRACK, What.LOCATION)
    else:
        yield Finding(Carrier.DATA_TRACK, opaque.kind_of(data[: 256 << 10]))
