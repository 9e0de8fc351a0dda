"""PNG and APNG (ISO/IEC 15948; PNG third edition, 11): chunks by allow-list."""

import binascii
import re
from collections.abc import Iterator

from pipeline.carriers import embedded, exif, iptc, opaque, text, trailer, xmp
from pipeline.carriers.containers.png import chunks
from pipeline.carriers.window import Window, inflate
from pipeline.findings import Carrier, Finding, What

_NEEDED = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB sBIT bKGD pHYs hIST acTL fcTL fdAT cICP mDCV cLLI"
    b" mDCv cLLi".split()
)
_TIFF = re.compile(rb"II\*\0|MM\0\*")
_RAW_PROFILE = re.compile(rb"^\s*(\w+)\s+(\d+)\s+")


def read(window: Window) -> Iterator[Finding]:
    """What a PNG file gives away, its trailer included."""
    end = 0
    for chunk in chunks(window):
        end = chunk.end
        if chunk.kind not in _NEEDED:
            yield from _chunk(chunk.kind, chunk.body)
    yield from trailer.read(window.part(end))


def _chunk(kind: bytes, body: Window) -> Iterator[Finding]:
    if kind in (b"tEXt", b"zTXt", b"iTXt"):
        key, value = _text(kind, body.read(0, 4 << 20))
        yield from _keyed(key, value, body)
    elif kind in (b"eXIf", b"zxIf"):
        yield from exif.read(body)
    elif kind == b"iCCP":
        name, _, rest = body.read(0, embedded.PROFILE).partition(b"\0")
        yield from embedded.icc(name + b"\0" + inflate(rest[1:]))
    elif kind == b"tIME":
        yield Finding(Carrier.TIME, What.TIME)
    elif kind == b"caBX":
        yield from embedded.c2pa(body)
    else:
        yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _text(kind: bytes, data: bytes) -> tuple[str, bytes]:
    """Keyword and text of a chunk (PNG third edition, 11.3.3)."""
    key, _, rest = data.partition(b"\0")
    if kind == b"zTXt":
        rest = inflate(rest[1:])
    elif kind == b"iTXt":
        packed = rest[:1] == b"\x01"
        language, _, rest = rest[2:].partition(b"\0")
        translated, _, rest = rest.partition(b"\0")
        rest = inflate(rest) if packed else rest
        if (language + translated).strip():
            rest = rest + b"\n" + translated if len(rest) < text.LIMIT else rest
    return key.decode("latin-1")[:200], rest


def _keyed(key: str, value: bytes, body: Window) -> Iterator[Finding]:
    if key.startswith("Raw profile type"):
        yield from _profile(value, body)
    elif key.startswith("XML:com.adobe.xmp") or b"<x:xmpmeta" in value[:4096]:
        yield from xmp.read(value)
    elif key == "Software" or value.strip():
        yield from text.tag(key, text.decode(value), Carrier.COMMENT_TEXT)


def _profile(value: bytes, body: Window) -> Iterator[Finding]:
    """A profile as ImageMagick writes it: a name, a length, then hexadecimal lines."""
    match = _RAW_PROFILE.match(value[:200])
    name = match[1].decode("latin-1") if match else ""
    digits = re.sub(rb"[^0-9A-Fa-f]", b"", value[match.end() if match else 0 :])
    data = binascii.unhexlify(digits[: len(digits) & ~1])
    if name in ("exif", "APP1", "generic") and (tiff := _TIFF.search(data)):
        yield from exif.read(body.wrap(data[tiff.start() :]))
    elif name in ("xmp", "APP1"):
        yield from xmp.read(data)
    elif name in ("icc", "icm"):
        yield from embedded.icc(data)
    elif name == "iptc":
        at = data.find(b"8BIM")
        found = iptc.resources(body.wrap(data[at:])) if at >= 0 else iptc.records(data)
        yield from found
    else:
        yield from opaque.read(body.wrap(data), Carrier.COMMENT_TEXT)
