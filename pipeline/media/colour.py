"""Convert the colours of any picture to BT.709 in limited range, 8 bit 4:2:0, at a given size.

Code points are those of ITU-T H.273.  An unlabelled picture is interpreted as players do it:
BT.601 up to 576 lines, BT.709 above.  High dynamic range, wide gamuts and photos with a
colour profile go through a table (``lut``).
"""

from dataclasses import replace

from pipeline.ffmpeg.graph import Video
from pipeline.media.encode import BT709
from pipeline.media.probed import Picture

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
_OTHERS = {8: "ycgco", 14: "ictcp"}
# By primaries, the matrix with the nearest coefficients (H.273, 8.3, chromaticity-derived).
_DERIVED = {4: 6, 6: 7, 7: 7, 9: 9}
_TAGS = {"bt2020": "bt2020nc"}  # setparams has another name for it than scale
_EXACT = "bicubic+accurate_rnd+full_chroma_int"


def scaled(stream: Video, picture: Picture, width: int | str, height: int | str) -> Video:
    """Scale *stream* to *width* × *height* in BT.709; transparent pictures are ``on_white``.

    A size may be an expression of FFmpeg, which is evaluated for each picture.  Such pictures come
    as ``overlay`` takes them, with transparency: where FFmpeg has to add it, it scales them to the
    first size.
    """
    labels = {} if picture.rgb or picture.gray or picture.alpha else _labels(picture)
    target = {"out_color_matrix": "bt709", "out_range": "tv"}
    if isinstance(width, str):
        labels |= {"eval": "frame"}
    if picture.table is None:
        stream = stream.filter("scale", width, height, flags=_EXACT, **target, **labels)
    else:
        stream = (
            stream.filter("scale", width, height, flags=_EXACT, out_range="pc", **labels)
            .filter("format", "gbrp12le" if picture.depth > 8 else "gbrp")
            .filter("lut3d", str(picture.table), interp="tetrahedral")
            .filter("scale", flags=_EXACT, **target)
        )
    pixels = "yuva420p" if isinstance(width, str) else "yuv420p"
    return stream.filter("format", pixels).filter("setparams", **BT709).filter("setsar", 1)


def understood(stream: Video, picture: Picture) -> tuple[Video, Picture]:
    """Convert colours that FFmpeg's ``scale`` misreads or refuses to those that it knows.

    YCgCo and ICtCp have no matrix there, and gray in limited range is taken for full range.  A
    matrix that is derived from the primaries is read as the nearest that ``scale`` has.

    :returns: the stream, and the picture as it is now.
    """
    if picture.gray:
        if picture.full_range:
            return stream, picture
        stream = stream.filter("zscale", rangein="limited", range="full")
        return stream, replace(picture, full_range=True)
    if picture.rgb or picture.matrix in (_UNSPECIFIED, *_MATRICES):
        return stream, picture
    if picture.matrix in _OTHERS:
        # zscale refuses halves of a chroma sample
        even = picture.width // 2 * 2, picture.height // 2 * 2
        if even != (picture.width, picture.height):
            stream = stream.filter("crop", *even)
        matrix = {"matrixin": _OTHERS[picture.matrix], "matrix": "gbr"}
        span = {"rangein": "full" if picture.full_range else "limited", "range": "full"}
        stream = stream.filter("zscale", **matrix, **span)
        stream = stream.filter("format", "gbrp12le" if picture.depth > 8 else "gbrp")
        return stream, replace(picture, rgb=True, full_range=True, matrix=_UNSPECIFIED)
    matrix_of = _DERIVED.get(picture.primaries, 1) if picture.matrix in (12, 13) else _UNSPECIFIED
    known = replace(picture, matrix=matrix_of)
    name = _labels(known)["in_color_matrix"]
    return stream.filter("setparams", colorspace=_TAGS.get(name, name)), known


def _labels(picture: Picture) -> dict[str, str]:
    matrix = picture.matrix if picture.matrix in _MATRICES else _UNSPECIFIED
    if matrix == _UNSPECIFIED:
        matrix = 9 if picture.hdr else 6 if picture.height <= _SD_LINES else 1
    return {"in_color_matrix": _MATRICES[matrix], "in_range": "pc" if picture.full_range else "tv"}


def on_white(stream: Video, *, multiplied: bool = False) -> Video:
    """Lay a transparent picture on white: negate it, multiply it with its alpha, negate it back.

    :param multiplied: its colours are already multiplied with its alpha.
    """
    stream = stream.filter("format", "gbrap")
    if multiplied:
        stream = stream.filter("setparams", alpha_mode="premultiplied")
        stream = stream.filter("unpremultiply", inplace=1)
    return (
        stream.filter("negate")
        .filter("premultiply", inplace=1)
        .filter("format", "gbrp")
        .filter("negate")
        # a caption's transparency would make FFmpeg divide the picture by its alpha again
        .filter("setparams", alpha_mode="unspecified")
    )
