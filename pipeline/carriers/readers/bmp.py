"""BMP bitmaps: the colour profile (BITMAPV5HEADER) and the trailer."""

from collections.abc import Iterator

from pipeline.carriers import embedded, trailer
from pipeline.carriers.window import Window
from pipeline.findings import Finding


def read(window: Window) -> Iterator[Finding]:
    """What a bitmap gives away, with what follows the size that its header gives."""
    end = window.number(2, 4, "little")
    header = window.number(14, 4, "little")
    if header >= 124 and window.read(14 + 56, 4) in (b"DEBM", b"KNIL"):
        offset, size = (window.number(14 + at, 4, "little") for at in (112, 116))
        yield from embedded.icc(window.read(14 + offset, min(size, embedded.PROFILE)))
    yield from trailer.read(window.part(end if end > 54 else window.size))
