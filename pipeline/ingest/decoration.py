"""Signature logos and tracking pixels, by a stated rule.

A picture is decoration, and gets a row that says so, if

- the mail's HTML shows it by its Content-ID, or it is inline and has a Content-ID, **and**
  it is small: at most 4 KiB, or fewer than 150 × 150 pixels in area, or a banner of at most
  200 pixels in height or width that is at least three times as long; or
- it has at most 3 × 3 pixels, however it was sent: a tracking pixel.

A small picture that somebody attached is footage that they chose to send; a photo that a phone
puts into the text is far larger than what the rule names.  The size is read from the headers
of PNG, GIF and JPEG; another format counts by its bytes alone.
"""

from pipeline.carriers import Window
from pipeline.carriers.containers import jpeg, png
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

_SMALL_FILE = 4096
_SMALL_AREA = 150 * 150
_BANNER = 200
_DOT = 3


def refusal(head: bytes, size: int, *, in_layout: bool) -> Refusal | None:
    """The refusal for a picture that is decoration, None for one that may be footage.

    :param head: the file's first bytes.
    :param size: of the whole file, in bytes.
    :param in_layout: the mail shows it by its Content-ID.
    """
    measures = dimensions(head)
    small = in_layout and size <= _SMALL_FILE
    if measures is not None and all(measures):
        width, height = measures
        low, long = min(measures), max(measures)
        banner = low <= _BANNER and long >= 3 * low
        small = small or (in_layout and (width * height < _SMALL_AREA or banner))
        small = small or long <= _DOT
    return Refusal(Reason.DECORATION, Detail.LAYOUT_PICTURE) if small else None


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Width and height in pixels, None if the header doesn't tell."""
    if head.startswith(png.SIGNATURE):
        return png.size(Window.over(head))
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    return jpeg.size(Window.over(head)) if head.startswith(b"\xff\xd8") else None
