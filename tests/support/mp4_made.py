"""Clips as the pipeline makes them, and the options it makes them with, for the judge's tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

from support.waiting import HANG_S

CLEAN = [
    *("-map_metadata", "-1"),
    *("-map_chapters", "-1"),
    *("-write_tmcd", "0"),
    *("-video_track_timescale", "30000"),
    *("-fflags", "+bitexact"),
    *("-flags:v", "+bitexact"),
    *("-flags:a", "+bitexact"),
    *("-movflags", "+faststart"),
    *("-f", "mp4"),
]
H264 = [
    *("-c:v", "libx264"),
    *("-preset", "veryfast"),
    *("-crf", "30"),
    *("-threads", "1"),
    *("-a53cc", "0"),
    *("-x264-params", "stitchable=1:open-gop=0:keyint=8:min-keyint=1"),
]
SOUND = [
    *("-c:a:0", "aac"),
    *("-b:a:0", "160k"),
    *("-c:a:1", "alac"),
    *("-disposition:a:0", "default"),
    *("-disposition:a:1", "0"),
]
NO_SEI = ["-bsf:v", "filter_units=remove_types=6"]
BOTH = ["-map", "0", "-c", "copy", "-disposition:a:1", "0"]


def ffmpeg(*arguments: str | Path) -> None:
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*program, *map(str, arguments)], check=True, timeout=HANG_S)


def encode(path: Path, *extra: str, frames: int = 20, fps: int = 30, size: str = "64x48") -> Path:
    """A clip as the pipeline makes them; *extra* options come last, so they override others."""
    graph = (
        f"[0:v]trim=end_frame={frames},format=yuv420p,setparams=range=tv:color_primaries=bt709:"
        "color_trc=bt709:colorspace=bt709,sidedata=mode=delete[v];[1:a]aformat=channel_layouts="
        f"stereo,atrim=end_sample={48000 * frames // fps},asplit[a][b]"
    )
    inputs = (
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=s={size}:r={fps}",
        "-f",
        "lavfi",
        "-i",
        "sine=r=48000",
    )
    maps = ("-filter_complex", graph, "-map", "[v]", "-map", "[a]", "-map", "[b]")
    ffmpeg(*inputs, *maps, *H264, *NO_SEI, *SOUND, *CLEAN, *extra, path)
    return path
