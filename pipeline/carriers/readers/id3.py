"""ID3 tags (ID3v2.2 to 2.4), in front of sound and inside of other files; and what ends a sound.

A file of sound becomes no clip.  Its covers, chapters and tags are read because the report shows
what a sender gave away.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers import opaque, text, xmp
from pipeline.carriers.window import Fields, Window, inflate
from pipeline.findings import Carrier, Finding, What

_FRAMES = 2000
_TAGS = 8  # one after the other
_VALUE = 64 << 10
_UNSYNCHRONISED = 8 << 20  # bytes of a tag that are rewritten
_DEPTH = 3  # of frames in frames
_APE = b"APETAGEX"
_APE_SIZE = 4 << 20
_NAME = re.compile(rb"[A-Z0-9]{3,4}")
_CODECS = ("latin-1", "utf-16", "utf-16-be", "utf-8")

# What text frames are about, by a word for their subject.
_SUBJECTS = text.subjects(
    {
        "person": b"TPE1 TPE2 TPE3 TPE4 TCOM TEXT TOPE TOLY TOWN TCOP TPUB TENC TPRO TRSO TRSN IPLS"
        b" TMCL TIPL TP1 TP2 TP3 TP4 TCM TXT TOA TOL TCR TPB TEN IPL",
        "date": b"TYER TDAT TIME TRDA TORY TDRC TDTG TDOR TDRL TDEN TYE TDA TIM TRD TOR",
        "software": b"TSSE TSS",
    }
)
_SILENT = re.compile(rb"TLEN|TBPM|TKEY|TFLT|TMED|TSIZ|TDLY|TCMP|TLE|TBP|TKE|TFT|TMT|TSI|TDY|TCP")
_PROGRAM = re.compile(r"(?:Lav[fc][\d.]*(?: [\w.-]+)?|LAME.{0,40})?")


@dataclass(frozen=True)
class _Frame:
    """A frame by its name.  ``version`` is that of its tag; ``depth``: how many are around it."""

    name: bytes
    body: Window
    version: int
    depth: int = 0


def read(window: Window) -> Iterator[Finding]:
    """What a file of sound gives away by the tags at its start and at its end."""
    at = 0
    for _ in range(_TAGS):
        if window.read(at, 3) != b"ID3":
            break
        end = at + _size(window, at)
        yield from _tag(window.part(at, end))
        at = end
    if window.read(at, 4) == b"fLaC":  # some programs put ID3 before it
        yield from window.part(at).inside(Carrier.CONTAINER_TAG)
        return
    if window.size - at > 128 and window.read(window.size - 128, 3) == b"TAG":
        yield from opaque.read(window.part(window.size - 128), Carrier.CONTAINER_TAG)
    yield from _ape(window)


def _size(window: Window, at: int) -> int:
    head = window.read(at, 10)
    return 10 + _synchsafe(head[6:10]) + (10 if head[5:6] and head[5] & 0x10 else 0)


def _synchsafe(data: bytes) -> int:
    """Seven bits of each byte (ID3v2.4 structure, 6.2)."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 127
    return number


def _tag(tag: Window) -> Iterator[Finding]:
    version, flags = tag.number(3, 1), tag.number(5, 1)
    body = tag.part(10)
    if flags & 0x80 and version < 4:
        body = tag.wrap(body.read(0, _UNSYNCHRONISED).replace(b"\xff\0", b"\xff"))
    start = 0
    if flags & 0x40 and version > 2:
        size = body.read(0, 4)
        start = _synchsafe(size) if version > 3 else 4 + int.from_bytes(size, "big")
    yield from _frames(body.part(start), version, 0)


def _frames(body: Window, version: int, depth: int) -> Iterator[Finding]:
    at = 0
    wide = 3 if version == 2 else 4
    for _ in range(_FRAMES):
        head = body.read(at, 6 if version == 2 else 10)
        name = head[:wide]
        if not _NAME.fullmatch(name):
            if body.read(at, _VALUE).strip(b"\0"):
                yield from opaque.read(body.part(at), Carrier.UNKNOWN_PART)
            return
        size = _frame_size(head, version)
        inner = body.part(at + len(head), at + len(head) + size)
        flags = head[9] if len(head) > 9 else 0
        frame = _Frame(name, _plain(inner, version, flags), version, depth)
        yield from _frame(frame)
        at += len(head) + size
    yield Finding(Carrier.UNKNOWN_PART, What.OTHER)


def _frame_size(head: bytes, version: int) -> int:
    if version == 2:
        return int.from_bytes(head[3:6], "big")
    size = head[4:8]
    # version 4 has seven bits a byte; some programs write eight
    return _synchsafe(size) if version > 3 and max(size) < 128 else int.from_bytes(size, "big")


def _plain(body: Window, version: int, flags: int) -> Window:
    """A frame without packing (ID3v2.3, 3.3.1; ID3v2.4, 4.1.2)."""
    if version == 3:
        packed, skip = flags & 0x80, 4 * bool(flags & 0x80) + bool(flags & 0x20)
        unsynchronised = False
    else:
        packed, skip = flags & 0x08, 4 * bool(flags & 0x01) + bool(flags & 0x40)
        unsynchronised = bool(flags & 0x02)
    if version == 2 or not (skip or packed or unsynchronised):
        return body
    if not packed and not unsynchronised:
        return body.part(skip)
    data = body.read(skip, _UNSYNCHRONISED)
    if unsynchronised:
        data = data.replace(b"\xff\0", b"\xff")
    return body.wrap(inflate(data) if packed else data)


def _frame(frame: _Frame) -> Iterator[Finding]:
    name, body = frame.name, frame.body
    plain = Carrier.CHAPTERS if frame.depth else Carrier.CONTAINER_TAG
    if name in (b"APIC", b"PIC"):
        yield from _picture(body, frame.version)
    elif name in (b"CHAP", b"CTOC"):
        yield from _chapter(frame)
    elif name in (b"TXXX", b"TXX", b"WXXX", b"WXX"):
        key, value = _described(body.read(0, _VALUE))
        yield from text.tag(key or "text", value, plain)
    elif name in (b"COMM", b"COM", b"USLT", b"ULT"):
        yield from _comment(body, Carrier.COMMENT_TEXT)
    elif name in (b"GEOB", b"GEO"):
        yield from _object(body)
    elif name == b"PRIV":
        yield from _private(body)
    elif name.startswith((b"T", b"IPL", b"W")):
        if not _SILENT.fullmatch(name):
            yield from _text(frame, plain)
    elif name in (b"UFID", b"UFI", b"MCDI", b"MCI"):
        yield Finding(Carrier.SERIAL_NUMBER, What.IDENTITY)
        yield from opaque.scan(body, plain)
    else:
        yield from opaque.read(body, plain)


def _text(frame: _Frame, plain: Carrier) -> Iterator[Finding]:
    data = frame.body.read(0, _VALUE)
    is_address = frame.name.startswith(b"W")
    value = text.decode(data) if is_address else _decoded(data[1:], data[:1])
    subject = _SUBJECTS.get(frame.name, "text")
    if subject != "software" or not _PROGRAM.fullmatch(value.strip("\0 ")):
        yield from text.tag(subject, value, plain)


def _decoded(data: bytes, encoding: bytes) -> str:
    number = encoding[0] if encoding else 0
    if number >= len(_CODECS):
        return text.decode(data)
    # some programs name Latin and write UTF-8
    return text.decode(data) if number == 0 else data.decode(_CODECS[number], "replace")


def _described(data: bytes) -> tuple[str, str]:
    """The description and the value that follow an encoding."""
    parts = _decoded(data[1:], data[:1]).split("\0", 1)
    return parts[0].strip("\ufeff"), parts[1].strip("\ufeff\0") if len(parts) > 1 else ""


def _comment(body: Window, carrier: Carrier) -> Iterator[Finding]:
    """An encoding, a language of three letters, a description, a text."""
    data = body.read(0, _VALUE)
    key, value = _described(data[:1] + data[4:])
    if key or value:
        yield Finding(carrier, text.kind_of(f"{key}\n{value}"))


def _picture(body: Window, version: int) -> Iterator[Finding]:
    """Its bytes follow a type, a kind and a description; they are found by how pictures begin."""
    head = body.read(0, 4096)
    yield from _described_place(head, Carrier.COVER_PICTURE)
    starts = [head.find(magic) for magic in (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8")]
    found = [start for start in starts if start >= 0]
    fixed = 6 if version == 2 else head.find(b"\0", 1) + 2
    yield from body.part(min(found, default=fixed)).inside(Carrier.COVER_PICTURE)


def _described_place(head: bytes, carrier: Carrier) -> Iterator[Finding]:
    words = head.split(b"\xff\xd8\xff", 1)[0][:512]
    if opaque.has_location(words):
        yield Finding(carrier, What.LOCATION)


def _chapter(frame: _Frame) -> Iterator[Finding]:
    """A name, times (CHAP) or names of chapters (CTOC), then frames (ID3v2 chapters 1.0)."""
    yield Finding(Carrier.CHAPTERS, What.OTHER)
    data = frame.body.read(0, 4096)
    at = data.find(b"\0") + 1
    if frame.name == b"CHAP":
        at += 16
    else:
        count = data[at + 1] if len(data) > at + 1 else 0
        at += 2
        for _ in range(count):
            at = data.find(b"\0", at) + 1
    if opaque.has_location(data[:at]):
        yield Finding(Carrier.CHAPTERS, What.LOCATION)
    if frame.depth < _DEPTH:
        yield from _frames(frame.body.part(at), frame.version, frame.depth + 1)


def _object(body: Window) -> Iterator[Finding]:
    """A file: its encoding, type, name and description, then its bytes."""
    head = body.read(0, 4096)
    yield from _described_place(head, Carrier.ATTACHMENT)
    at = 1
    wide = 2 if head[:1] in (b"\1", b"\2") else 1
    for width in (1, wide, wide):
        end = head.find(b"\0" * width, at)
        at = end + width if end >= 0 else at
    yield from body.part(at).inside(Carrier.ATTACHMENT)
    yield from opaque.scan(body, Carrier.ATTACHMENT)


def _private(body: Window) -> Iterator[Finding]:
    data = body.read(0, xmp.LIMIT)
    if data.startswith(b"XMP\0"):
        yield from xmp.read(data[4:])
    else:
        yield from opaque.read(body, Carrier.CONTAINER_TAG)


def _ape(window: Window) -> Iterator[Finding]:
    """An APE tag before the end or before ID3v1 (APEv2 specification)."""
    for end in (window.size, window.size - 128):
        foot = Fields(window.read(end - 32, 32), 8, "little")
        if foot.data[:8] != _APE:
            continue
        _version, size = foot.number(4), foot.number(4)
        items = Fields(window.read(max(0, end - size), min(size, _APE_SIZE)), order="little")
        for _ in range(min(foot.number(4), _FRAMES)):
            length, flags = items.number(4), items.number(4)
            key_end = items.data.find(b"\0", items.at)
            if key_end < 0:
                return
            key = text.decode(items.take(key_end + 1 - items.at)[:200])
            yield from _ape_item(window, key, items.take(length), is_binary=bool(flags & 6))
        return


def _ape_item(window: Window, key: str, value: bytes, *, is_binary: bool) -> Iterator[Finding]:
    if not is_binary:
        yield from text.tag(key, text.decode(value), Carrier.CONTAINER_TAG)
        return
    cover = "cover" in key.lower()
    carrier = Carrier.COVER_PICTURE if cover else Carrier.ATTACHMENT
    data = value.partition(b"\0")[2] if cover else value  # the name of the file comes first
    yield from window.wrap(data).inside(carrier)
