"""Any picture's colours as BT.709 in limited range, 8 bit 4:2:0, at the size wanted.

Code points are those of ITU-T H.273.  An unlabelled picture is taken as players take it:
BT.601 up to 576 lines, BT.709 above.  High dynamic range (PQ, HLG) is mapped in linear light
with diffuse white at 203 cd/m² (ITU-R BT.2408).
"""

from __future__ import annotations

from typing import Any

from pipeline.media.probe import Picture

_UNSPECIFIED = 2
_BT709 = {
    "range": "tv",
    "colorspace": "bt709",
    "color_primaries": "bt709",
    "color_trc": "bt709",
}
_SD_LINES = 576
_MATRICES = {1: "709", 5: "470bg", 6: "170m", 7: "240m", 9: "2020_ncl", 10: "2020_cl"}
_SCALE_MATRICES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020"}
_PRIMARIES = {9: "2020", 11: "smpte431", 12: "smpte432"}  # wider than BT.709: converted
_TRANSFERS = {16: "smpte2084", 18: "arib-std-b67", 13: "iec61966-2-1"}
_WHITE_CD_M2 = 203


def scaled(stream: Any, picture: Picture, width: int, height: int) -> Any:
    """*stream* at *width* × *height*, flattened, in BT.709."""
    if picture.alpha:
        stream = _on_white(stream)
    if picture.hdr or picture.primaries in _PRIMARIES:
        stream = _wide(stream, picture, width, height)
    else:
        options = {} if picture.rgb or picture.alpha else _labels(picture)
        stream = stream.filter(
            "scale",
            width,
            height,
            flags="bicubic+accurate_rnd+full_chroma_int",
            out_color_matrix="bt709",
            out_range="tv",
            **options,
        )
    return stream.filter("format", "yuv420p").filter("setparams", **_BT709).filter("setsar", 1)


def _labels(picture: Picture) -> dict[str, str]:
    matrix = picture.matrix if picture.matrix in _SCALE_MATRICES else _UNSPECIFIED
    if matrix == _UNSPECIFIED:
        matrix = 6 if picture.height <= _SD_LINES else 1
    return {
        "in_color_matrix": _SCALE_MATRICES[matrix],
        "in_range": "pc" if picture.full_range else "tv",
    }


def _wide(stream: Any, picture: Picture, width: int, height: int) -> Any:
    """Wide gamut and high dynamic range, through linear light."""
    transfer = _TRANSFERS.get(picture.transfer, "709")
    matrix = _MATRICES.get(picture.matrix, "2020_ncl" if picture.hdr else "170m")
    stream = stream.filter(
        "zscale",
        width,
        height,
        filter="bicubic",
        tin=transfer,
        pin=_PRIMARIES.get(picture.primaries, "2020" if picture.hdr else "709"),
        min="gbr" if picture.rgb else matrix,
        rin="full" if picture.full_range else "limited",
        t="linear",
        npl=_WHITE_CD_M2,
    ).filter("format", "gbrpf32le")
    stream = stream.filter("zscale", p="709")
    if picture.hdr:
        stream = stream.filter("tonemap", "mobius", param=0.9, desat=0)
    return stream.filter("zscale", t="709", m="709", r="limited")


def _on_white(stream: Any) -> Any:
    """Transparency over white: negated, multiplied with alpha over black, negated back."""
    return (
        stream.filter("format", "gbrap")
        .filter("negate")
        .filter("premultiply", inplace=1)
        .filter("format", "gbrp")
        .filter("negate")
    )
