"""The table ``[montage]``: how the clips become one film."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.config.section import Name, Section

Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]

# What FFmpeg's xfade can do, without what needs a program of its own.
# fmt: off
Transition = Literal[
    "fade", "dissolve", "fadeblack", "fadewhite", "fadegrays", "fadefast", "fadeslow",
    "wipeleft", "wiperight", "wipeup", "wipedown", "wipetl", "wipetr", "wipebl", "wipebr",
    "slideleft", "slideright", "slideup", "slidedown", "smoothleft", "smoothright", "smoothup",
    "smoothdown", "coverleft", "coverright", "coverup", "coverdown", "revealleft",
    "revealright", "revealup", "revealdown", "circlecrop", "circleopen", "circleclose",
    "rectcrop", "radial", "distance", "vertopen", "vertclose", "horzopen", "horzclose",
    "diagtl", "diagtr", "diagbl", "diagbr", "hlslice", "hrslice", "vuslice", "vdslice",
    "hlwind", "hrwind", "vuwind", "vdwind", "hblur", "pixelize", "squeezeh", "squeezev",
    "zoomin",
]
# fmt: on


class Style(Section):
    """How the cards look."""

    ground: Colour = Field(default="#102A36", description="the cards' colour at the top")
    ground_below: Colour = Field(default="#091620", description="the cards' colour at the bottom")
    ink: Colour = Field(default="#F4F7F6", description="the title's colour")
    quiet_ink: Colour = Field(default="#A7C7CA", description="the smaller lines' colour")
    logo: str = Field(
        default="", description="a picture (PNG, JPEG) above the title of opening and closing card"
    )
    font: str = Field(
        default="", description="a TrueType or OpenType file for what it has letters for"
    )


class Montage(Section):
    """How the clips become one film."""

    name: Name = Field(default="montage", description="the stem of the file's name")
    order: str = Field(
        default="received",
        description='"received", "sender", "filename", "shuffle:SEED", or the path of a file of '
        "SHAs, one a line",
    )
    transition_seconds: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="crossfade; shortened to half of the shorter neighbour; 0 cuts hard",
    )
    transition: Transition = Field(default="fade", description="how FFmpeg's xfade fades")
    max_seconds: float = Field(
        default=0, ge=0, description="a clip with which the whole would be longer stays out; 0: all"
    )
    max_clip_seconds: float = Field(
        default=0, ge=0, description="of a longer clip the beginning is shown; 0: all of it"
    )
    max_per_sender: int = Field(
        default=0, ge=0, description="the first so many clips of a sender go in; 0: all"
    )
    opening_card: str | None = Field(
        default=None, max_length=400, description='left out: the campaign\'s name; "": no card'
    )
    closing_card: bool = Field(default=True, description="thanks, and the handle")
    chapter_cards: bool = Field(
        default=False,
        description="a card before the clips of each category, which are put together",
    )
    music: str = Field(default="", description="a sound file under the clips' own sound")
    music_lufs: float = Field(
        default=-28.0, ge=-60, le=-10, description="the music's loudness where nobody speaks"
    )
    automatic: bool = Field(default=False, description="footage run renders at its end")
    style: Style = Field(default=Style(), description="see below")
