"""What an original gave away, read before it is processed: the proof in the report.

Carriers and kinds only.  A location's value never leaves the reader that saw it: it is in no
result, no exception, no log.  The readers are pure Python, for the bytes are hostile; what
breaks one of them becomes a finding too (``unknown part``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pipeline.carriers import (
    asf,
    avi,
    exif,
    flv,
    gif,
    jpeg,
    matroska,
    mp4,
    mpegps,
    mpegts,
    ogg,
    opaque,
    png,
    raster,
    sweep,
    text,
    webp,
)
from pipeline.carriers.source import Budget, Source
from pipeline.media.identify import HEAD, Identity, identify_head
from pipeline.model import Carrier, Finding, What

Reader = Callable[[Source], Iterator[Finding]]

_READERS: Mapping[str, Reader] = {
    "jpeg": jpeg.read,
    "png": png.read,
    "gif": gif.read,
    "tiff": lambda source: exif.read(source, pages=True),
    "heif": mp4.read,
    "avif": mp4.read,
    "heif sequence": mp4.read,
    "mp4": mp4.read,
    "matroska": matroska.read,
    "webp": webp.read,
    "bmp": raster.bmp,
    "jpegxl": raster.jpegxl,
    "avi": avi.read,
    "mpeg-ts": mpegts.read,
    "mpeg-ps": mpegps.read,
    "mpeg-video": mpegps.video,
    "ogg": ogg.read,
    "flv": flv.read,
    "asf": asf.read,
}
_BROKEN = Finding(Carrier.UNKNOWN_PART, What.OTHER)


def find(path: Path, identity: Identity) -> tuple[Finding, ...]:
    """What the file at *path* carries beside picture and sound; sorted, each pair once.

    Never raises on what is in the file.  However large it is, at most 250,000 reads of 192 MiB
    in 30 s are made, and a last look over 12 MiB of raw bytes.  A file that is no footage has no
    findings.

    :raises OSError: the file itself can't be read.
    """
    if identity.name not in _READERS:
        return ()
    with path.open("rb") as file:
        size = file.seek(0, 2)
        source = Source(file, 0, size, Budget(_inside))
        found = _gathered(_READERS[identity.name], source)
        if all(each.what is not What.LOCATION for each in found):
            found |= _gathered(sweep.read, Source(file, 0, size, Budget(_inside)))
        return tuple(sorted(found))


def in_name(filename: str) -> tuple[Finding, ...]:
    """That a file's name holds coordinates, where it does."""
    if text.located(filename) or text.located(filename.replace("_", " ")):
        return (Finding(Carrier.FILE_NAME, What.LOCATION),)
    return ()


def _gathered(reader: Reader, source: Source) -> set[Finding]:
    """All that *reader* finds; when it breaks, what it found so far and that it broke."""
    found: set[Finding] = set()
    try:
        found.update(reader(source))
    except Exception:  # noqa: BLE001 - hostile bytes; a value may stand in the error, so it is dropped
        found.add(_BROKEN)
    return found


def _inside(source: Source) -> Iterator[Finding]:
    """A file inside the file, by its first bytes."""
    identity = identify_head(source.read(0, HEAD))
    reader = _READERS.get(identity.name)
    if reader is None:
        yield from opaque.look(source, Carrier.UNKNOWN_PART)
    else:
        yield from reader(source)
