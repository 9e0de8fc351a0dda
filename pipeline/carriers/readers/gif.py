"""GIF (GIF89a specification): comments, application extensions, plain text, the trailer."""

from collections.abc import Iterator

from pipeline.carriers import embedded, opaque, trailer, xmp
from pipeline.carriers.containers.ending import Cut
from pipeline.carriers.window import Window, leave_out
from pipeline.findings import Carrier, Finding

_BLOCKS = 20_000
_SUBBLOCKS = 400_000
_KEPT = 1 << 20
_STEP = 4 << 10  # bytes that are read at once; a small picture has fewer


def read(window: Window) -> Iterator[Finding]:
    """What a GIF file gives away.  Looping (NETSCAPE2.0, ANIMEXTS1.0) is silent."""
    flags = window.number(10, 1)
    at = 13 + _table(flags)
    for _ in range(_BLOCKS):
        kind = window.read(at, 2)
        if kind[:1] == b",":  # image descriptor (20): nine bytes, table, code size, data
            at += 10 + _table(window.number(at + 9, 1)) + 1
            at, _data = _subblocks(window, at, 0)
        elif kind[:1] == b"!":
            head = window.read(at + 2, 1)
            after, data = _subblocks(window, at + 2, _KEPT)
            yield from _extension(kind[1:], head, data, window.part(at + 2, after))
            at = after
        elif kind[:1] == b";":
            yield from trailer.read(window.part(at + 1))
            return
        else:
            break
    else:
        leave_out()
    if window.part(at).size:
        yield from opaque.read(window.part(at), Carrier.UNKNOWN_PART)


def cut(window: Window) -> Cut | None:
    """A file that ends within a picture or an extension; many have no trailer."""
    at = 13 + _table(window.number(10, 1))
    for _ in range(_BLOCKS):
        kind = window.read(at, 1)
        if kind == b",":
            at += 10 + _table(window.number(at + 9, 1)) + 1
            at, _data = _subblocks(window, at, 0)
        elif kind == b"!":
            at, _data = _subblocks(window, at + 2, 0)
        else:
            whole = at < window.size or (at == window.size and window.read(at - 1, 1) == b"\0")
            return None if whole else Cut()
    return None


def _table(flags: int) -> int:
    """Bytes of the colour table that *flags* announce (18, 20)."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _subblocks(window: Window, at: int, keep: int) -> tuple[int, bytes]:
    """The position behind a chain of sub-blocks (15), and at most *keep* bytes of its data."""
    kept = bytearray()
    block, base = b"", at
    for _ in range(_SUBBLOCKS):
        if at - base + 256 > len(block):
            block, base = window.read(at, _STEP), at
        if not block:
            return at, bytes(kept)
        size = block[at - base]
        if size == 0:
            return at + 1, bytes(kept)
        if len(kept) < keep:
            kept += block[at - base + 1 : at - base + 1 + size]
        at += 1 + size
    return at, bytes(kept)


def _extension(kind: bytes, head: bytes, data: bytes, body: Window) -> Iterator[Finding]:
    if kind in (b"\xfe", b"\x01"):  # a comment (24), a text to be drawn (25)
        yield from opaque.read(body.wrap(data), Carrier.COMMENT_TEXT)
    elif kind == b"\xff" and head == b"\x0b":
        yield from _application(data[:11], data[11:], body)
    elif kind != b"\xf9" or len(data) > 4:  # graphic control (23): four bytes and no more
        yield from opaque.read(body, Carrier.UNKNOWN_PART)


def _application(name: bytes, data: bytes, body: Window) -> Iterator[Finding]:
    if name == b"XMP DataXMP":
        # the packet is written without sub-blocks; decoders take its bytes for their lengths
        yield from xmp.read(body.read(12, xmp.LIMIT))
    elif name == b"ICCRGBG1012":
        yield from embedded.icc(data)
    elif name not in (b"NETSCAPE2.0", b"ANIMEXTS1.0") or len(data) > 10:
        yield from opaque.read(body.wrap(data), Carrier.UNKNOWN_PART)
