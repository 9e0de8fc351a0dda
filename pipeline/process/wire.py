"""A clip to be made, and what became of it, as JSON that travels to a worker and back.

The worker may be a thread of this process or a program on another machine, so nothing but plain
data is in it.  Both are read by the types of their fields.  What a worker answers is then compared
with what is possible (``belief``).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from pipeline.config import Section
from pipeline.model import ClipResult
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .:_-]{0,64}$")]
_Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .()+_-]{0,64}$")]
_Seconds = Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]
_MOST_EVENTS = 1000

Trouble = Literal["", "version", "disk-full", "stopped", "not-a-worker", "broken"]
"""Why a worker made nothing; empty if it did."""


class ClipTask(Section):
    """An original, by its SHA-256, and all that decides its clip.

    ``key``: that of the recipe.  ``configurations``: the decoder configuration that the clips of
    each output must have, by the output's name.  ``timeout_factor``: see ``[process]``.  ``found``:
    the faces that are known of it.  ``made``: its clip, if it is finished and only faces are looked
    for.  ``run`` is the name of the run, ``build`` the versions that the clip must be made with;
    both are empty for a thread of this process.
    """

    sha256: _Sha256
    key: str
    recipe: Recipe
    configurations: dict[str, str]
    timeout_factor: float
    found: FoundFaces | None = None
    made: ClipResult | None = None
    run: str = ""
    build: dict[str, str] = Field(default_factory=dict)


class ClipAnswer(Section):
    """What became of a task, and how many seconds it took.

    ``events``: the lines that the worker has for the run's log.  ``build``: its versions.
    """

    result: ClipResult | None = None
    seconds: _Seconds = 0.0
    trouble: Trouble = ""
    events: Annotated[tuple[dict[_Name, JsonValue], ...], Field(max_length=_MOST_EVENTS)] = ()
    build: dict[_Name, _Version] = Field(default_factory=dict)
