"""What every job and every answer has, as JSON that travels to a worker and back.

The worker may be a thread of this process or a program on another machine, so both hold plain data
only.  Both are read by the types of their fields.  Each kind of job adds fields of its
own.  What a worker answers is then compared with what is possible.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, JsonValue, StringConstraints

from pipeline.config import Section

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .:_-]{0,64}$")]
_Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .()+_-]{0,64}$")]
_Seconds = Annotated[float, Field(ge=0, lt=1e9, allow_inf_nan=False)]
_MOST_EVENTS = 1000

ResultT_co = TypeVar("ResultT_co", covariant=True)

Trouble = Literal["", "version", "disk-full", "stopped", "not-a-worker", "broken", "failed"]
"""Why a worker made nothing; empty if it did.  "failed": the job itself can't be done there."""


class JobTask(Section):
    """What is to be done.

    ``kind``: a name of ``kinds.KINDS``.  ``timeout_factor``: see ``[process]``.  ``run`` is the
    name of the run, ``build`` the versions that it must be done with; both are empty for a thread
    of this process.
    """

    kind: str
    timeout_factor: float
    run: str = ""
    build: dict[str, str] = Field(default_factory=dict)

    @property
    def subject(self) -> str:
        """What is made; no two tasks of a kind that are handed out together have the same."""
        raise NotImplementedError


class JobAnswer(Section, Generic[ResultT_co]):
    """What became of a task, and how many seconds it took.

    ``events``: the lines that the worker has for the run's log.  ``build``: its versions.
    """

    result: ResultT_co | None = None
    seconds: _Seconds = 0.0
    trouble: Trouble = ""
    events: Annotated[tuple[dict[_Name, JsonValue], ...], Field(max_length=_MOST_EVENTS)] = ()
    build: dict[_Name, _Version] = Field(default_factory=dict)
