"""TIFF files, raw photos among them: their directories (TIFF 6.0)."""

from collections.abc import Iterator

from pipeline.carriers import exif, trailer
from pipeline.carriers.containers import tiff
from pipeline.carriers.window import Window
from pipeline.findings import Finding


def read(window: Window) -> Iterator[Finding]:
    """What a TIFF file gives away; every directory but the first is a second image."""
    yield from exif.read(window, pages=True)
    yield from trailer.read(window.part(tiff.end(window)))
