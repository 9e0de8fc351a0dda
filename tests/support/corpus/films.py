"""Kinds of films: codecs, depths, matrices and transparency, compared with what was painted."""

from __future__ import annotations

from support.corpus.kinds import PictureKind
from support.corpus.makers import Source, coded, opaque, painted, soft

_X264 = ("-c:v", "libx264", "-crf", "4")
_X265 = ("-c:v", "libx265", "-x265-params", "log-level=none:crf=4")
_VP9 = ("-c:v", "libvpx-vp9", "-crf", "4", "-b:v", "9M")
_AV1 = ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "8")
_BEST = ("-q:v", "1")
_CONTAINERS = {
    "mp4": "mp4",
    "mov": "quicktime",
    "mkv": "matroska",
    "webm": "webm",
    "avi": "avi",
    "mpg": "mpeg-ps",
    "ts": "mpeg-ts",
    "wmv": "asf",
    "flv": "flv",
    "ogv": "ogg",
}


def _container(name: str) -> str:
    return _CONTAINERS[name.rpartition(".")[2]]


def _film(name: str, codec: str, *arguments: str, source: Source = opaque) -> PictureKind:
    """Three pictures of 0.2 s."""
    make, read = coded(*arguments, source=source, count=3), painted(source, 3)
    return PictureKind(name, make, _container(name), codec, read, seconds=0.6)


def _lively(name: str, codec: str, *arguments: str) -> PictureKind:
    """Fifteen pictures, 25 a second: one that is late, early or missing is seen."""
    make, read = coded(*arguments, rate=25, count=15), painted(count=15)
    return PictureKind(name, make, _container(name), codec, read, seconds=0.6)


FILMS: tuple[PictureKind, ...] = (
    _lively("reordered.mp4", "h264", *_X264, "-bf", "2", "-pix_fmt", "yuv420p"),
    _lively("reordered.mkv", "h264", *_X264, "-bf", "2", "-pix_fmt", "yuv420p"),
    _lively("reordered.ts", "h264", *_X264, "-bf", "2", "-pix_fmt", "yuv420p"),
    _lively("reordered.avi", "h264", *_X264, "-bf", "2", "-pix_fmt", "yuv420p").now(),
    _lively("reordered-mpeg4.avi", "mpeg4", "-c:v", "mpeg4", "-bf", "2", *_BEST),
    _lively("reordered-hevc.mkv", "hevc", *_X265, "-pix_fmt", "yuv420p"),
    _lively("mpeg1.mpg", "mpeg1video", "-c:v", "mpeg1video", *_BEST),
    _lively("mpeg2.mpg", "mpeg2video", "-c:v", "mpeg2video", *_BEST).now(),
    _lively("mpeg2-422.ts", "mpeg2video", "-c:v", "mpeg2video", "-pix_fmt", "yuv422p", *_BEST),
    _lively("wmv1.wmv", "wmv1", "-c:v", "wmv1", *_BEST),
    _lively("wmv2.wmv", "wmv2", "-c:v", "wmv2", *_BEST),
    _film("h264-444.mkv", "h264", *_X264, "-pix_fmt", "yuv444p"),
    _film("h264-rgb.mkv", "h264", "-c:v", "libx264rgb", "-crf", "4"),
    _film("hevc-10.mp4", "hevc", *_X265, "-pix_fmt", "yuv420p10le").now(),
    _film("hevc-12.mkv", "hevc", *_X265, "-pix_fmt", "yuv444p12le"),
    _film("vp8.webm", "vp8", "-c:v", "libvpx", "-b:v", "9M", "-crf", "4"),
    _film(
        "vp8-transparent.webm",
        "vp8",
        *("-c:v", "libvpx", "-crf", "4", "-b:v", "9M", "-auto-alt-ref", "0"),
        *("-pix_fmt", "yuva420p"),
        source=soft,
    ),
    _film("vp9.webm", "vp9", *_VP9),
    _film("vp9-10.webm", "vp9", *_VP9, "-pix_fmt", "yuv420p10le"),
    _film("vp9-rgb.webm", "vp9", *_VP9, "-pix_fmt", "gbrp"),
    _film("vp9-transparent.webm", "vp9", *_VP9, "-pix_fmt", "yuva420p", source=soft).now(),
    _film("av1.mp4", "av1", *_AV1),
    _film("av1-10.mkv", "av1", *_AV1, "-pix_fmt", "yuv420p10le"),
    _film("av1-rgb.mkv", "av1", *_AV1, "-pix_fmt", "gbrp"),
    _film("vvc.mp4", "vvc", "-c:v", "libvvenc", "-qp", "4"),
    _film("mpeg4.avi", "mpeg4", "-c:v", "mpeg4", *_BEST),
    _film("xvid.avi", "mpeg4", "-c:v", "libxvid", *_BEST),
    _film("divx3.avi", "msmpeg4v3", "-c:v", "msmpeg4", *_BEST),
    _film("mjpeg.avi", "mjpeg", "-c:v", "mjpeg", *_BEST),
    _film("mjpeg-444.mov", "mjpeg", "-c:v", "mjpeg", "-pix_fmt", "yuvj444p", *_BEST),
    _film("flash.flv", "flv1", "-c:v", "flv1", *_BEST),
    _film("theora.ogv", "theora", "-c:v", "libtheora", "-q:v", "10"),
    _film("theora-444.ogv", "theora", "-c:v", "libtheora", "-q:v", "10", "-pix_fmt", "yuv444p"),
    _film("prores.mov", "prores", "-c:v", "prores_ks", "-profile:v", "3"),
    _film(
        "prores-transparent.mov",
        "prores",
        *("-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"),
        source=soft,
    ),
    _film("qtrle.mov", "qtrle", "-c:v", "qtrle"),
    _film("qtrle-transparent.mov", "qtrle", "-c:v", "qtrle", "-pix_fmt", "argb", source=soft),
    _film("png.mov", "png", "-c:v", "png", "-pix_fmt", "rgba", source=soft),
    _film("jpeg2000.mov", "jpeg2000", "-c:v", "jpeg2000"),
    _film("v210.mov", "v210", "-c:v", "v210", "-pix_fmt", "yuv422p10le"),
    _film("raw.avi", "rawvideo", "-c:v", "rawvideo", "-pix_fmt", "yuv420p"),
    _film("raw-rgb.avi", "rawvideo", "-c:v", "rawvideo", "-pix_fmt", "bgr24"),
    _film("huffyuv.avi", "huffyuv", "-c:v", "huffyuv", "-pix_fmt", "yuv422p"),
    _film("utvideo.avi", "utvideo", "-c:v", "utvideo", "-pix_fmt", "gbrap", source=soft),
    _film("ffv1.mkv", "ffv1", "-c:v", "ffv1", "-pix_fmt", "yuva420p", source=soft),
    _film("ffv1-10.mkv", "ffv1", "-c:v", "ffv1", "-pix_fmt", "gbrp10le"),
    _film("screen.avi", "zmbv", "-c:v", "zmbv"),
)
