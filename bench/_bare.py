"""The baseline: the same clips by plain FFmpeg commands, by hand, with the best flags known.

Each clip is one decode and one x264, with one thread each; the fill is blurred at an eighth of
its size, the caption is one small overlay, AAC and ALAC come from one decode.  Nothing is probed
or checked: sizes, lengths and gains are given.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.ffmpeg.runner import program


@dataclass(frozen=True)
class BareClip:
    """The facts about a source and its clip that the command needs."""

    source: Path
    width: int
    height: int
    sound: bool
    photo: bool
    frames: int
    strip: Path
    at: tuple[int, int]


def command(clip: BareClip, size: tuple[int, int], fps: int, target: Path) -> list[str]:
    """The FFmpeg command that makes one clip."""
    wide, high = size
    scale = min(wide / clip.width, high / clip.height)
    inner = (round(clip.width * scale / 2) * 2, round(clip.height * scale / 2) * 2)
    chain = f"[0:v:0]scale={inner[0]}:{inner[1]}:flags=bicubic:out_color_matrix=bt709:out_range=tv"
    chain += ",format=yuv420p,setsar=1"
    if inner[0] < wide * 0.985 or inner[1] < high * 0.985:
        chain += (
            f",split[a][b];[b]scale={wide // 8}:{high // 8}:flags=bilinear,"
            f"gblur=sigma={high / 192:.1f}:steps=2,lutyuv=y=(val-16)*0.55+16,"
            f"scale={wide}:{high}:flags=bilinear,setsar=1[c];"
            f"[c][a]overlay=(W-w)/2:(H-h)/2:format=yuv420"
        )
    chain += (
        f"[p];[1:v]format=yuva420p[s];[p][s]overlay={clip.at[0]}:{clip.at[1]}:eof_action=repeat"
    )
    if clip.photo:
        chain += f",loop=-1:1,settb=1/{fps},setpts=N"
    chain += f",fps={fps}:start_time=0,tpad=stop=-1:stop_mode=clone,trim=end_frame={clip.frames}[v]"
    sound = "[0:a:0]aresample=48000:async=1:first_pts=0" if clip.sound else "anullsrc=r=48000"
    samples = clip.frames * 48000 // fps
    chain += (
        f";{sound},aformat=channel_layouts=stereo,volume=1.5,apad,atrim=end_sample={samples},"
        "asplit[x][y]"
    )
    return [
        *(program(), "-nostdin", "-v", "error", "-y", "-threads", "1", "-i", str(clip.source)),
        *("-i", str(clip.strip), "-filter_threads", "1", "-filter_complex_threads", "1"),
        *("-filter_complex", chain, "-map", "[v]", "-map", "[x]", "-map", "[y]"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-profile:v", "high"),
        *("-x264-params", f"keyint={2 * fps}:open-gop=0:stitchable=1", "-threads:v", "1"),
        *("-c:a:0", "aac", "-b:a:0", "256k", "-cutoff:a:0", "22000", "-c:a:1", "alac"),
        *("-movflags", "+faststart", "-f", "mp4", str(target)),
    ]
