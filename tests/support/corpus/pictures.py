"""Kinds of photos and animations: how each is made, its names, and the decoder that is right.

No row is compared with what FFmpeg makes of its file.  Where the colours are of a kind that the
other decoders do not convert, the picture that was painted is right.
"""

from __future__ import annotations

import numpy as np

from support.corpus.kinds import LIMIT, Make, PictureKind, Read
from support.corpus.makers import (
    BT709,
    BT2020,
    DISPLAY_P3,
    associated,
    burst,
    coded,
    derived,
    first,
    gray16,
    holed,
    moving,
    opaque,
    packed_again,
    painted,
    patches,
    pillow,
    planes,
    pq,
    saved,
    sized,
    soft,
    srgb,
    tiff,
    turned,
    ycck,
)

_AV1 = ("-c:v", "libaom-av1", "-still-picture", "1", "-cpu-used", "8", "-crf", "4")
_RAW = patches().tobytes()


def _labelled(primaries: str, transfer: str, matrix: str) -> str:
    labels = f"color_primaries={primaries}:color_trc={transfer}:colorspace={matrix}:range=pc"
    return f"setparams={labels}"


def _row(
    name: str,
    make: Make,
    *,
    codec: str = "",
    container: str = "",
    read: Read = pillow,
    limit: float = LIMIT,
) -> PictureKind:
    """A row whose names follow from the ending of the file's name."""
    ending = name.rpartition(".")[2]
    usual = _NAMES[ending]
    return PictureKind(name, make, container or usual[0], codec or usual[1], read, limit)


def _played(row: PictureKind) -> PictureKind:
    return PictureKind(row.name, row.make, row.container, row.codec, row.read, seconds=0.6)


def _refused(name: str, make: Make) -> PictureKind:
    return PictureKind(name, make, "", "", pillow, reason="unsupported")


_NAMES = {
    "png": ("png", "png"),
    "jpg": ("jpeg", "jpeg"),
    "webp": ("webp", "webp"),
    "gif": ("gif", "gif"),
    "bmp": ("bmp", "bmp"),
    "tif": ("tiff", "tiff"),
    "heic": ("heif", "hevc"),
    "avif": ("avif", "av1"),
    "jxl": ("jpegxl", "jpegxl"),
}
_BEST = {"quality": 95}
_P3_PQ = ("smpte432", "smpte2084", "chroma-derived-nc")

PICTURES: tuple[PictureKind, ...] = (
    _row("rgb.png", saved(opaque)),
    _row("transparent.png", saved(soft)),
    _row("palette.png", saved(opaque, "P")).now(),
    _row("palette-with-a-hole.png", saved(lambda: holed().quantize(64))),
    _row("one-colour-transparent.png", saved(opaque, transparency=(1, 2, 3))),
    _row("gray.png", saved(opaque, "L")),
    _row("gray-transparent.png", saved(soft, "LA")).now(),
    _row("gray-16.png", saved(gray16)),
    _row("rgb-16.png", coded("-pix_fmt", "rgb48be")),
    _row("transparent-16.png", coded("-pix_fmt", "rgba64be", source=soft)),
    _row("one-bit.png", saved(opaque, "1")),
    _row("colour.jpg", saved(opaque, **_BEST)).now(),
    _row("colour-444.jpg", saved(opaque, subsampling=0, **_BEST)),
    _row("colour-422.jpg", saved(opaque, subsampling=1, **_BEST)),
    _row("progressive.jpg", saved(opaque, progressive=True, **_BEST)),
    _row("restarts.jpg", saved(opaque, restart_marker_rows=1, **_BEST)),
    _row("gray.jpg", saved(opaque, "L", **_BEST)),
    _row("rgb.jpg", saved(opaque, keep_rgb=True, **_BEST)),
    _row("cmyk.jpg", saved(opaque, "CMYK", **_BEST)),
    _row("ycck.jpg", ycck).now(),
    _row("colour.webp", saved(opaque, **_BEST)),
    _row("lossless.webp", saved(opaque, lossless=True)),
    _row("transparent.webp", saved(soft, exact=True, **_BEST)),
    _row("lossless-transparent.webp", saved(soft, lossless=True, exact=True)),
    _row("colour.gif", saved(opaque)),
    _row("hole.gif", saved(holed)),
    _row("colour.bmp", saved(opaque)),
    _row("palette.bmp", saved(opaque, "P")),
    _row("gray.bmp", saved(opaque, "L")),
    _row("one-bit.bmp", saved(opaque, "1")),
    _row("transparent.bmp", coded("-pix_fmt", "bgra", source=soft), read=painted(soft)),
    _row("colour.tif", saved(opaque)),
    *(
        _row(f"{packing}.tif", saved(opaque, compression=packing))
        for packing in ("tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits")
    ),
    *(
        _row(f"{packing}.tif", saved(opaque, "1", compression=packing))
        for packing in ("group3", "group4")
    ),
    _row("transparent.tif", saved(soft)),
    _row("associated.tif", associated, read=painted(soft)).now(),
    _row("palette.tif", saved(opaque, "P")),
    _row("gray.tif", saved(opaque, "L")),
    _row("gray-16.tif", saved(gray16)),
    _row("cmyk.tif", saved(opaque, "CMYK")),
    _row("rgb-16.tif", coded("-pix_fmt", "rgb48le"), read=painted()),
    _row("ycbcr.tif", coded("-pix_fmt", "yuv444p"), read=painted()),
    _row(
        "a-channel-that-is-not-transparency.tif",
        tiff((8,) * 4, np.dstack([patches(), patches()[..., :1] // 2]).tobytes(), (338, 0)),
        read=painted(),
    ).now(),
    _refused("jpeg.tif", saved(opaque, compression="jpeg")),
    _refused("lab.tif", saved(opaque, "LAB")),
    _refused("big.tif", saved(opaque, big_tiff=True)).now(),
    _refused("tiles.tif", tiff((8,) * 3, _RAW, (322, 160), (323, 96))),
    _refused("rgb-32.tif", tiff((32,) * 3, _RAW * 4)).now(),
    _refused("cmyk-16.tif", tiff((16,) * 4, _RAW * 3, (262, 5))),
    _refused("half-float.tif", tiff((16,) * 3, _RAW * 2, (339, 3))),
    *(_row(f"turned-{n}.jpg", turned(n, **_BEST)) for n in range(2, 9)),
    *(_row(f"turned-{n}.webp", turned(n, **_BEST)) for n in (2, 5, 6, 7)),
    *(_row(f"turned-{n}.png", turned(n)) for n in (3, 6)),
    *(_row(f"turned-{n}.tif", turned(n)) for n in (4, 8)),
    *(_row(f"turned-{n}.avif", turned(n, **_BEST)) for n in (5, 6, 7)),
    *(_row(f"turned-{n}.heic", turned(n, **_BEST)) for n in (2, 3)),
    _row("colour.heic", saved(opaque, **_BEST)).now(),
    _row("colour-444.heic", saved(opaque, chroma=444, **_BEST)),
    _row("limited.heic", saved(opaque, full_range_flag=0, **_BEST)),
    _row("bt709.heic", saved(opaque, matrix_coefficients=1, **_BEST)),
    _row("bt2020-matrix.heic", saved(opaque, matrix_coefficients=9, **_BEST)),
    _row("gbr.heic", saved(opaque, matrix_coefficients=0, chroma=444, **_BEST)),
    _row("ycgco.heic", saved(opaque, matrix_coefficients=8, chroma=444, **_BEST)).now(),
    _row("gray.heic", saved(opaque, "L", **_BEST)),
    _row("transparent.heic", saved(soft, **_BEST)),
    _row("gray-transparent.heic", saved(soft, "LA", **_BEST)),
    _row("tiles.heic", saved(opaque, tile_size=64, **_BEST)).now(),
    _row("tiles-transparent.heic", saved(soft, tile_size=64, **_BEST)).now(),
    _row("burst.heic", burst, read=first).now(),
    _row("colour.avif", saved(opaque, **_BEST)),
    _row("colour-444.avif", saved(opaque, subsampling="4:4:4", **_BEST)),
    _row("colour-422.avif", saved(opaque, subsampling="4:2:2", **_BEST)),
    _row("limited.avif", saved(opaque, range="limited", **_BEST)),
    _row("gray.avif", saved(opaque, subsampling="4:0:0", **_BEST)),
    _row("gray-limited.avif", saved(opaque, subsampling="4:0:0", range="limited", **_BEST)).now(),
    _row("transparent.avif", saved(soft, **_BEST)),
    _row("limited-transparent.avif", saved(soft, range="limited", **_BEST)),
    _row("multiplied.avif", saved(soft, alpha_premultiplied=True, **_BEST)).now(),
    _row("colour-10.avif", coded(*_AV1, "-pix_fmt", "yuv420p10le")),
    _row(
        "p3-pq-derived.avif",
        planes(lambda: derived(DISPLAY_P3, pq), "yuv444p10le", "-vf", _labelled(*_P3_PQ), *_AV1),
        read=painted(),
    ).now(),
    _row(
        "p3-derived.avif",
        planes(
            lambda: derived(DISPLAY_P3, srgb),
            "yuv444p10le",
            "-vf",
            _labelled("smpte432", "iec61966-2-1", "chroma-derived-nc"),
            *_AV1,
        ),
        read=painted(),
    ),
    _row(
        "bt2020-derived.avif",
        planes(
            lambda: derived(BT2020, pq),
            "yuv444p10le",
            "-vf",
            _labelled("bt2020", "smpte2084", "chroma-derived-nc"),
            *_AV1,
        ),
        read=painted(),
    ),
    _row(
        "bt709-derived.avif",
        planes(
            lambda: derived(BT709, srgb),
            "yuv444p10le",
            "-vf",
            _labelled("bt709", "iec61966-2-1", "chroma-derived-nc"),
            *_AV1,
        ),
        read=painted(),
    ),
    _row("colour.jxl", saved(opaque)).now(),
    _row("lossless.jxl", saved(opaque, lossless=True)),
    _row("boxes.jxl", saved(opaque, use_container=True)),
    _row("gray.jxl", saved(opaque, "L", lossless=True)),
    _row("transparent.jxl", saved(soft, lossless=True)).now(),
    _row("gray-transparent.jxl", saved(soft, "LA", lossless=True)),
    _row("jpeg.jxl", packed_again).now(),
    _row(
        "rgb-16.jxl", coded("-pix_fmt", "rgb48le", "-c:v", "libjxl", "-f", "image2"), read=painted()
    ),
    *(
        _row(f"{width}x{height}.jxl", saved(sized(width, height)))
        for width, height in ((320, 180), (257, 145), (1920, 1080))
    ),
    _played(_row("animation.png", moving(opaque, "RGB"), codec="apng")),
    _played(_row("transparent-animation.png", moving(soft, "RGBA"), codec="apng")).now(),
    _played(_row("animation.gif", moving(opaque, "RGB"))),
    _played(_row("animation-with-a-hole.gif", moving(holed, "RGBA", disposal=2))),
    _played(_row("animation.webp", moving(opaque, "RGB", **_BEST))),
    _played(_row("transparent-animation.webp", moving(soft, "RGBA", lossless=True, exact=True))),
    *(
        _played(
            _row(f"{name}.avif", moving(source, mode, **_BEST, **more), container="avif sequence")
        )
        for name, source, mode, more in (
            ("animation", opaque, "RGB", {}),
            ("gray-animation", opaque, "L", {}),
            ("transparent-animation", soft, "RGBA", {}),
            ("limited-animation", soft, "RGBA", {"range": "limited"}),
        )
    ),
)
