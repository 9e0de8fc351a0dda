"""The tables ``[campaign]`` and ``[[campaign.category]]``: what the footage is for."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from pipeline.config.protect import FaceMode
from pipeline.config.section import Section

Hashtag = Annotated[str, StringConstraints(pattern=r"^#\S+$", max_length=100)]


class Category(Section):
    """A kind of submission with its own hashtags; the first category that matches is used."""

    name: str = Field(min_length=1, description="shown in the report")
    match: Literal["subject", "recipient", "body", "kind"] = Field(
        description="where the pattern is searched for; recipient is the plus-address of the mail, "
        'kind is "video" or "image"'
    )
    pattern: str = Field(description="a regular expression")
    hashtags: tuple[Hashtag, ...] = Field(default=(), description="added to the campaign's")
    faces: FaceMode | None = Field(
        default=None, description="in place of `faces` in `[protect]`, for this category"
    )

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class Campaign(Section):
    """What the footage is for."""

    name: str = Field(min_length=1, max_length=200, description="the campaign's name")
    hashtags: tuple[Hashtag, ...] = Field(min_length=1, description="drawn into every clip")
    handle: str = Field(default="", max_length=100, description="credited on the closing card")
    opens: date | None = Field(
        default=None, description="a submission before this day is taken in and marked"
    )
    closes: date | None = Field(
        default=None, description="a submission after this day is taken in and marked"
    )
    category: tuple[Category, ...] = Field(default=(), description="see below")

    @model_validator(mode="after")
    def _window(self) -> Campaign:
        if self.opens and self.closes and self.closes < self.opens:
            raise ValueError("closes is before opens")
        return self
