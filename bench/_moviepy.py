"""The same montage as one writes it with MoviePy: clips fitted over black, captioned, joined.

    python -m bench._moviepy FOLDER SIZE

Less than ours: no fill, no loudness, nothing cleaned or checked.
"""

from __future__ import annotations

import sys
from pathlib import Path

from moviepy import CompositeVideoClip, ImageClip, VideoFileClip, concatenate_videoclips

from bench.process import made
from pipeline.config import load
from pipeline.media import caption


def main() -> None:
    folder, size = Path(sys.argv[1]), sys.argv[2]
    wide, high = (int(side) for side in size.split("x"))
    config = load(folder / "config.toml")
    shown = []
    for original, result in made(config):
        output = result.outputs[0]
        clip = (
            ImageClip(str(original), duration=output.duration_s)
            if result.source is not None and result.source.duration_s is None
            else VideoFileClip(str(original))
        )
        scale = min(wide / clip.w, high / clip.h)
        clip = clip.resized(scale).with_position("center")
        strip = caption.strip(folder, result.caption, (wide, high))
        assert strip is not None
        words = ImageClip(str(strip.path)).with_position((strip.x, strip.y))
        layers = [clip, words.with_duration(clip.duration)]
        shown.append(CompositeVideoClip(layers, size=(wide, high)))
    concatenate_videoclips(shown).write_videofile(
        str(folder / "moviepy.mp4"),
        fps=30,
        codec="libx264",
        preset="veryfast",
        ffmpeg_params=["-crf", "20"],
        audio_codec="aac",
        threads=2,
        logger=None,
    )


if __name__ == "__main__":
    main()
