"""What the pipeline must know of a codec for the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.config import Output

Arguments = dict[str, str | int]


@dataclass(frozen=True)
class Codec:
    """A codec for the picture, with the kind of file that it is kept in.

    ``suffix`` is the end of the file's name; ``lead`` is how many pictures decoding runs ahead of
    showing.  ``arguments`` are FFmpeg's options for a clip; ``quick_arguments`` are those for a
    picture that must join the clips and is made while the editor waits.
    """

    name: str
    suffix: str
    lead: int
    arguments: Callable[[Output], Arguments]
    quick_arguments: Callable[[Output], Arguments]
