"""The smallest file of each format, made by FFmpeg, with nothing in it but picture and sound."""

from __future__ import annotations

import io
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import imageio_ffmpeg
from PIL import Image

_CLEAN: tuple[str, ...] = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact")
_CLEAN += ("-flags:v", "+bitexact", "-flags:a", "+bitexact", "-threads", "1")
_X264: tuple[str, ...] = (
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "5",
)
_X264 += ("-bsf:v", "filter_units=remove_types=6")
_STILL = ("-map", "0:v", "-frames:v", "1", "-update", "1")
_FILM = ("-map", "0:v", "-map", "1:a")

_OUTPUTS: dict[str, tuple[str, ...]] = {
    "still.jpg": (*_STILL, "-pix_fmt", "yuvj420p", "-q:v", "5"),
    "still.png": (*_STILL, "-pix_fmt", "rgb24"),
    "still.bmp": _STILL,
    "still.webp": (*_STILL, "-c:v", "libwebp"),
    "still.gif": ("-map", "0:v", "-frames:v", "3"),
    "moving.png": ("-map", "0:v", "-frames:v", "2", "-f", "apng"),
    "film.h264": ("-map", "0:v", *_X264, "-f", "h264"),
    "film.hevc": (
        *("-map", "0:v", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params"),
        *("log-level=none:info=0:bframes=0:pools=none:frame-threads=1", "-f", "hevc"),
    ),
    "film.mp4": (*_FILM, *_X264, "-c:a", "aac", "-b:a", "24k"),
    "film.mov": (*_FILM, *_X264, "-c:a", "aac", "-b:a", "24k", "-f", "mov"),
    "film.mkv": (*_FILM, *_X264, "-c:a", "aac", "-b:a", "24k"),
    "film.webm": ("-map", "0:v", "-c:v", "libvpx", "-b:v", "60k", "-cpu-used", "8"),
    "film.avi": (*_FILM, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_s16le"),
    "film.ts": (*_FILM, *_X264, "-c:a", "mp2", "-b:a", "32k"),
    "film.flv": ("-map", "0:v", *_X264),
    "film.asf": ("-map", "0:v", "-c:v", "wmv2"),
    "film.ogv": ("-map", "0:v", "-c:v", "libtheora"),
    "film.mpg": ("-map", "0:v", "-c:v", "mpeg2video", "-f", "mpeg"),
}


def ffmpeg(*arguments: str | Path, give: bytes | None = None) -> bytes:
    """Run FFmpeg; returns what it writes to standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y", *arguments]
    return subprocess.run(
        [str(word) for word in command if give is None or word != "-nostdin"],
        input=give,
        check=True,
        capture_output=True,
    ).stdout


@cache
def bases() -> dict[str, bytes]:
    """The bytes of each base by its name."""
    with TemporaryDirectory() as folder:
        command: list[str | Path] = []
        for source in ("testsrc2=s=64x48:r=25:d=0.4", "sine=f=440:r=44100:d=0.4"):
            command += ["-f", "lavfi", "-i", source]
        for name, options in _OUTPUTS.items():
            command += [*options, *_CLEAN, Path(folder) / name]
        ffmpeg(*command)
        made = {name: (Path(folder) / name).read_bytes() for name in _OUTPUTS}
    picture = Image.open(io.BytesIO(made["still.png"])).convert("RGB")
    for name, form in (("still.tiff", "TIFF"), ("still.avif", "AVIF")):
        file = io.BytesIO()
        picture.save(file, form)
        made[name] = file.getvalue()
    return made


def avif(**metadata: bytes) -> bytes:
    """The AVIF still with the metadata that Pillow can write (exif, xmp)."""
    file = io.BytesIO()
    Image.open(io.BytesIO(bases()["still.png"])).convert("RGB").save(file, "AVIF", **metadata)
    return file.getvalue()


def remux(stream: bytes, container: str, *options: str, codec: str = "h264") -> bytes:
    """A byte stream copied into *container* ("mp4", "matroska", "mpegts")."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "film"
        ffmpeg(
            *("-f", codec, "-framerate", "25", "-i", "pipe:0", "-c", "copy", *_CLEAN),
            *options,
            *("-f", container),
            target,
            give=stream,
        )
        return target.read_bytes()
