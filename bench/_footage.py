"""Two dozen mixed inputs for the benches: films of many makers, and photos; drawn by FFmpeg.

The pictures move like filmed ones: a camera that drifts over a grainy scene.  With FOOTAGE=DIR
in the environment the real clips in that folder come in too.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.ffmpeg.runner import program


@dataclass(frozen=True)
class Input:
    """A file to be made: its name, size, rate, seconds, codec options and sound options."""

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
    Input("phone-1.mp4", "1920x1080", "30", 7, H264),
    Input("phone-2.mp4", "1080x1920", "30", 6, H264),
    Input("phone-3.mov", "1920x1080", "60", 6, HEVC),
    Input("phone-4.mov", "1080x1920", "30000/1001", 7, HEVC),
    Input("phone-5.mp4", "3840x2160", "30", 3, H264),
    Input("messenger-1.mp4", "848x480", "30", 8, H264),
    Input("messenger-2.mp4", "464x848", "30", 7, H264),
    Input("messenger-3.mp4", "640x352", "25", 6, H264),
    Input("camera-1.mts", "1920x1080", "25", 6, H264, ("-c:a", "ac3")),
    Input("camera-2.avi", "1280x720", "24", 6, ("-c:v", "mjpeg", "-q:v", "4"), ("-c:a", "mp3")),
    Input("camera-3.mkv", "1920x1080", "50", 6, H264, ("-c:a", "flac")),
    Input("browser-1.webm", "1280x720", "30", 7, VP9, ("-c:a", "libopus")),
    Input("browser-2.webm", "720x1280", "30", 6, VP9, ("-c:a", "libopus")),
    Input("screen.mp4", "1366x768", "60", 6, H264, None),
    Input("old.mpg", "720x576", "25", 7, ("-c:v", "mpeg2video", "-q:v", "4"), ("-c:a", "mp2")),
    Input("square.mp4", "1080x1080", "30", 7, H264),
    Input("wide.mp4", "2560x1080", "24", 5, H264),
    Input("silent.mp4", "1280x720", "30", 6, H264, None),
    Input("photo-1.jpg", "4032x3024", "1", 1, PHOTO, None),
    Input("photo-2.jpg", "3024x4032", "1", 1, PHOTO, None),
    Input("photo-3.png", "1920x1080", "1", 1, PHOTO, None),
    Input("photo-4.webp", "2048x1365", "1", 1, PHOTO, None),
)


def make(folder: Path) -> list[Path]:
    """Draw all inputs into *folder*; 124 s of footage, and four photos of 4 s."""
    folder.mkdir(parents=True, exist_ok=True)
    scene = folder.parent / "scene.png"
    _run("-f", "lavfi", "-i", "color=gray:s=1280x960,noise=alls=90:allf=t", "-frames:v", "1",
         "-vf", "gblur=sigma=6,eq=contrast=3,noise=alls=18", str(scene))  # fmt: skip
    paths = []
    for number, wanted in enumerate(INPUTS):
        paths.append(folder / wanted.name)
        if not paths[-1].exists():
            _draw(wanted, scene, number, paths[-1])
    scene.unlink()
    if "FOOTAGE" in os.environ:
        for path in sorted(Path(os.environ["FOOTAGE"]).iterdir()):
            if path.suffix not in (".md", ".txt"):
                paths.append(folder / f"real-{path.name}")
                paths[-1].write_bytes(path.read_bytes())
    return paths


def _draw(wanted: Input, scene: Path, number: int, path: Path) -> None:
    width, height = (int(side) for side in wanted.size.split("x"))
    drift = f"(iw-ow)*(0.5+0.5*sin(t*0.6+{number}))"
    rise = f"(ih-oh)*(0.5+0.5*cos(t*0.4+{number}))"
    inner = f"crop=w=2*floor(min(iw\\,ih*{width}/{height})*0.4):h=2*floor(ow*{height}/{width}/2)"
    look = f"format=yuv420p,{inner}:x={drift}:y={rise},scale={width}:{height}:flags=bilinear"
    noise = f"anoisesrc=c=pink:a=0.{1 + number % 5}:d={wanted.seconds}:seed={number}"
    sound = ("-f", "lavfi", "-i", noise) if wanted.audio is not None else ()
    _run("-loop", "1", "-framerate", wanted.rate, "-t", str(wanted.seconds), "-i", str(scene),
         *sound, "-vf", look, *wanted.video, *(wanted.audio or ()), str(path))  # fmt: skip


def _run(*arguments: str) -> None:
    command = [program(), "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
