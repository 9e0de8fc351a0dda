"""Convert the colours of any picture to BT.709 in limited range, 8 bit 4:2:0, at a given size.

Code points are those of ITU-T H.273.  An unlabelled picture is interpreted as players do it:
BT.601 up to 576 lines, BT.709 above.  High dynamic range, wide gamuts and photos with a
colour profile go through a table (``lut``).
"""

from pipeline.ffmpeg.graph import Video
from pipeline.media.encode import BT709
from pipeline.media.probe import Picture

_UNSPECIFIED = 2
_SD_LINES = 576
_MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020",
    10: "bt2020",
}
_EXACT = "bicubic+accurate_rnd+full_chroma_int"


def scaled(stream: Video, picture: Picture, width: int, height: int) -> Video:
    """Scale *stream* to *width* × *height* in BT.709; transparent pictures are ``on_white``."""
    labels = {} if picture.rgb or picture.alpha else _labels(picture)
    target = {"out_color_matrix": "bt709", "out_range": "tv"}
    if picture.table is None:
        stream = stream.filter("scale", width, height, flags=_EXACT, **target, **labels)
    else:
        stream = (
            stream.filter("scale", width, height, flags=_EXACT, out_range="pc", **labels)
            .filter("format", "gbrp12le" if picture.depth > 8 else "gbrp")
            .filter("lut3d", str(picture.table), interp="tetrahedral")
            .filter("scale", flags=_EXACT, **target)
        )
    return stream.filter("format", "yuv420p").filter("setparams", **BT709).filter("setsar", 1)


def _labels(picture: Picture) -> dict[str, str]:
    matrix = picture.matrix if picture.matrix in _MATRICES else _UNSPECIFIED
    if matrix == _UNSPECIFIED:
        matrix = 9 if picture.hdr else 6 if picture.height <= _SD_LINES else 1
    return {"in_color_matrix": _MATRICES[matrix], "in_range": "pc" if picture.full_range else "tv"}


def on_white(stream: Video) -> Video:
    """Lay a transparent picture on white: negate it, multiply it with its alpha, negate it back."""
    return (
        stream.filter("format", "gbrap")
        .filter("negate")
        .filter("premultiply", inplace=1)
        .filter("format", "gbrp")
        .filter("negate")
    )
