"""Fifty kinds of footage against a plain FFmpeg command that only scales: SSIM at least 0.97.

The reference decodes the same file by itself, without a filter of ours, and is compared where
the picture stands in the frame, picture by picture.  How pictures stand, rates, colours and
sound have tests of their own.
"""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from support.clip_scene import ClipScene, plane

from pipeline import judge
from pipeline.config import Output
from pipeline.ffmpeg import runner
from pipeline.media import fitting

OUTPUT = Output(name="wide", size="320x180", fps=30, quality="high")
LEAST = 0.97
SECONDS = 0.3


@dataclass(frozen=True)
class Kind:
    """A file as somebody sends it; FFmpeg's options for its pictures and sound.

    ``shown``: the size that it is shown in, where pixels are not square.
    """

    name: str
    size: str
    rate: str
    video: str
    audio: str = ""
    shown: str = ""

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height as shown."""
        width, height = (self.shown or self.size).split("x")
        return int(width), int(height)


PHOTO = "-frames:v 1"
BT709 = "-colorspace bt709 -color_primaries bt709 -color_trc bt709"
X264 = "-c:v libx264 -preset veryfast -crf 16"
KINDS = (
    Kind("h264.mp4", "320x180", "30", f"{X264} -pix_fmt yuv420p", "-c:a aac"),
    Kind("h264-portrait.mp4", "180x320", "30", f"{X264} -pix_fmt yuv420p", "-c:a aac -ac 1"),
    Kind("h264-square.mp4", "240x240", "30", f"{X264} -pix_fmt yuv420p", "-c:a aac -ar 44100"),
    Kind("h264-wide.mp4", "426x180", "30", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-old.mp4", "320x240", "25", f"{X264} -pix_fmt yuv420p", "-c:a aac"),
    Kind("h264-large.mp4", "1280x720", "30", f"{X264} -pix_fmt yuv420p {BT709}", "-c:a aac"),
    Kind("h264-small.mp4", "176x144", "15", f"{X264} -pix_fmt yuv420p", "-c:a aac"),
    Kind("h264-422.mov", "320x180", "25", f"{X264} -pix_fmt yuv422p", "-c:a pcm_s16le"),
    Kind("h264-444.mkv", "320x180", "24", f"{X264} -pix_fmt yuv444p", "-c:a flac"),
    Kind("h264-10.mkv", "320x180", "24", f"{X264} -pix_fmt yuv420p10le", "-c:a libopus"),
    Kind("h264-24.mp4", "320x180", "24", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-23976.mp4", "320x180", "24000/1001", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-2997.mp4", "320x180", "30000/1001", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-50.mp4", "320x180", "50", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-60.mp4", "320x180", "60", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-120.mp4", "320x180", "120", f"{X264} -pix_fmt yuv420p"),
    Kind("h264-gray.mkv", "320x180", "25", f"{X264} -pix_fmt gray"),
    Kind("h264-full.mp4", "320x180", "25", f"{X264} -pix_fmt yuvj420p"),
    Kind("h264-one.mp4", "320x180", "30", f"{X264} -pix_fmt yuv420p -frames:v 1"),
    Kind("h264-b.ts", "320x180", "25", f"{X264} -bf 3 -pix_fmt yuv420p", "-c:a ac3"),
    Kind("h264.flv", "320x180", "25", f"{X264} -pix_fmt yuv420p", "-c:a aac"),
    Kind("h264.3gp", "176x144", "12", f"{X264} -pix_fmt yuv420p", "-c:a aac -ar 16000 -ac 1"),
    Kind("hevc.mp4", "320x180", "30", "-c:v libx265 -x265-params log-level=none -crf 16"),
    Kind("hevc.mov", "180x320", "60", "-c:v libx265 -x265-params log-level=none -tag:v hvc1"),
    Kind("vp8.webm", "320x180", "30", "-c:v libvpx -b:v 3M", "-c:a libvorbis"),
    Kind("vp9.webm", "320x180", "30", "-c:v libvpx-vp9 -crf 18 -b:v 0", "-c:a libopus"),
    Kind("av1.mp4", "320x180", "30", "-c:v libsvtav1 -preset 10 -crf 20 -svtav1-params lp=1"),
    Kind("mpeg1.mpg", "320x240", "25", "-c:v mpeg1video -q:v 2", "-c:a mp2"),
    Kind("mpeg2.mpg", "352x288", "25", "-c:v mpeg2video -q:v 2", "-c:a mp2"),
    Kind("mpeg2.ts", "320x180", "30", "-c:v mpeg2video -q:v 2", "-c:a mp2"),
    Kind("mpeg4.avi", "320x240", "25", "-c:v mpeg4 -q:v 2", "-c:a libmp3lame"),
    Kind("mjpeg.avi", "320x240", "15", "-c:v mjpeg -q:v 2", "-c:a pcm_u8 -ar 11025"),
    Kind("h263.3gp", "176x144", "15", "-c:v h263 -q:v 2"),
    Kind("wmv.wmv", "320x240", "25", "-c:v wmv2 -q:v 2", "-c:a wmav2"),
    Kind("theora.ogv", "320x180", "25", "-c:v libtheora -q:v 10", "-c:a libvorbis"),
    Kind("prores.mov", "320x180", "25", "-c:v prores_ks -profile:v 3", "-c:a pcm_s24le"),
    Kind("dnxhd.mov", "1280x720", "25", "-c:v dnxhd -b:v 90M -pix_fmt yuv422p"),
    Kind("qtrle.mov", "320x180", "25", "-c:v qtrle"),
    Kind("ffv1.mkv", "321x181", "25", "-c:v ffv1 -pix_fmt yuv444p", "-c:a pcm_s16le"),
    Kind("screen.mkv", "683x384", "60", "-c:v ffv1 -pix_fmt bgr0"),
    Kind("animated.gif", "320x180", "10", "-c:v gif -pix_fmt gray"),
    Kind("animated.webp", "320x180", "10", "-c:v libwebp_anim -lossless 1"),
    Kind("animated.png", "320x180", "10", "-c:v apng -f apng"),
    Kind("narrow.mp4", "240x180", "25", f"{X264} -pix_fmt yuv420p -aspect 16:9", shown="320x180"),
    Kind("dv.avi", "720x576", "25", "-c:v dvvideo -pix_fmt yuv420p -aspect 16:9", shown="1024x576"),
    Kind("photo.jpg", "1200x900", "1", f"{PHOTO} -q:v 2"),
    Kind("photo.png", "800x600", "1", PHOTO),
    Kind("photo.webp", "640x480", "1", f"{PHOTO} -c:v libwebp -q:v 95"),
    Kind("photo.tif", "600x800", "1", f"{PHOTO} -pix_fmt rgb24"),
    Kind(
        "photo.avif",
        "640x360",
        "1",
        f"{PHOTO} -c:v libaom-av1 -still-picture 1 -cpu-used 8 -crf 12",
    ),
    Kind("photo.bmp", "640x360", "1", PHOTO),
    Kind("photo.gif", "320x180", "1", f"{PHOTO} -c:v gif"),
)


def film(scene: ClipScene, kind: Kind) -> Path:
    """Something soft that moves, so that a late picture is seen, in this kind of file."""
    look = f"s={kind.size}:r={kind.rate}:d={SECONDS}"
    mixed = f"gradients={look}:speed=0.2:n=5:seed=7,format=gbrp[a]"
    mixed += f";testsrc2={look},format=gbrp,gblur=2.5[b];[a][b]blend=all_opacity=0.5,format=rgb24"
    sound = ("-f", "lavfi", "-i", f"sine=d={SECONDS}") if kind.audio else ()
    length = () if kind.video.startswith(PHOTO) else ("-t", str(SECONDS))
    return scene.film(
        kind.name,
        *("-f", "lavfi", "-i", mixed, *sound, *length),
        *kind.video.split(),
        *kind.audio.split(),
    )


def reference(path: Path, width: int, height: int, *, sound: bool) -> list[NDArray[np.float64]]:
    """The lightness of each picture, decoded and scaled by FFmpeg alone at 30 a second.

    A picture is not shown before its time, but for the quarter of a moment that files round.
    """
    scale = f"setpts=PTS+0.25/(30*TB),fps=30:start_time=0,scale={width}:{height}:flags=bicubic"
    scale += ":out_range=tv:out_color_matrix=bt709,format=yuv420p"
    command = [runner.program(), "-v", "error", "-i", str(path), "-vf", scale]
    command += ["-map", "0:v:0", "-f", "rawvideo", "-"]
    if sound:  # FFmpeg begins with the earliest stream that it is to read
        command += ["-map", "0:a:0", "-f", "null", os.devnull]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    frames = np.frombuffer(data, np.uint8).reshape(-1, width * height * 3 // 2)
    return [frame[: width * height].reshape(height, width).astype(float) for frame in frames]


def ssim(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Structural similarity over windows of 8 by 8 (Wang et al. 2004)."""

    def windows(p: NDArray[np.float64]) -> NDArray[np.float64]:
        height, width = (side // 4 * 4 for side in p.shape)
        cells = p[:height, :width].reshape(height // 4, 4, width // 4, 4).swapaxes(1, 2)
        joined = [cells[:-1, :-1], cells[:-1, 1:], cells[1:, :-1], cells[1:, 1:]]
        return np.concatenate([part.reshape(*part.shape[:2], 16) for part in joined], -1)

    a, b = windows(one), windows(other)
    ma, mb = a.mean(-1), b.mean(-1)
    va, vb = a.var(-1), b.var(-1)
    both = (a * b).mean(-1) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    return float(values.mean())


def likeness(scene: ClipScene, kind: Kind) -> float:
    """The mean SSIM of a clip's pictures, each with the one of its moment."""
    path = film(scene, kind)
    made = scene.clip(path)
    facts = judge.judge_mp4(made.path, judge.Mp4Kind.CLIP)
    assert (facts.video.width, facts.video.height) == (320, 180)
    assert (facts.video.timescale, facts.video.ticks_per_frame) == (30000, 1000)
    assert len(made.sound()) == facts.video.frames * 1600
    box = fitting.fitted(Fraction(*kind.sides), 320, 180)
    wanted = reference(path, box.width, box.height, sound=kind.audio != "")
    with av.open(str(made.path)) as container:
        shown = [
            plane(frame, 0)[box.y : box.y + box.height, box.x : box.x + box.width]
            for frame in container.decode(video=0)
        ]
    last = len(wanted) - 1  # a photo's clip shows it again and again
    return float(np.mean([ssim(one, wanted[min(at, last)]) for at, one in enumerate(shown)]))


def test_fifty_kinds_of_footage_look_as_ffmpeg_alone_shows_them(tmp_path: Path) -> None:
    scene = ClipScene(tmp_path).to(OUTPUT, still_motion="none", still_seconds=0.2)
    assert len({kind.name for kind in KINDS}) >= 50
    with ThreadPoolExecutor(2) as pool:
        values = list(pool.map(lambda kind: likeness(scene, kind), KINDS))
    found = dict(zip((kind.name for kind in KINDS), values, strict=True))
    assert {name: value for name, value in found.items() if value < LEAST} == {}
