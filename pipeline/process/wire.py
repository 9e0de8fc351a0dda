"""A clip to be made, and what became of it, as JSON that travels to a worker and back.

The worker may be a thread of this process or a program on another machine, so nothing but plain
data is in it.  Both are read by the types of their fields.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from pipeline.config import Section
from pipeline.model import ClipResult
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Seconds = Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]


class ClipTask(Section):
    """An original, by its SHA-256, and all that decides its clip.

    ``key``: that of the recipe.  ``configurations``: the decoder configuration that the clips of
    each output must have, by the output's name.  ``timeout_factor``: see ``[process]``.  ``found``:
    the faces that are known of it.  ``made``: its clip, if it is finished and only faces are looked
    for.
    """

    sha256: _Sha256
    key: str
    recipe: Recipe
    configurations: dict[str, str]
    timeout_factor: float
    found: FoundFaces | None = None
    made: ClipResult | None = None


class ClipAnswer(Section):
    """What became of a task, and how many seconds it took."""

    result: ClipResult
    seconds: _Seconds
