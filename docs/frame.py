"""A frame of a montage for the documentation.

    .venv/bin/python docs/frame.py MONTAGE.mp4 [TITLE [FILE]]

Cuts the middle frame of the clip of that title ("Clip 2"), as the montage's ``.json`` names and
places it, and writes it as a JPEG of 1280 pixels in width to FILE (docs/pictures/frame.jpg).
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg

WIDTH = 1280


def main() -> None:
    if not 2 <= len(sys.argv) <= 4:
        raise SystemExit(__doc__)
    montage = Path(sys.argv[1])
    title = sys.argv[2] if len(sys.argv) > 2 else "Clip 2"
    picture = Path(__file__).parent / "pictures" / "frame.jpg"
    picture = Path(sys.argv[3]) if len(sys.argv) > 3 else picture
    picture.parent.mkdir(parents=True, exist_ok=True)
    cut(montage, middle(montage, title), picture)
    print(picture, picture.stat().st_size)


def middle(montage: Path, title: str) -> float:
    """When the middle of the segment of that title is shown, in seconds."""
    contents = json.loads(montage.with_suffix(".json").read_text("utf-8"))
    for segment in contents["segments"]:
        if segment["title"] == title:
            return float(segment["start_s"] + segment["end_s"]) / 2
    raise SystemExit(f"{montage} has no segment {title!r}")


def cut(montage: Path, seconds: float, picture: Path) -> None:
    """Write the frame that is shown at *seconds*."""
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    argv += ["-ss", f"{seconds:.3f}", "-i", str(montage), "-frames:v", "1"]
    argv += ["-vf", f"scale={WIDTH}:-2:out_range=pc:out_color_matrix=bt601", "-q:v", "3"]
    argv += ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", str(picture)]
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    main()
