"""The colour profile of a photo, if it is of the kind that cameras write.

It is read in pure Python, because the bytes are hostile.  Only profiles of three primaries and
three curves are understood (ICC.1:2022, section 8.3.3, "matrix-based").  Other profiles (of
printers, or with tables) and broken ones count as none.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.carriers import BudgetSpent, Window
from pipeline.formats import Format

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


def profile(path: Path, footage: Format) -> Profile | None:
    """The profile of the photo at *path*; None where there is none that we understand."""
    if footage.colour_profile is None:
        return None
    try:
        with path.open("rb") as file:
            data = footage.colour_profile(Window.whole(file))
    except (struct.error, ValueError, IndexError, ArithmeticError, BudgetSpent):
        return None
    return understood(data)


def understood(data: bytes) -> Profile | None:
    """The profile that *data* are; None where we don't understand it."""
    try:
        return _understood(data) if data else None
    # hostile bytes: whatever fails here, the photo is shown without its profile
    except (struct.error, ValueError, IndexError, ArithmeticError, BudgetSpent):
        return None


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
