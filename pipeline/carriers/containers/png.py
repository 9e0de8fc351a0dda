"""PNG and APNG (ISO/IEC 15948; PNG third edition): chunks, colour profile, size."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.carriers.window import Window, inflate, leave_out

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 20_000
_PROFILE = 4 << 20


@dataclass(frozen=True)
class PngChunk:
    """A chunk by its four-character type; ``end`` is the position behind its checksum."""

    kind: bytes
    body: Window
    end: int


def chunks(window: Window) -> Iterator[PngChunk]:
    """The chunks from the signature to IEND (section 5.3), at most 20,000."""
    at = len(SIGNATURE)
    for _ in range(MOST):
        head = window.read(at, 8)
        if len(head) < 8:
            return
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        end = at + 12 + size
        yield PngChunk(kind, window.part(at + 8, at + 8 + size), end)
        if kind == b"IEND":
            return
        at = end
    leave_out()


def colour_profile(window: Window) -> bytes:
    """The chunk iCCP, inflated (section 11.3.2.3); empty where there is none."""
    for chunk in chunks(window):
        if chunk.kind == b"iCCP":
            _name, _, rest = chunk.body.read(0, _PROFILE).partition(b"\0")
            return inflate(rest[1:], _PROFILE)
        if chunk.kind == b"IDAT":
            break
    return b""


def size(window: Window) -> tuple[int, int] | None:
    """Width and height in pixels (section 11.2.1); None where the header is cut off."""
    data = window.read(0, 24)
    if len(data) < 24 or not data.startswith(SIGNATURE):
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
