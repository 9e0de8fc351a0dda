"""How the files of the corpus are made, and the decoders that they are compared with.

Pillow decodes with libjpeg-turbo, libpng, libtiff, libwebp and libavif, pillow-heif with libheif
and libde265, pillow-jxl with libjxl.
"""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401 - Pillow reads and writes JPEG XL by it
from PIL import Image, ImageOps

from pipeline.ffmpeg import runner
from support.clip_scene import Pixels
from support.corpus.kinds import HEIGHT, WIDTH, Make, Read, Values
from support.marked_pictures import STANDINGS

pillow_heif.register_heif_opener()

Source = Callable[[], Image.Image]
PATCHES = (
    *((235, 235, 235), (128, 128, 128), (60, 60, 60), (190, 60, 50), (60, 150, 70)),
    *((50, 70, 170), (220, 190, 40), (180, 90, 150), (200, 150, 125), (90, 130, 160)),
)
STEP = 32  # pixels that each picture of a film is moved on by
_UPRIGHT = ("HEIF", "JXL")  # formats whose orientation by EXIF does not count
# chromaticities of R, G, B (ITU-T H.273, table 2); white is D65
BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))


def patches() -> Pixels:
    """Five by two patches of 32 by 45 pixels, none like another, so a turn is seen."""
    rows = np.array(PATCHES, np.uint8).reshape(2, 5, 3)
    large: Pixels = rows.repeat(45, 0).repeat(32, 1)
    return large


def opaque() -> Image.Image:
    """The patches."""
    return Image.fromarray(patches())


def soft() -> Image.Image:
    """The patches, opaque at the left and transparent at the right."""
    alpha = np.tile(np.linspace(255, 0, WIDTH).astype(np.uint8), (HEIGHT, 1))
    return Image.fromarray(np.dstack([patches(), alpha]))


def multiplied() -> Image.Image:
    """The same, with colours that are already multiplied with the transparency."""
    picture = np.asarray(soft()).astype(float)
    colours = np.round(picture[..., :3] * picture[..., 3:] / 255)
    return Image.fromarray(np.dstack([colours, picture[..., 3]]).astype(np.uint8))


def holed() -> Image.Image:
    """The patches with a hole, for kinds that know no half transparency."""
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    alpha[15:45, 48:96] = 0
    return Image.fromarray(np.dstack([patches(), alpha]))


def gray16() -> Image.Image:
    """The patches in gray of 16 bits."""
    return Image.fromarray(np.asarray(opaque().convert("L")).astype(np.uint16) * 257)


def saved(source: Source, mode: str = "", /, **options: object) -> Make:
    """Save a picture with Pillow, in *mode*; the file's name says in what format."""

    def make(path: Path) -> None:
        image = source().convert(mode) if mode else source()
        image.save(path, **options)  # type: ignore[arg-type]  # any option of any format

    return make


def moving(source: Source, mode: str, /, **options: object) -> Make:
    """Save three pictures of 0.2 s with Pillow."""

    def make(path: Path) -> None:
        shown = np.asarray(source().convert(mode))
        frames = [Image.fromarray(np.roll(shown, STEP * n, 1)) for n in range(3)]
        more = {"save_all": True, "append_images": frames[1:], "duration": 200, **options}
        frames[0].save(path, **more)  # type: ignore[arg-type]  # any option of any format

    return make


def turned(orientation: int, /, **options: object) -> Make:
    """Save a picture as a camera does that was held in another way, with an orientation."""

    def make(path: Path) -> None:
        stored, _ = STANDINGS[orientation]
        exif = Image.Exif()
        exif[274] = orientation
        image = Image.fromarray(np.ascontiguousarray(stored(patches())))
        image.save(path, exif=exif.tobytes(), **options)  # type: ignore[arg-type]  # as in saved

    return make


def sized(width: int, height: int) -> Source:
    """The patches in another size."""
    return lambda: opaque().resize((width, height))


def burst(path: Path) -> None:
    """A HEIF file of three photos; the first one is shown."""
    photos = pillow_heif.from_pillow(opaque())
    for n in (1, 2):
        photos.add_from_pillow(Image.fromarray(np.roll(patches(), STEP * n, 1)))
    photos.save(path, quality=95)


def packed_again(path: Path) -> None:
    """A JPEG that was packed as JPEG XL without loss."""
    photo = path.with_suffix(".jpg")
    opaque().save(photo, quality=95)
    with Image.open(photo) as image:
        image.save(path, lossless_jpeg=True)


def ycck(path: Path) -> None:
    """A JPEG in YCCK, as picture editors make it of CMYK: Adobe's marker says 2 (T.872, 6.5.3)."""
    inverse = Image.fromarray(255 - patches()).convert("YCbCr")
    # Pillow stores the inverse of what it is given
    channels = [Image.fromarray(255 - np.asarray(channel)) for channel in inverse.split()]
    channels.append(Image.new("L", inverse.size, 0))
    Image.merge("CMYK", channels).save(path, quality=95, subsampling=0)
    data = bytearray(path.read_bytes())
    data[data.index(b"Adobe") + 11] = 2
    # the numbers of the components, in the headers of the frame and of the scan
    for at, step in ((data.index(b"\xff\xc0") + 10, 3), (data.index(b"\xff\xda") + 5, 2)):
        data[at : at + 4 * step : step] = bytes((1, 2, 3, 4))
    path.write_bytes(data)


def associated(path: Path) -> None:
    """A TIFF whose colours are multiplied with its transparency (ExtraSamples 1)."""
    multiplied().save(path)
    data, field = path.read_bytes(), struct.pack("<HHIH", 338, 3, 1, 2)
    assert data.count(field) == 1
    path.write_bytes(data.replace(field, struct.pack("<HHIH", 338, 3, 1, 1)))


def tiff(bits: tuple[int, ...], data: bytes, *more: tuple[int, int]) -> Make:
    """A TIFF of the patches' size in one strip; *more* fields, and those of other values."""

    def make(path: Path) -> None:
        entries = {256: WIDTH, 257: HEIGHT, 259: 1, 262: 2, 277: len(bits), 278: HEIGHT}
        entries |= {273: 0, 279: len(data), 258: 0} | dict(more)
        behind = 8 + 2 + 12 * len(entries) + 4
        entries |= {273: behind + 2 * len(bits)}
        entries[258] = behind if len(bits) > 2 else sum(b << 16 * n for n, b in enumerate(bits))
        counts = {258: len(bits)}
        rows = b"".join(
            struct.pack("<HHII", tag, 3 if tag == 258 else 4, counts.get(tag, 1), value)
            for tag, value in sorted(entries.items())
        )
        head = b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + bytes(4)
        path.write_bytes(head + struct.pack(f"<{len(bits)}H", *bits) + data)

    return make


def coded(*arguments: str, source: Source = opaque, rate: int = 5, count: int = 1) -> Make:
    """Let FFmpeg make a file of *count* pictures, *rate* of them a second."""

    def make(path: Path) -> None:
        picture = np.asarray(source())
        pixels = {3: "rgb24", 4: "rgba"}.get(picture.shape[-1], "rgb48le")
        if picture.dtype == np.uint16:
            pixels = "rgb48le"
        data = b"".join(np.roll(picture, STEP * n, 1).tobytes() for n in range(count))
        command = [runner.program(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", pixels]
        command += ["-s", f"{WIDTH}x{HEIGHT}", "-r", str(rate), "-i", "-", *arguments, str(path)]
        subprocess.run(command, input=data, check=True)

    return make


def planes(values: Callable[[], list[Values]], pixels: str, *arguments: str) -> Make:
    """Let FFmpeg make a picture of planes that are stored as they are, 10 bits in 16."""

    def make(path: Path) -> None:
        data = b"".join(np.round(plane).astype("<u2").tobytes() for plane in values())
        command = [runner.program(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", pixels]
        command += ["-s", f"{WIDTH}x{HEIGHT}", "-r", "1", "-i", "-", *arguments, str(path)]
        subprocess.run(command, input=data, check=True)

    return make


def light(primaries: tuple[tuple[float, float], ...]) -> Values:
    """The patches as light in other primaries; 1 is white."""
    values = patches() / 255.0
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    change = np.linalg.inv(_to_xyz(primaries)) @ _to_xyz(BT709)
    shown: Values = np.clip(linear @ change.T, 0, 1)
    return shown


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> Values:
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])
    matrix: Values = columns * np.linalg.solve(columns, white)
    return matrix


def srgb(linear: Values) -> Values:
    """IEC 61966-2-1."""
    coded_: Values = np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055
    )
    return coded_


def pq(linear: Values) -> Values:
    """BT.2100, table 4; white is 203 cd/m²."""
    y = (linear * 203 / 10000) ** (2610 / 16384)
    coded_: Values = ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)
    return coded_


def derived(
    primaries: tuple[tuple[float, float], ...], code: Callable[[Values], Values]
) -> list[Values]:
    """Y, Cb, Cr of 10 bits in full range, by the matrix that the primaries give (H.273, 8.3)."""
    signal = code(light(primaries))
    weights = _to_xyz(primaries)[1]
    luma = signal @ weights
    blue = (signal[..., 2] - luma) / (2 * (1 - weights[2]))
    red = (signal[..., 0] - luma) / (2 * (1 - weights[0]))
    return [1023 * luma, 512 + 1023 * blue, 512 + 1023 * red]


def pillow(path: Path) -> list[Pixels]:
    """Every picture of a file as Pillow shows it: upright, on white, in the size of the patches."""
    shown = []
    with Image.open(path) as image:
        for at in range(getattr(image, "n_frames", 1)):
            image.seek(at)
            shown.append(on_white(image))
    return shown


def first(path: Path) -> list[Pixels]:
    """The picture of a file that Pillow shows at first."""
    with Image.open(path) as image:
        return [on_white(image)]


def painted(source: Source = opaque, count: int = 1) -> Read:
    """The pictures that the file was made of."""

    def read(_path: Path) -> list[Pixels]:
        return [np.roll(on_white(source()), STEP * n, 1) for n in range(count)]

    return read


def on_white(image: Image.Image) -> Pixels:
    """A picture of any mode as RGB of 8 bit, upright, on white, in the size of the patches."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.format not in _UPRIGHT:
        image = ImageOps.exif_transpose(image)
    image = image.convert("RGB" if image.mode == "CMYK" else "RGBA").convert("RGBA")
    shown = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(shown.convert("RGB").resize((WIDTH, HEIGHT)))
