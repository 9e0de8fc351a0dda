"""A clip to be made, and what became of it, as plain data; see ``jobs/wire``."""

from __future__ import annotations

from typing import Literal

from pipeline.jobs.wire import JobAnswer, JobTask, Sha256
from pipeline.model import ClipResult
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces


class ClipTask(JobTask):
    """An original, by its SHA-256, and all that decides its clip.

    ``key``: that of the recipe.  ``configurations``: the decoder configuration that the clips of
    each output must have, by the output's name.  ``found``: the faces that are known of it.
    ``made``: its clip, if it is finished and only faces are looked for.
    """

    kind: Literal["clip"] = "clip"
    sha256: Sha256
    key: str
    recipe: Recipe
    configurations: dict[str, str]
    found: FoundFaces | None = None
    made: ClipResult | None = None

    @property
    def subject(self) -> str:
        """The original."""
        return self.sha256


class ClipAnswer(JobAnswer[ClipResult]):
    """What became of an original."""
