"""Messages inside the picture stream: SEI of H.264 and H.265, OBUs of AV1, MPEG-2 user data.

ITU-T H.264 annex D, H.265 annex D; AV1 specification 5.8; ISO/IEC 13818-2, 6.2.2.2; CEA-608
captions in ATSC A/53 part 4, 6.2.3.  Messages about timing, colour and light that a decoder
needs are silent; option strings of programs, captions and anything a camera writes are
reported.  Texts of captions are joined over the frames, because a position takes several.
"""

import re
from collections.abc import Iterable, Iterator

from pipeline.carriers import opaque, text
from pipeline.carriers.window import Fields, spend
from pipeline.findings import Carrier, Finding, What

_MESSAGES = 400
_UNITS = 4000
_UNIT, _MESSAGE = 2, 4  # steps
_OCTETS_A_STEP = 8
_CAPTIONS = 32 << 10
_NEEDED = frozenset(
    (
        *(0, 1, 2, 3, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 45, 47),
        *(56, 128, 129, 130, 131, 132, 133, 134, 135, 137, 138, 139, 140, 142, 144, 147, 148),
        *(154, 165, 168, 176, 177, 178, 179, 200, 202, 203),
    )
)
_USER_REGISTERED, _USER_UNREGISTERED, _TIME_CODE = 4, 5, 136
_ENCODERS = (b"x264 - core", b"x265 (build", b"Lavc", b"VideoToolbox")
_START = re.compile(b"\x00\x00\x01")

# Registered data that says how to show the picture: HDR10+, Dolby, SL-HDR, active format.
_LIGHT = (b"\xb5\x00\x3c\x00\x01", b"\xb5\x00\x3b", b"\xb5\x00\x3a", b"\x26\x00\x04\x00\x05")
_MDPM_PLACE = frozenset(range(0xB0, 0xD0))

_FAMILIES = {
    "h264": ["avc1", "avc2", "avc3", "avc4", "h264", "x264", "dva1", "dvav", "v_mpeg4/iso/avc"],
    "hevc": ["hvc1", "hev1", "hevc", "dvh1", "dvhe", "v_mpegh/iso/hevc"],
    "av1": ["av01", "v_av1"],
    "mpeg2": ["mp2v", "mpg2", "m2v1", "v_mpeg2", "mx3p", "xdvc", "hdv1", "hdv2", "hdv3"],
}


class Messages:
    """Findings from the messages of one stream, and the captions' letters so far."""

    def __init__(self) -> None:
        self.found: set[Finding] = set()
        self._letters = bytearray()
        self._count = 0

    def findings(self) -> Iterator[Finding]:
        """All that was found, and a location if the captions hold one."""
        yield from self.found
        if self._letters:
            letters = self._letters.decode("ascii", "replace")
            # frames may be stored in another order than shown; the kind of text stays the same
            yield Finding(Carrier.CLOSED_CAPTIONS, text.kind_of(letters))

    def unit(self, nal: bytes, codec: str) -> None:
        """One NAL unit of "h264" or "hevc" without its start code or length."""
        spend(_UNIT)
        if len(nal) < 3:
            return
        head = 1 if codec == "h264" else 2
        is_sei = nal[0] & 31 == 6 if codec == "h264" else (nal[0] >> 1) & 63 in (39, 40)
        if is_sei:  # without the bytes that keep start codes out of it
            self._sei(nal[head:].replace(b"\0\0\3", b"\0\0"))

    def sample(self, data: bytes, codec: str, width: int = 4) -> None:
        """One frame whose units each follow their length in *width* bytes."""
        units = Fields(data)
        for _ in range(_UNITS):
            size = units.number(width)
            if not 0 < size <= len(data) - units.at:
                return
            self.unit(units.take(size), codec)

    def stream(self, data: bytes, codec: str) -> None:
        """A stretch of a byte stream with start codes (H.264 annex B), also of MPEG-2."""
        starts = [match.end() for match in _START.finditer(data)][:_UNITS]
        for start, following in zip(starts, [*starts[1:], len(data) + 3], strict=True):
            unit = data[start : following - 3]
            if codec in ("h264", "hevc"):
                self.unit(unit, codec)
            elif unit[:1] == b"\xb2":
                self._registered(unit[1:], bare=True)

    def record(self, data: bytes, codec: str) -> None:
        """A decoder's configuration: units of H.265's hvcC (ISO/IEC 14496-15, 8.3.3.1), of av1C."""
        if codec == "av1":
            self.av1(data[4:])
        if codec != "hevc" or len(data) < 23:
            return
        arrays = Fields(data, 22)
        for _ in range(arrays.number(1)):
            arrays.take(1)
            for _ in range(min(arrays.number(2), _UNITS)):
                self.unit(arrays.take(arrays.number(2)), codec)

    def av1(self, data: bytes) -> None:
        """One temporal unit of AV1 (5.3.1): metadata OBUs."""
        at = 0
        for _ in range(_UNITS):
            if at >= len(data):
                return
            spend(_UNIT)
            head = data[at]
            at += 2 if head & 4 else 1
            size = len(data) - at
            if head & 2:
                size, at = _leb128(data, at)
            if (head >> 3) & 15 == 5:
                self._metadata(data[at : at + size])
            at += size

    def _metadata(self, body: bytes) -> None:
        kind, at = _leb128(body, 0)
        if kind == 4:
            self._registered(body[at:])
        elif kind >= 6 or kind == 0:
            self._unregistered(body[at:])
        elif kind == 5:
            self.found.add(Finding(Carrier.TIME, What.TIME))

    def _sei(self, body: bytes) -> None:
        spend(_MESSAGE + len(body) // _OCTETS_A_STEP)
        at = 0
        while at + 2 <= len(body) and body[at] != 0x80 and self._count < _MESSAGES:
            self._count += 1
            kind, at = _sum(body, at)
            size, at = _sum(body, at)
            payload = body[at : at + size]
            at += size
            if kind == _USER_REGISTERED:
                self._registered(payload)
            elif kind == _USER_UNREGISTERED:
                self._unregistered(payload[16:])
            elif kind == _TIME_CODE:
                self.found.add(Finding(Carrier.TIME, What.TIME))
            elif kind not in _NEEDED:
                self._unregistered(payload)

    def _unregistered(self, payload: bytes) -> None:
        what = What.OTHER
        if payload.startswith(b"MDPM"):
            self._camera(payload[4:])
        elif b"MISP" in payload[:32]:
            self.found.add(Finding(Carrier.TIME, What.TIME))
        elif not payload.startswith(_ENCODERS) and opaque.has_location(payload):
            what = What.LOCATION
        self.found.add(Finding(Carrier.USER_DATA, what))

    def _camera(self, body: bytes) -> None:
        """AVCHD's note of a camera: a count, then tags of one byte and values of four."""
        for at in range(1, min(len(body) - 4, 1 + 5 * body[0] if body else 0), 5):
            kind = body[at]
            if kind in _MDPM_PLACE:
                self.found.add(Finding(Carrier.USER_DATA, What.LOCATION))
            elif kind in (0x18, 0x19):
                self.found.add(Finding(Carrier.TIME, What.TIME))
            elif kind >= 0xE0:
                self.found.add(Finding(Carrier.DEVICE, What.IDENTITY))

    def _registered(self, payload: bytes, *, bare: bool = False) -> None:
        """ITU-T T.35 data; *bare* without country and provider, as MPEG-2 has it."""
        at = payload.find(b"GA94\x03", 0, 16)
        if at >= 0:
            self._captions(payload[at + 5 :])
        elif payload.startswith(_LIGHT) or b"DTG1" in payload[:8]:
            return
        elif bare and payload.startswith((b"CC\x01\xf8", b"\x05\x02")):
            self.found.add(Finding(Carrier.CLOSED_CAPTIONS, What.OTHER))
        else:
            self.found.add(Finding(Carrier.USER_DATA, opaque.kind_of(payload)))

    def _captions(self, body: bytes) -> None:
        self.found.add(Finding(Carrier.CLOSED_CAPTIONS, What.OTHER))
        if not body or len(self._letters) > _CAPTIONS:
            return
        for at in range(2, 2 + 3 * (body[0] & 31), 3):
            triple = body[at : at + 3]
            if len(triple) == 3 and triple[0] & 4 and triple[0] & 3 < 2:
                first, second = triple[1] & 127, triple[2] & 127
                if first >= 32:
                    self._letters += bytes(byte for byte in (first, second) if byte >= 32)


def codec_of(name: str) -> str:
    """The family that :class:`Messages` reads, by a four-character code or codec name."""
    return next((family for family, codes in _FAMILIES.items() if name.lower() in codes), "")


def read(
    samples: Iterable[bytes], codec: str, width: int = 4, record: bytes = b""
) -> Iterator[Finding]:
    """What the frames in *samples* carry beside the picture.

    :param width: bytes of a NAL unit's length; 0 for start codes.
    :param record: the decoder's configuration, which may hold messages as well.
    """
    messages = Messages()
    messages.record(record, codec)
    for data in samples:
        if codec == "av1":
            messages.av1(data)
        elif codec in ("h264", "hevc") and width:
            messages.sample(data, codec, width)
        elif codec:
            messages.stream(data, codec)
    yield from messages.findings()


def _sum(data: bytes, at: int) -> tuple[int, int]:
    """A number written as bytes of 255 and a rest (H.264 7.3.2.3.1), and the position after it."""
    start = at
    while data[at : at + 1] == b"\xff":
        at += 1
    return 255 * (at - start) + (data[at] if at < len(data) else 0), at + 1


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number of at most eight bytes of seven bits each, and the position after it."""
    value = 0
    for index, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << (7 * index)
        if not byte & 128:
            return value, at + index + 1
    return value, min(at + 8, len(data))
