"""Photoshop's image resources, and the IPTC records in them (IPTC-IIM 4.2, chapters 5 and 6)."""

from collections.abc import Iterator

from pipeline.carriers import embedded, opaque, text, xmp
from pipeline.carriers.window import Fields, Window, leave_out
from pipeline.findings import Carrier, Finding, What

_COUNT = 2000

# Record 2, the application record, by dataset.
_PLACE = frozenset((26, 27, 90, 92, 95, 100, 101))
_SILENT = frozenset((0, 3, 10, 130, 131))
_FINDINGS = {
    **dict.fromkeys((80, 85, 110, 115, 116, 118, 122), Finding(Carrier.PERSON, What.IDENTITY)),
    **dict.fromkeys((30, 35, 37, 38, 47, 50, 55, 60, 62, 63), Finding(Carrier.TIME, What.TIME)),
    **dict.fromkeys((65, 70), Finding(Carrier.DEVICE, What.IDENTITY)),
    **dict.fromkeys(range(184, 189), Finding(Carrier.SERIAL_NUMBER, What.IDENTITY)),
}

# Photoshop resources that hold settings of printing and of the program's windows only.
_HARMLESS = frozenset((*range(1000, 1024), 1025, 1026, 1032, 1037, 1044, 1049, 1061, 1062, 10000))
_RECORDS, _ICC, _THUMBS, _EXIF, _XMP = 1028, 1039, (1033, 1036), (1058, 1059), 1060


def resources(window: Window) -> Iterator[Finding]:
    """A run of ``8BIM`` resources (Adobe Photoshop file formats, image resource blocks)."""
    at = 0
    for _ in range(_COUNT):
        head = window.read(at, 7)
        if len(head) < 7:
            return
        if head[:4] not in (b"8BIM", b"8BPS", b"MeSa", b"AgHg", b"PHUT", b"DCSR"):
            yield from opaque.read(window.part(at), Carrier.UNKNOWN_PART)
            return
        number = int.from_bytes(head[4:6], "big")
        name = (head[6] + 2) & ~1
        size = int.from_bytes(window.read(at + 6 + name, 4), "big")
        start = at + 10 + name
        yield from _resource(number, window.part(start, start + size))
        at = start + size + (size & 1)
    leave_out()


def records(data: bytes) -> Iterator[Finding]:
    """IIM datasets: the marker 0x1C, record, dataset, length (IPTC-IIM 4.2, 1.5)."""
    fields = Fields(data)
    for _ in range(_COUNT):
        if len(data) - fields.at < 5 or data[fields.at] != 0x1C:
            break
        _marker, record, dataset, size = (fields.number(width) for width in (1, 1, 1, 2))
        if size & 0x8000:  # an extended dataset gives the size of its length field
            wide = size & 0x7FFF
            size = int.from_bytes(fields.take(wide)[:8], "big")
        yield from _dataset(record, dataset, fields.take(size)[: text.LIMIT])
    if rest := data[fields.at :].strip(b"\0"):
        yield Finding(Carrier.UNKNOWN_PART, text.kind_of(text.decode(rest)))


def _dataset(record: int, dataset: int, value: bytes) -> Iterator[Finding]:
    if record == 1 or (record == 2 and dataset in _SILENT) or not value.strip(b" \0"):
        yield from [Finding(Carrier.TIME, What.TIME)] if (record, dataset) == (1, 70) else []
        return
    if record != 2:
        yield Finding(Carrier.UNKNOWN_PART, text.kind_of(text.decode(value)))
    elif dataset in _PLACE:
        yield Finding(Carrier.IPTC_PLACE, What.LOCATION)
    else:
        known = _FINDINGS.get(dataset)
        what = text.kind_of(text.decode(value))
        if known:
            yield known
        if known is None or (what is What.LOCATION and known.what is not What.TIME):
            yield Finding(Carrier.COMMENT_TEXT, what)


def _resource(number: int, body: Window) -> Iterator[Finding]:
    if number == _RECORDS:
        yield from records(body.read(0, 1 << 20))
    elif number in _THUMBS:
        # 28 bytes of header, then a JPEG
        yield from body.part(28).inside(Carrier.THUMBNAIL)
    elif number in _EXIF:
        yield from body.inside(Carrier.CONTAINER_TAG)
    elif number == _XMP:
        yield from xmp.read(body.read(0, xmp.LIMIT))
    elif number == _ICC:
        yield from embedded.icc(body.read(0, embedded.PROFILE))
    elif number not in _HARMLESS:
        carrier = Carrier.COMMENT_TEXT if 2000 <= number <= 2998 else Carrier.CONTAINER_TAG
        yield from opaque.read(body, carrier)
