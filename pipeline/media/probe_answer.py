"""What the probe answers: data of a program that reads a stranger's bytes, checked field by field.

``probe_child`` writes the answer as JSON.  A name is made of a small alphabet, a number is finite
and in the range that FFmpeg has for it, a list is no longer than FFmpeg makes it.  An answer with
one field of another kind is refused.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter
from typing_extensions import TypedDict

from pipeline.ffmpeg.faults import ProgramLied

_LARGEST = 1 << 20  # bytes; a thousand streams take a tenth of it
_MOST_STREAMS = 1000  # FFmpeg's max_streams
MOST_SOUNDS = 16

_CLOSED = ConfigDict(extra="forbid", strict=True)
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{0,64}$")]
_Words = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ()+._-]{0,200}$")]
_Index = Annotated[int, Field(ge=0, lt=_MOST_STREAMS)]
_Count = Annotated[int, Field(ge=0, lt=1 << 40)]
_Side = Annotated[int, Field(ge=1, lt=1 << 20)]
_Number = Annotated[int, Field(ge=-(1 << 31), lt=1 << 32)]
_Code = Annotated[int, Field(ge=0, lt=256)]
# a clock has 64 bits, and a tick of it may last 2³¹ seconds
_Seconds = Annotated[float, Field(gt=-1e30, lt=1e30, allow_inf_nan=False)]
_Rate = Annotated[float, Field(gt=0, lt=1e10, allow_inf_nan=False)]


class StreamSpan(TypedDict):
    """When a stream begins, when its last packet begins, when it ends, in seconds."""

    packets: _Count
    start_s: _Seconds | None
    latest_s: _Seconds | None
    end_s: _Seconds | None
    last_has_length: bool


class FirstFrame(TypedDict):
    """The first picture; numbers of colours are code points of ITU-T H.273."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc] # pydantic reads it, see its page on TypedDict

    width: _Side
    height: _Side
    sar: Annotated[list[_Number], Field(min_length=2, max_length=2)]
    rotation: Annotated[int, Field(ge=-360, le=360)]
    format: _Name
    depth: Annotated[int, Field(ge=0, le=64)]
    range: _Code
    matrix: _Code
    transfer: _Code
    primaries: _Code
    interlaced: bool


class ProbedVideo(StreamSpan):
    """The picture stream; ``frame`` is None where no picture can be decoded."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc] # as above

    index: _Index
    codec: _Name
    fps: _Rate | None
    alpha_beside: bool
    frame: FirstFrame | None
    sizes_change: bool


class ProbedSound(StreamSpan):
    """A sound stream; ``layout`` is FFmpeg's name of its channels."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc] # as above

    index: _Index
    codec: _Name
    layout: _Words


class ProbedPart(TypedDict):
    """A stream of pictures by its number in the file."""

    __pydantic_config__ = _CLOSED  # type: ignore[misc] # as above

    index: _Index
    kind: Literal["item", "track"]
    number: _Number
    limited: bool


class ProbedFile(TypedDict):
    """What a file holds; ``container`` is FFmpeg's name of the format.

    ``sounds``: the default one first.  ``clock_breaks``: its clock begins anew or jumps, as in
    transport streams that were joined.  ``too_much``: the reading ended before the end, because
    the pictures have more pixels than were allowed.
    """

    __pydantic_config__ = _CLOSED  # type: ignore[misc] # as above

    container: _Name
    encrypted: bool
    clock_breaks: bool
    too_much: bool
    video: ProbedVideo | None
    sounds: Annotated[list[ProbedSound], Field(max_length=MOST_SOUNDS)]
    parts: Annotated[list[ProbedPart], Field(max_length=_MOST_STREAMS)]


def read(untrusted: bytes) -> ProbedFile | None:
    """Read an answer; None means that the file can't be opened.

    :raises ProgramLied: it can't be one.
    """
    if len(untrusted) > _LARGEST:
        raise ProgramLied("a description that is too long")
    try:
        return _answer().validate_python(json.loads(untrusted))
    except (ValueError, RecursionError) as error:  # also a ValidationError
        raise ProgramLied("a description that no file has") from error


@cache
def _answer() -> TypeAdapter[ProbedFile | None]:
    return TypeAdapter(ProbedFile | None, config=None)
