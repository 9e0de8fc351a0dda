"""Tables that convert other colours to BT.709: high dynamic range, wide gamuts, colour profiles.

A table (Cube LUT 1.0) maps the R'G'B' of a picture to that of a BT.709 display, so that the whole
conversion is one look-up a pixel in FFmpeg's ``lut3d``.  Values are converted to linear light, in
which 1 is diffuse white.  That is 203 cd/m² in PQ and HLG (ITU-R BT.2408, table 1), with HLG as a
display of 1000 cd/m² shows it (BT.2100, table 5); brighter light is rolled off.  Video uses the
transfer of BT.1886 (a power of 2.4) and photos that of sRGB, before and after the conversion.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline import publishing, versions
from pipeline.media.probed import PQ, Picture
from pipeline.media.profile import Profile

Values = NDArray[np.float64]
Primaries = tuple[tuple[float, float], ...]  # x and y of R, G, B

_SIZE = 65
_WHITE_CD_M2 = 203.0
_PEAK_CD_M2 = 1000.0
_KNEE = 0.8  # of diffuse white; darker values do not change, and white changes very little
_SRGB = 13  # transfer characteristics of ITU-T H.273, table 3
_LUMA_2020 = (0.2627, 0.6780, 0.0593)
# chromaticities of R, G, B by the code points of ITU-T H.273, table 2; white is D65
_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_PRIMARIES = {
    1: _BT709,
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_D65 = (0.3127, 0.3290)
# XYZ under D50 of sRGB's primaries: the columns that its ICC profile has (IEC 61966-2-1)
_SRGB_D50 = np.array([[0.4360, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7139]])


@dataclass(frozen=True)
class Table:
    """A function of R'G'B' from 0 to 1; tables with equal names have equal values."""

    name: str
    of: Callable[[Values], Values]


def table(picture: Picture, profile: Profile | None, *, still: bool) -> Table | None:
    """Return the table for a picture's colours; None where they are those of BT.709 already.

    The picture's own labels have priority over a colour profile beside it.
    """
    if picture.hdr:
        primaries = picture.primaries if picture.primaries in _PRIMARIES else 9
        name = f"hdr {picture.transfer} {primaries}{' photo' if still else ''}"
        code = _srgb_code if still else _bt1886_code
        return Table(name, lambda v: code(_hdr(v, picture.transfer, primaries)))
    if picture.primaries in _PRIMARIES and picture.primaries != 1:
        name = f"gamut {picture.transfer} {picture.primaries}"
        return Table(name, lambda v: _gamut(v, picture.transfer, picture.primaries))
    if profile is not None and not _like_srgb(profile):
        return Table(f"profile {profile}", lambda v: _through(v, profile))
    return None


def written(wanted: Table, folder: Path) -> Path:
    """Return the file of a table; calculate it if *folder* has none."""
    key = publishing.cache_key("colours", versions.COLOURS, _SIZE, wanted.name)
    path = folder / f"colours-{key}.cube"
    if not publishing.is_cached(path):
        steps = np.linspace(0, 1, _SIZE)
        blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
        grid = np.stack([red, green, blue], -1).reshape(-1, 3)
        values = wanted.of(grid).ravel().tolist()
        # one long format: a line at a time takes three times as long
        lines = "%.5f %.5f %.5f\n" * len(grid) % tuple(values)
        publishing.write_text(path, f"LUT_3D_SIZE {_SIZE}\n{lines}")
    return path


def _hdr(values: Values, transfer: int, primaries: int) -> Values:
    """Return the light of a BT.709 display, 1 at diffuse white."""
    light = _pq(values) if transfer == PQ else _hlg(values)
    return _rolled_off(light @ _between(_PRIMARIES[primaries], _BT709).T)


def _gamut(values: Values, transfer: int, primaries: int) -> Values:
    matrix = _between(_PRIMARIES[primaries], _BT709).T
    if transfer == _SRGB:
        return _srgb_code(_srgb_light(values) @ matrix)
    return _bt1886_code(values**2.4 @ matrix)


def _through(values: Values, profile: Profile) -> Values:
    light = np.stack([profile.light(values[:, index], index) for index in range(3)], -1)
    matrix = np.linalg.inv(_SRGB_D50) @ np.array(profile.matrix)
    return _srgb_code(light @ matrix.T)


def _like_srgb(profile: Profile) -> bool:
    """Whether the profile would change no value by more than two of 255."""
    steps = np.linspace(0, 1, 9)
    grid = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3)
    return bool(np.abs(_through(grid, profile) - grid).max() < 2.5 / 255)


def _pq(values: Values) -> Values:
    """Return the light of PQ relative to diffuse white (ITU-R BT.2100, table 4)."""
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    root = values ** (1 / m2)
    return (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10000 / _WHITE_CD_M2


def _hlg(values: Values) -> Values:
    """Return the light of HLG relative to diffuse white, system gamma 1.2 (BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    luma = np.maximum(scene @ np.array(_LUMA_2020), 1e-9)
    return np.asarray(scene * luma[:, None] ** 0.2 * _PEAK_CD_M2 / _WHITE_CD_M2)


def _rolled_off(light: Values) -> Values:
    """Compress light up to the peak into 1: a Möbius curve on the largest channel above a knee."""
    peak = _PEAK_CD_M2 / _WHITE_CD_M2
    largest = np.clip(light.max(-1), 1e-9, peak)
    a = -(_KNEE**2) * (peak - 1) / (_KNEE**2 - 2 * _KNEE + peak)
    b = (_KNEE**2 - 2 * _KNEE * peak + peak) / (peak - 1)
    rolled = (b**2 + 2 * b * _KNEE + _KNEE**2) / (b - a) * (largest + a) / (largest + b)
    scale = np.where(largest > _KNEE, rolled, largest) / largest
    return np.asarray(np.minimum(light, peak) * scale[:, None])


def _bt1886_code(light: Values) -> Values:
    return np.clip(light, 0, 1) ** (1 / 2.4)


def _srgb_light(values: Values) -> Values:
    """IEC 61966-2-1, section 5.2."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _srgb_code(light: Values) -> Values:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def _between(before: Primaries, after: Primaries) -> Values:
    """Return the matrix from linear R, G, B of one set of primaries to those of another."""
    return np.linalg.inv(_to_xyz(after)) @ _to_xyz(before)


def _to_xyz(primaries: Primaries) -> Values:
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    x, y = _D65
    white = np.array([x / y, 1, (1 - x - y) / y])
    return np.asarray(columns * np.linalg.solve(columns, white))
