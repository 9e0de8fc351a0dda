"""ASF and WMV (Advanced Systems Format 1.20.03, 3 to 7): objects by their GUID."""

from collections.abc import Iterator
from uuid import UUID

from pipeline.carriers import opaque, text
from pipeline.carriers.window import Fields, Window, leave_out
from pipeline.findings import Carrier, Finding, What

_OBJECTS = 2000
_FIELDS = 16 << 20  # bytes of names and values that are read
_EPOCH_1970 = 116444736000000000  # FFmpeg writes 1970 if it has no date


def _guids(*names: str) -> tuple[bytes, ...]:
    return tuple(UUID(name).bytes_le for name in names)


_HEADER, _FILE, _STREAM, _EXTENSION, _CONTENT, _EXTENDED = _guids(
    "75B22630-668E-11CF-A6D9-00AA0062CE6C",
    "8CABDCA1-A947-11CF-8EE4-00C00C205365",
    "B7DC0791-A9B7-11CF-8EE6-00C00C205365",
    "5FBF03B5-A92E-11CF-8EE3-00C00C205365",
    "75B22633-668E-11CF-A6D9-00AA0062CE6C",
    "D2D0A440-E307-11D2-97F0-00A0C95EA850",
)
_METADATA, _LIBRARY, _SCRIPT, _MARKER, _PADDING = _guids(
    "C5F8CBEA-5BAF-4877-8467-AA8C44FA4CCA",
    "44231C94-9498-49D1-A141-1D134E457054",
    "1EFB1A30-0B62-11D0-A39B-00A0C90348F6",
    "F487CD01-A951-11CF-8EE6-00C00C205365",
    "1806D474-CADF-4509-A4BA-9AABCB96AAE8",
)
_SILENT = frozenset(
    _guids(
        "75B22636-668E-11CF-A6D9-00AA0062CE6C",  # data
        "33000890-E5B1-11CF-89F4-00A0C90349CB",  # simple index
        "D6E229D3-35DA-11D1-9034-00A0C90349BE",  # index
        "FEB103F8-12AD-4C64-840F-2A1D2F7AD48C",  # media object index
        "86D15240-311D-11D0-A3A4-00A0C90348F6",  # codec list
        "7BF875CE-468D-11D1-8D82-006097C9A2B2",  # stream bitrates
        "14E6A5CB-C672-4332-8399-A96952065B5A",  # extended stream properties
        "A08649CF-4775-4670-8A16-6E35357566CD",  # advanced mutual exclusion
        "D4FED15B-88D3-454F-81F0-ED5C45999E24",  # stream prioritization
        "26F18B5D-4584-47EC-9F5F-0E651F0452C9",  # compatibility
        "7C4346A9-EFE0-4BFC-B229-393EDE415C85",  # language list
        "ABD3D211-A9BA-11CF-8EE6-00C00C205365",  # reserved
    )
)
_PICTURE_OR_SOUND = _guids(
    "BC19EFC0-5B4D-11CF-A8FD-00805F5C442B", "F8699E40-5B4D-11CF-A8FD-00805F5C442B"
)
_PLAIN = text.vocabulary(
    "WMFSDKVersion WMFSDKNeeded IsVBR ASFLeakyBucketPairs DeviceConformanceTemplate"
)


def read(window: Window) -> Iterator[Finding]:
    """What an ASF file gives away."""
    for kind, body in _objects(window):
        if kind == _HEADER:
            yield from _header(body.part(6))
        elif kind not in _SILENT:
            yield from opaque.read(body, Carrier.TRAILER if not kind else Carrier.UNKNOWN_PART)


def _objects(window: Window) -> Iterator[tuple[bytes, Window]]:
    """GUID and body of the objects that follow each other (2.1); stray bytes have an empty GUID."""
    at = 0
    for _ in range(_OBJECTS):
        head = window.read(at, 24)
        if len(head) < 24:
            if head.strip(b"\0"):
                yield b"", window.part(at)
            return
        size = int.from_bytes(head[16:24], "little")
        if size < 24:
            yield b"", window.part(at)
            return
        yield head[:16], window.part(at + 24, at + size)
        at += size
    leave_out()


def _header(body: Window) -> Iterator[Finding]:
    readers = {
        _EXTENSION: lambda inner: _header(inner.part(22)),
        _FILE: _file,
        _STREAM: _stream,
        _CONTENT: _content,
        _EXTENDED: _extended,
        _METADATA: _metadata,
        _LIBRARY: _metadata,
    }
    texts = {_SCRIPT: Carrier.SUBTITLE_TRACK, _MARKER: Carrier.CHAPTERS}
    for kind, inner in _objects(body):
        if kind in readers:
            yield from readers[kind](inner)
        elif kind not in _SILENT and (kind != _PADDING or inner.read(0, 1 << 16).strip(b"\0")):
            yield from opaque.read(inner, texts.get(kind, Carrier.UNKNOWN_PART))


def _file(body: Window) -> Iterator[Finding]:
    """File properties (3.2): the date of creation, in 100 ns from 1601."""
    date = int.from_bytes(body.read(24, 8), "little")
    if date not in (0, _EPOCH_1970):
        yield Finding(Carrier.TIME, What.TIME)


def _stream(body: Window) -> Iterator[Finding]:
    if body.read(0, 16) not in _PICTURE_OR_SOUND:
        yield Finding(Carrier.DATA_TRACK, What.OTHER)


def _content(body: Window) -> Iterator[Finding]:
    """Title, author, copyright, description, rating (3.10): five sizes, then five texts."""
    fields = Fields(body.read(0, _FIELDS), order="little")
    sizes = [fields.number(2) for _ in range(5)]
    for key, size in zip(("title", "author", "copyright", "text", "text"), sizes, strict=True):
        yield from _tag(key, fields.take(size))


def _extended(body: Window) -> Iterator[Finding]:
    """Names with values (3.11)."""
    fields = Fields(body.read(0, _FIELDS), order="little")
    for _ in range(min(fields.number(2), _OBJECTS)):
        name = fields.take(fields.number(2))
        kind, size = fields.number(2), fields.number(2)
        yield from _named(_utf16(name), kind, body.wrap(fields.take(size)))


def _metadata(body: Window) -> Iterator[Finding]:
    """Names with values, of streams as well (4.7, 4.8)."""
    fields = Fields(body.read(0, _FIELDS), order="little")
    for _ in range(min(fields.number(2), _OBJECTS)):
        _language, _stream, length, kind, size = (fields.number(n) for n in (2, 2, 2, 2, 4))
        name = fields.take(length)
        yield from _named(_utf16(name), kind, body.wrap(fields.take(size)))


def _named(name: str, kind: int, value: Window) -> Iterator[Finding]:
    if name == "WM/Picture":
        head = value.read(0, 4096)
        start = max(head.find(b"\xff\xd8\xff"), head.find(b"\x89PNG"), 0)
        yield from value.part(start).inside(Carrier.COVER_PICTURE)
    elif kind == 1:  # bytes
        yield from opaque.read(value, Carrier.CONTAINER_TAG)
    elif kind == 0 and name not in _PLAIN:
        data = value.read(0, text.LIMIT)
        if name != "WM/EncodingSettings" or not text.FFMPEG.fullmatch(_utf16(data)):
            yield from _tag(name, data)


def _tag(key: str, value: bytes) -> Iterator[Finding]:
    yield from text.tag(key, _utf16(value), Carrier.CONTAINER_TAG)


def _utf16(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").strip("\0")
