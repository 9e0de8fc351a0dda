"""What decides the bytes of a clip beside its recipe: the versions of what makes it.

A worker with other versions would make other clips, and its clips would not join those of others.
"""

from __future__ import annotations

import platform
from functools import cache

from pipeline import __version__, places, publishing, versions
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


def difference(coordinator: dict[str, str], worker: dict[str, str]) -> str:
    """Name the first version that is not the same in two builds; empty if all are."""
    for name in {**coordinator, **worker}:
        ours, theirs = coordinator.get(name, "none"), worker.get(name, "none")
        if ours != theirs:
            # what another machine calls its version is a stranger's text
            return places.masked(f"{name} is {theirs} on the worker and {ours} on the coordinator")
    return ""
