"""The table ``[process]``: how an original becomes a clip."""

import re
from typing import Literal

from pydantic import Field, field_validator

from pipeline.config.section import Section

_TIME_OF_DAY = "([01][0-9]|2[0-3]):[0-5][0-9]"

CaptionPosition = Literal["bottom-left", "bottom", "bottom-right", "top-left", "top", "top-right"]
CaptionStyle = Literal["panel", "outline"]


class Process(Section):
    """How an original becomes a clip."""

    @field_validator("until", mode="before")
    @classmethod
    def _time_of_day(cls, value: object) -> object:
        if isinstance(value, str) and value and re.fullmatch(_TIME_OF_DAY, value) is None:
            raise ValueError('must be a time of day with two digits for each part, such as "06:00"')
        return value

    workers: int = Field(default=0, ge=0, le=256, description="0: one for each processor core")
    still_seconds: float = Field(
        default=4.0, ge=0.2, le=60, description="how long a photo is shown"
    )
    still_motion: Literal["drift", "none"] = Field(
        default="drift", description="drift: photos move slowly"
    )
    caption_position: CaptionPosition = Field(
        default="bottom-left", description="where in the title-safe area the caption is"
    )
    caption_style: CaptionStyle = Field(
        default="panel",
        description="white letters on a dark panel, or on the picture with a dark outline",
    )
    loudness_lufs: float = Field(
        default=-16.0, ge=-70, le=-5, description="integrated loudness of every clip (EBU R 128)"
    )
    max_source_seconds: float = Field(
        default=1800, gt=0, description="a longer source is rejected as too-long"
    )
    incomplete: Literal["warn", "reject"] = Field(
        default="warn",
        description="a file whose end is missing becomes a clip with a warning, or is rejected",
    )
    max_hours_per_sender: float = Field(
        default=8.0,
        ge=0,
        description="hours of work of one worker that one sender's files may cost in a run; what "
        "is over waits for the next run; 0: no limit",
    )
    until: str = Field(
        default="",
        pattern=rf"^({_TIME_OF_DAY})?$",
        description='the time of day, as "06:00", from which a run begins no more clips: the '
        "first such moment after the run began, so a run that begins later has until the next day; "
        "what is not begun waits for the next run",
    )
    timeout_factor: float = Field(
        default=20,
        gt=0,
        description="a clip may take this many times its own length, at least 120 s; "
        "time in which a busy machine gave it no processor does not count",
    )
    sandbox: Literal["auto", "bubblewrap", "landlock", "none"] = Field(
        default="auto",
        description="auto: the best that is available; without any, nothing is processed",
    )
