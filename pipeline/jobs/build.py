"""What decides the bytes of a clip beside its recipe: the versions of what makes it.

A worker with other versions would make other clips, and its clips would not join those of others.
"""

from __future__ import annotations

import platform
from functools import cache

from pipeline import __version__, publishing, versions
from pipeline.ffmpeg import runner


@cache
def build() -> dict[str, str]:
    """Return the versions of this program by name."""
    import PIL  # noqa: PLC0415 - slow to load
    from PIL import features  # noqa: PLC0415 - slow to load

    _, ffmpeg, sha256 = runner.build()
    numbers = {name: value for name, value in vars(versions).items() if name.isupper()}
    letters = {name: features.version(name) for name in ("freetype2", "raqm", "harfbuzz")}
    return {
        "program": __version__,
        "recipes": publishing.cache_key("recipes", 1, numbers),
        "FFmpeg": f"{ffmpeg} ({sha256[:12]})",
        "letters": publishing.cache_key("letters", 1, PIL.__version__, letters)[:12],
        "processor": platform.machine(),
    }


def difference(here: dict[str, str], there: dict[str, str]) -> str:
    """Name the first version that is not the same in two builds; empty if all are.

    :param there: the other one; its words are shown.
    """
    for name, value in here.items():
        other = there.get(name, "none")
        if other != value:
            return f"{name} is {other} there and {value} here"
    return ""
