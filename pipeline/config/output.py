"""The tables ``[[output]]``: the formats in which clips and montages are made."""

import re
from typing import Literal

from pydantic import Field, field_validator

from pipeline.config.section import Name, Section


class Output(Section):
    """One format of the montage; the first is the master."""

    name: Name = Field(default="landscape", description="part of the file's name")
    size: str = Field(default="1920x1080", description="WIDTHxHEIGHT, even numbers")
    fps: Literal[24, 25, 30, 50, 60] = Field(default=30, description="frames per second")
    quality: Literal["draft", "standard", "high"] = Field(
        default="standard",
        description="x264: draft: ultrafast CRF 28, standard: veryfast CRF 20, high: medium CRF 18",
    )
    fit: Literal["fill", "crop"] = Field(
        default="fill", description="fill: the whole picture over a blurred fill; crop: cut to fit"
    )

    @field_validator("size")
    @classmethod
    def _even(cls, value: str) -> str:
        match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value)
        if not match:
            raise ValueError('must have the form "1920x1080"')
        for side in map(int, match.groups()):
            if side % 2 or not 64 <= side <= 4096:
                raise ValueError("both sides must be even numbers from 64 to 4096")
        return value

    @property
    def frame(self) -> str:
        """How pictures are placed: the size and the fit, such as ``1920x1080 fill``."""
        return f"{self.size} {self.fit}"

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.size.split("x")[1])
