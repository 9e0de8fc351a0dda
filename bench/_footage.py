"""Two dozen mixed files for the benches, drawn by FFmpeg: films as many devices make them, photos.

The picture moves as if a camera drifted over a grainy scene.  If FOOTAGE=DIR is set in the
environment, the real clips of that folder are added.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.ffmpeg.runner import program


@dataclass(frozen=True)
class MadeFile:
    """A file to make: its name, size, rate, seconds, codec options and sound options."""

    name: str
    size: str
    rate: str
    seconds: float
    video: tuple[str, ...]
    audio: tuple[str, ...] | None = ("-c:a", "aac", "-b:a", "128k")


H264 = ("-c:v", "libx264", "-preset", "superfast", "-crf", "23")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none", "-crf", "24")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M")
PHOTO = ("-frames:v", "1")

INPUTS = (
    MadeFile("phone-1.mp4", "1920x1080", "30", 7, H264),
    MadeFile("phone-2.mp4", "1080x1920", "30", 6, H264),
    MadeFile("phone-3.mov", "1920x1080", "60", 6, HEVC),
    MadeFile("phone-4.mov", "1080x1920", "30000/1001", 7, HEVC),
    MadeFile("phone-5.mp4", "3840x2160", "30", 3, H264),
    MadeFile("messenger-1.mp4", "848x480", "30", 8, H264),
    MadeFile("messenger-2.mp4", "464x848", "30", 7, H264),
    MadeFile("messenger-3.mp4", "640x352", "25", 6, H264),
    MadeFile("camera-1.mts", "1920x1080", "25", 6, H264, ("-c:a", "ac3")),
    MadeFile("camera-2.avi", "1280x720", "24", 6, ("-c:v", "mjpeg", "-q:v", "4"), ("-c:a", "mp3")),
    MadeFile("camera-3.mkv", "1920x1080", "50", 6, H264, ("-c:a", "flac")),
    MadeFile("browser-1.webm", "1280x720", "30", 7, VP9, ("-c:a", "libopus")),
    MadeFile("browser-2.webm", "720x1280", "30", 6, VP9, ("-c:a", "libopus")),
    MadeFile("screen.mp4", "1366x768", "60", 6, H264, None),
    MadeFile("old.mpg", "720x576", "25", 7, ("-c:v", "mpeg2video", "-q:v", "4"), ("-c:a", "mp2")),
    MadeFile("square.mp4", "1080x1080", "30", 7, H264),
    MadeFile("wide.mp4", "2560x1080", "24", 5, H264),
    MadeFile("silent.mp4", "1280x720", "30", 6, H264, None),
    MadeFile("photo-1.jpg", "4032x3024", "1", 1, PHOTO, None),
    MadeFile("photo-2.jpg", "3024x4032", "1", 1, PHOTO, None),
    MadeFile("photo-3.png", "1920x1080", "1", 1, PHOTO, None),
    MadeFile("photo-4.webp", "2048x1365", "1", 1, PHOTO, None),
)


def make(folder: Path) -> list[Path]:
    """Draw all inputs into *folder*; 124 s of footage, and four photos of 4 s."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = folder.parent / "scene.png"
    _run("-f", "lavfi", "-i", "color=gray:s=1280x960,noise=alls=90:allf=t", "-frames:v", "1",
         "-vf", "gblur=sigma=6,eq=contrast=3,noise=alls=18", str(scene))  # fmt: skip
    paths = []
    for number, file in enumerate(INPUTS):
        paths.append(folder / file.name)
        if not paths[-1].exists():
            _draw(file, scene, number, paths[-1])
    scene.unlink()
    if "FOOTAGE" in os.environ:
        for path in sorted(Path(os.environ["FOOTAGE"]).iterdir()):
            if path.suffix not in (".md", ".txt"):
                paths.append(folder / f"real-{path.name}")
                paths[-1].write_bytes(path.read_bytes())
    return paths


def _draw(file: MadeFile, scene: Path, number: int, path: Path) -> None:
    width, height = (int(side) for side in file.size.split("x"))
    drift = f"(iw-ow)*(0.5+0.5*sin(t*0.6+{number}))"
    rise = f"(ih-oh)*(0.5+0.5*cos(t*0.4+{number}))"
    inner = f"crop=w=2*floor(min(iw\\,ih*{width}/{height})*0.4):h=2*floor(ow*{height}/{width}/2)"
    filters = f"format=yuv420p,{inner}:x={drift}:y={rise},scale={width}:{height}:flags=bilinear"
    noise = f"anoisesrc=c=pink:a=0.{1 + number % 5}:d={file.seconds}:seed={number}"
    sound = ("-f", "lavfi", "-i", noise) if file.audio is not None else ()
    _run("-loop", "1", "-framerate", file.rate, "-t", str(file.seconds), "-i", str(scene),
         *sound, "-vf", filters, *file.video, *(file.audio or ()), str(path))  # fmt: skip


def _run(*arguments: str) -> None:
    command = [program(), "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
