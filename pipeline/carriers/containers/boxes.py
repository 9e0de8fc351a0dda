"""Boxes of ISO base media files: MP4, QuickTime, HEIF, AVIF, JPEG XL (ISO/IEC 14496-12, 4.2).

The walk shows what a broken file still holds: a box that is longer than its parent is cut to
it, and bytes that are not a box are yielded as one without a type.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.window import Window, leave_out

_COUNT = 20_000


@dataclass(frozen=True)
class IsoBox:
    """A box of the four-character type *kind* with its *body*; ``kind`` is empty for stray bytes.

    ``header`` is the size of its header in bytes.  ``broken``: its size reaches beyond its
    parent.
    """

    kind: bytes
    body: Window
    header: int = 0
    broken: bool = False

    @property
    def start(self) -> int:
        """The position of its header in the file."""
        return self.body.start - self.header

    @property
    def end(self) -> int:
        """The position behind it in the file."""
        return self.body.start + self.body.size


def boxes(window: Window, *, numbered: bool = False) -> Iterator[IsoBox]:
    """The boxes that follow each other in *window*, at most 20,000.

    :param numbered: a type may be a number, as in the lists that ``keys`` names.
    """
    at = 0
    for _ in range(_COUNT):
        head = window.read(at, 16)
        if len(head) < 8:
            if head.strip(b"\0"):  # QuickTime ends a list with four zero bytes
                yield IsoBox(b"", window.part(at))
            return
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, header = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            if not head.strip(b"\0"):  # padding, if nothing but zeros follow
                stray = window.read(at, 4096).strip(b"\0")
                yield from (IsoBox(b"", window.part(at)),) if stray else ()
                return
            size = window.size - at
        if size < header or not (numbered or _is_name(kind)):
            yield IsoBox(b"", window.part(at))
            return
        body = window.part(at + header, at + size)
        yield IsoBox(kind, body, header, at + size > window.size)
        at += size
    leave_out()


def _is_name(kind: bytes) -> bool:
    """Types are four printable characters, the first perhaps the copyright sign (0xA9)."""
    return all(32 <= byte < 127 or byte == 0xA9 for byte in kind)


def find(window: Window, *path: bytes) -> Iterator[Window]:
    """The bodies of all boxes at *path* below *window*; full boxes count as plain ones."""
    for box in boxes(window):
        if box.kind == path[0]:
            if len(path) == 1:
                yield box.body
            else:
                yield from find(box.body, *path[1:])
