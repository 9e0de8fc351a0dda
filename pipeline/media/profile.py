"""The colour profile of a photo, as far as it is of the kind that cameras write.

Read in pure Python, for the bytes are hostile: found in the file, and understood where it
describes three primaries and three curves (ICC.1:2022, section 8.3.3, "matrix-based").
Other profiles (printers', tables) and broken ones count as none.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from pipeline.media import heif
from pipeline.media.identify import Identity

_MAX = 4 << 20
_MAX_PARTS = 5000
_MAX_CURVE = 4096
Curve = tuple[float, ...]


@dataclass(frozen=True)
class Profile:
    """Primaries as columns of XYZ under D50, and the curve of each of R, G and B.

    A curve is its parameters g, a, b, c, d, e, f (ICC.1:2022, table 68, function type 4), or
    more than seven samples of it.
    """

    matrix: tuple[tuple[float, float, float], ...]
    curves: tuple[Curve, Curve, Curve]

    def light(self, values: NDArray[np.float64], channel: int) -> NDArray[np.float64]:
        """The linear light, from 0 to 1, of one channel's values."""
        curve = self.curves[channel]
        if len(curve) > 7:
            return np.interp(values, np.linspace(0, 1, len(curve)), curve)
        g, a, b, c, d, e, f = curve
        power = np.maximum(a * values + b, 0) ** g + e
        return np.clip(np.where(values >= d, power, c * values + f), 0, 1)


def profile(path: Path, identity: Identity) -> Profile | None:
    """The profile of the photo at *path*; None where there is none that we understand."""
    find = _FINDERS.get(identity.name)
    if find is None:
        return None
    try:
        with path.open("rb") as file:
            data = find(file)
        return _understood(data) if data else None
    # hostile bytes: whatever they break here, the photo is shown without its profile
    except (struct.error, ValueError, IndexError, ZeroDivisionError, OverflowError, zlib.error):
        return None


# -- where it stands -----------------------------------------------------------------------


def _in_jpeg(file: BinaryIO) -> bytes:
    """Segments APP2 (ICC.1:2022, annex B.4)."""
    parts: dict[int, bytes] = {}
    file.seek(2)
    for _ in range(_MAX_PARTS):
        marker, size = struct.unpack(">HH", file.read(4))
        if marker == 0xFFE2:
            data = file.read(size - 2)
            if data.startswith(b"ICC_PROFILE\0"):
                parts[data[12]] = data[14:]
        elif marker == 0xFFDA or marker >> 8 != 0xFF:
            break
        else:
            file.seek(size - 2, 1)
    return b"".join(parts[number] for number in sorted(parts))[:_MAX]


def _in_png(file: BinaryIO) -> bytes:
    """Chunk iCCP (W3C PNG, third edition, section 11.3.2.3)."""
    file.seek(8)
    for _ in range(_MAX_PARTS):
        size, name = struct.unpack(">I4s", file.read(8))
        if name == b"iCCP":
            data = file.read(min(size, _MAX))
            return zlib.decompressobj().decompress(data[data.index(b"\0") + 2 :], _MAX)
        if name == b"IDAT":
            break
        file.seek(size + 4, 1)
    return b""


def _in_webp(file: BinaryIO) -> bytes:
    """Chunk ICCP (RFC 9649, section 2.7.1.4)."""
    file.seek(12)
    for _ in range(_MAX_PARTS):
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"ICCP":
            return file.read(min(size, _MAX))
        file.seek(size + size % 2, 1)
    return b""


def _in_tiff(file: BinaryIO) -> bytes:
    """Tag 34675 of the first directory (TIFF 6.0, section 2; ICC.1:2022, annex B.3)."""
    order = "<" if file.read(2) == b"II" else ">"
    _, at = struct.unpack(f"{order}HI", file.read(6))
    file.seek(at)
    (count,) = struct.unpack(f"{order}H", file.read(2))
    for _ in range(min(count, _MAX_PARTS)):
        tag, _, size, where = struct.unpack(f"{order}HHII", file.read(12))
        if tag == 34675:
            file.seek(where)
            return file.read(min(size, _MAX))
    return b""


def _in_heif(file: BinaryIO) -> bytes:
    """Box colr of type prof or rICC (ISO/IEC 14496-12, section 12.1.5)."""
    found = heif.read(file)
    return found.colour[4:] if found and found.colour[:4] in (b"prof", b"rICC") else b""


_FINDERS: dict[str, Callable[[BinaryIO], bytes]] = {
    "avif": _in_heif,
    "heif": _in_heif,
    "jpeg": _in_jpeg,
    "png": _in_png,
    "webp": _in_webp,
    "tiff": _in_tiff,
}


# -- what it says --------------------------------------------------------------------------


def _understood(data: bytes) -> Profile | None:
    """Header, tag table, tags (ICC.1:2022, sections 7.2, 7.3 and 9.2)."""
    if data[36:40] != b"acsp" or data[16:20] != b"RGB " or data[20:24] != b"XYZ ":
        return None
    (count,) = struct.unpack_from(">I", data, 128)
    tags = {}
    for index in range(min(count, 100)):
        name, at, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        tags[name] = data[at : at + size]
    if b"A2B0" in tags or not {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"} <= set(tags):
        return None
    columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    x, y, z = zip(*columns, strict=True)
    return Profile((x, y, z), (red, green, blue))


def _xyz(tag: bytes) -> tuple[float, float, float]:
    """Type XYZ: three of s15Fixed16 (section 10.31)."""
    x, y, z = (value / 65536 for value in struct.unpack_from(">3i", tag, 8))
    return x, y, z


def _curve(tag: bytes) -> Curve:
    """Types curv (section 10.6) and para (section 10.18)."""
    if tag[:4] == b"para":
        kind = struct.unpack_from(">H", tag, 8)[0]
        sizes = (1, 3, 4, 5, 7)
        values = [v / 65536 for v in struct.unpack_from(f">{sizes[kind]}i", tag, 12)]
        return _parameters(kind, values)
    if tag[:4] != b"curv":
        raise ValueError("a curve of another type")
    (count,) = struct.unpack_from(">I", tag, 8)
    if count == 0:
        return _parameters(0, [1.0])
    if count == 1:
        return _parameters(0, [struct.unpack_from(">H", tag, 12)[0] / 256])
    if count > _MAX_CURVE:
        raise ValueError("a curve of more samples than any we know")
    values = [v / 65535 for v in struct.unpack_from(f">{count}H", tag, 12)]
    samples = np.interp(np.linspace(0, 1, max(count, 8)), np.linspace(0, 1, count), values)
    return tuple(samples.tolist())


def _parameters(kind: int, values: list[float]) -> Curve:
    """Any function type as type 4: g, a, b, c, d, e, f (table 68)."""
    g, a, b, c, d, e, f = 1.0, 1.0, 0.0, 0.0, -1.0, 0.0, 0.0
    if kind == 0:
        (g,) = values
    elif kind == 1:
        g, a, b = values
        d = -b / a
    elif kind == 2:
        g, a, b, c0 = values
        d, e, f = -b / a, c0, c0
    elif kind == 3:
        g, a, b, c, d = values
    else:
        g, a, b, c, d, e, f = values
    return g, a, b, c, d, e, f
