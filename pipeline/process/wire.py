"""A clip to be made, and what became of it, as plain data; see ``jobs/wire``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.jobs.wire import JobAnswer, JobTask, Sha256
from pipeline.model import ClipResult
from pipeline.process.chunk_plan import SECONDS, ChunkPlan, ClipPiece, InOnePiece
from pipeline.process.recipe import Recipe
from pipeline.protection import FoundFaces

ClipPart = Literal["clip", "chunk", "sound", "join"]
"""What is made: a clip, or the plan of its chunks; one chunk; its sound; the film of these."""
ClipStep = ClipResult | ChunkPlan | ClipPiece | InOnePiece


class ClipTask(JobTask):
    """An original, by its SHA-256, and all that decides its clip.

    ``key``: that of the recipe.  ``configurations``: the decoder configuration that the clips of
    each output must have, by the output's name.  ``found``: the faces that are known of it.
    ``made``: its clip, if it is finished and only faces are looked for.  ``part``: what is made of
    the clip.  ``chunk_s``: how long the chunks of a long film are in seconds; 0: every clip is made
    in one piece.  ``plan``, ``number`` and ``pieces`` are for a clip in chunks: how it is made, the
    number of the piece, and the pieces to join.
    """

    kind: Literal["clip"] = "clip"
    sha256: Sha256
    key: str
    recipe: Recipe
    configurations: dict[str, str]
    found: FoundFaces | None = None
    made: ClipResult | None = None
    part: ClipPart = "clip"
    chunk_s: Annotated[int, Field(ge=0, le=86_400)] = SECONDS
    plan: ChunkPlan | None = None
    number: Annotated[int, Field(ge=0, le=10_000)] = 0
    pieces: Annotated[tuple[ClipPiece, ...], Field(max_length=10_001)] = ()

    @property
    def subject(self) -> str:
        """The original, and which piece of its clip."""
        return self.sha256 if self.part == "clip" else f"{self.sha256}/{self.part}-{self.number}"


class ClipAnswer(JobAnswer[ClipStep]):
    """What became of an original, or of a piece of its clip."""
