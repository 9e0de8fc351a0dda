"""Makes the sample's files: films of the scenes with sound, photos with EXIF, all our own.

Pictures are drawn here and given to FFmpeg as raw frames; the sounds are FFmpeg's own
(noise for water, sines for melodies and drums).  The same FFmpeg makes the same bytes.
"""

from __future__ import annotations

import io
import subprocess
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from pipeline.ffmpeg.runner import program
from support.demo_sample import LATITUDE, LONGITUDE

from . import heic, photos, scenes

_ISO6709 = f"-{LATITUDE}-{LONGITUDE}/"
_APPLE_PLACE = f"com.apple.quicktime.location.ISO6709=-{LATITUDE}-{LONGITUDE}+000.000/"

_WATER = "anoisesrc=color=pink:seed={seed}:amplitude={loud}:sample_rate=48000,lowpass=f=1400"
_MELODY = (
    "aevalsrc='{loud}*exp(-5*mod(t,0.5))*sin(2*PI*t*{base}*pow(2,"
    "(4*mod(floor(t*2)*5,3)+3*mod(floor(t*2),2))/12))':s=48000"
)
_DRUMS = (
    "aevalsrc='0.9*exp(-14*mod(t,0.5))*sin(2*PI*70*mod(t,0.5))"
    "+0.35*exp(-40*mod(t+0.25,0.25))*sin(2*PI*2100*t)"
    "+0.3*sin(2*PI*t*220*pow(2,floor(mod(t*4,5))*2/12))':s=48000"
)
_MIX = "[1:a][2:a]amix=inputs=2:normalize=0,aformat=channel_layouts=stereo[sound]"

_BITEXACT = ("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact")


@dataclass(frozen=True)
class SampleFilm:
    """A film to make.

    ``size`` is of the upright picture, ``fps`` exact, ``sounds`` are two sources for lavfi or
    none.  ``turned`` stores it lying on its side, ``uneven`` at a variable rate, ``old_place``
    adds a ``©xyz`` to what ``extra`` (options of FFmpeg) plants.
    """

    name: str
    scene: Callable[[int, int], scenes.Scene]
    size: tuple[int, int]
    fps: Fraction
    seconds: float
    sounds: tuple[str, ...]
    turned: bool = False
    uneven: bool = False
    old_place: bool = False
    extra: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """How many pictures are drawn; an uneven film leaves some of them out."""
        return round(self.seconds * self.fps)


def _water(seed: int, loud: float) -> str:
    return _WATER.format(seed=seed, loud=loud)


def _melody(base: int, loud: float) -> str:
    return _MELODY.format(base=base, loud=loud)


_APPLE = ("-movflags", "use_metadata_tags", "-metadata", _APPLE_PLACE,
          "-metadata", "com.apple.quicktime.make=Example",
          "-metadata", "com.apple.quicktime.model=Riverphone 3")  # fmt: skip

FILMS = (
    SampleFilm("morning.mp4", scenes.dawn, (1280, 720), Fraction(30000, 1001), 4.0,
         (_water(1, 0.12), _melody(392, 0.25)),
         old_place=True, extra=(*_APPLE, "-metadata", f"location={_ISO6709}")),
    SampleFilm("balloon.mov", scenes.balloon, (540, 960), Fraction(30), 4.0,
         (_water(2, 0.1), _melody(330, 0.2)), turned=True, extra=_APPLE),
    SampleFilm("lanterns.mp4", scenes.lanterns, (854, 480), Fraction(25), 4.0, ()),
    SampleFilm("below.webm", scenes.below, (640, 360), Fraction(24), 4.0,
         (_water(3, 0.3), _melody(147, 0.2))),
    SampleFilm("mill.mov", scenes.mill, (640, 480), Fraction(25), 4.0,
         (_water(4, 0.08), _melody(262, 0.06)), extra=("-metadata", f"location={_ISO6709}")),
    SampleFilm("parade.mp4", scenes.parade, (960, 540), Fraction(30), 4.0,
         (_water(5, 0.1), _DRUMS), uneven=True),
    SampleFilm("rain.mp4", scenes.rain, (640, 360), Fraction(25), 3.0,
         (_water(6, 0.5), _melody(196, 0.1))),
)  # fmt: skip


def make(folder: Path) -> None:
    """Write all files of the sample into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        for film in FILMS:
            (folder / film.name).write_bytes(encode(film, Path(scratch)))
        for name, data in stills(Path(scratch)).items():
            (folder / name).write_bytes(data)


def stills(scratch: Path) -> dict[str, bytes]:
    """All photos, and the zip of two of them."""
    # orientation 6: the camera was held upright, the picture is stored lying on its left side
    signs = photos.signs().transpose(Image.Transpose.ROTATE_90)
    cleanup = {
        "clean-up/volunteers.jpg": _jpeg(photos.cleanup(), _exif(orientation=1)),
        "clean-up/paper boats.jpg": _jpeg(photos.paper_boats()),
    }
    return {
        "signs.jpg": _jpeg(signs, _exif(orientation=6)),
        "heron.heic": _heic(photos.heron(), scratch),
        "meander.png": _png(photos.meander()),
        "bridge.jpg": _jpeg(photos.old_bridge()),
        "logo.png": _png(photos.logo()),
        "cleanup.zip": _zip(cleanup),
    }


def encode(film: SampleFilm, scratch: Path) -> bytes:
    """The file of a film."""
    width, height = film.size
    size = f"{height}x{width}" if film.turned else f"{width}x{height}"
    target = scratch / film.name
    arguments = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-framerate", str(film.fps),
                 "-i", "pipe:0"]  # fmt: skip
    for sound in film.sounds:
        arguments += ["-f", "lavfi", "-t", str(film.seconds), "-i", sound]
    if film.sounds:
        arguments += ["-filter_complex", _MIX, "-map", "0:v", "-map", "[sound]"]
    else:
        arguments += ["-an"]
    if film.uneven:
        # phones slow down when light is short: the second half has every other picture
        arguments += ["-vf", "select='lt(t,2)+not(mod(n,2))'", "-fps_mode", "vfr"]
    arguments += [*_codecs(target.suffix), *film.extra, *_BITEXACT, str(target)]
    _ffmpeg(arguments, frames(film))
    if film.turned:
        upright = scratch / f"turned-{film.name}"
        # stored a quarter to the left, shown with a matrix that turns it back, as phones do
        _ffmpeg(["-display_rotation", "-90", "-i", str(target), "-map", "0", "-c", "copy",
                 "-map_metadata", "-1", *film.extra, "-fflags", "+bitexact",
                 str(upright)])  # fmt: skip
        return upright.read_bytes()
    made = target.read_bytes()
    return heic.with_xyz(made, _ISO6709) if film.old_place else made


def frames(film: SampleFilm) -> Iterator[bytes]:
    """The pictures of a film as they are stored, RGB of 8 bit."""
    scene = film.scene(*film.size)
    for index in range(film.frames):
        picture = scene(float(index / film.fps))
        if film.turned:
            picture = picture.swapaxes(0, 1)[::-1]
        yield picture.tobytes()


def _codecs(suffix: str) -> list[str]:
    if suffix == ".webm":
        return ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "7", "-b:v", "900k",
                "-pix_fmt", "yuv420p", "-threads", "1", "-c:a", "libopus",
                "-b:a", "96k"]  # fmt: skip
    return ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p",
            "-threads", "1", "-c:a", "aac", "-b:a", "96k"]  # fmt: skip


def _ffmpeg(arguments: list[str], pictures: Iterable[bytes] = ()) -> None:
    command = [program(), "-v", "error", "-nostdin", "-y", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for picture in pictures:
            process.stdin.write(picture)
        process.stdin.close()
        assert process.wait() == 0


def _exif(orientation: int) -> bytes:
    """EXIF with a device, a time and the place (Exif 3.0, section 4.6), as a JPEG carries it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Example", "Riverphone 3"
    exif[0x0112] = orientation
    exif[0x0132] = "2026:09:01 07:12:00"
    position = exif.get_ifd(0x8825)
    position[1], position[2] = "S", _degrees(LATITUDE)
    position[3], position[4] = "W", _degrees(LONGITUDE)
    return exif.tobytes()


def _degrees(decimal: str) -> tuple[float, float, float]:
    """Degrees, minutes and seconds of a decimal number."""
    minutes, seconds = divmod(Fraction(decimal) * 3600, 60)
    return float(minutes // 60), float(minutes % 60), float(seconds)


def _jpeg(image: Image.Image, exif: bytes = b"") -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85, exif=exif)
    return file.getvalue()


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _heic(image: Image.Image, scratch: Path) -> bytes:
    target = scratch / "heron.mp4"
    _ffmpeg(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{image.width}x{image.height}",
             "-i", "pipe:0", "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
             "-frames:v", "1", "-c:v", "libx265", "-preset", "veryfast", "-crf", "20",
             "-x265-params", "log-level=none:pools=none:frame-threads=1:info=0",
             "-tag:v", "hvc1", "-fflags", "+bitexact", "-flags:v", "+bitexact", str(target)],
            [image.tobytes()])  # fmt: skip
    exif = _exif(orientation=1).removeprefix(b"Exif\0\0")
    return heic.heic(target.read_bytes(), image.width, image.height, exif)


def _zip(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 9, 1, 12, 0, 0)), data)
    return file.getvalue()
