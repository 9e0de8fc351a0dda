"""The table ``[montage]``: how the clips become one film."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pipeline.config.section import Name, Section

HexColour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]

# The transitions of FFmpeg's xfade, without those that need an expression.
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

    ground: HexColour = Field(default="#102A36", description="the cards' colour at the top")
    ground_below: HexColour = Field(
        default="#091620", description="the cards' colour at the bottom"
    )
    ink: HexColour = Field(default="#F4F7F6", description="the title's colour")
    quiet_ink: HexColour = Field(default="#A7C7CA", description="the smaller lines' colour")
    logo: str = Field(
        default="",
        description="a picture (PNG, JPEG) above the title of the opening and closing card",
    )
    font: str = Field(
        default="", description="a TrueType or OpenType file, used for the characters that it has"
    )


class Montage(Section):
    """How the clips become one film."""

    name: Name = Field(default="montage", description="the stem of the file's name")
    order: str = Field(
        default="received",
        description='"received", "sender", "filename", "shuffle:SEED", or the path of a file with '
        "one SHA-256 on each line",
    )
    transition_seconds: float = Field(
        default=0.0,
        ge=0,
        le=10,
        description="the crossfade, at most half as long as the shorter clip; 0: hard cuts",
    )
    transition: Transition = Field(default="fade", description="the transition of FFmpeg's xfade")
    max_seconds: float = Field(
        default=0, ge=0, description="a clip that would make the montage longer is left out; 0: all"
    )
    max_clip_seconds: float = Field(
        default=0, ge=0, description="a longer clip is cut at its end; 0: no limit"
    )
    max_per_sender: int = Field(
        default=0, ge=0, description="only this many clips of one sender, the first ones; 0: all"
    )
    opening_card: str | None = Field(
        default=None,
        max_length=400,
        description='its text; left out: the campaign\'s name; "": no card',
    )
    closing_card: bool = Field(
        default=True, description="a card that says thank you and shows the handle"
    )
    chapter_cards: bool = Field(
        default=False,
        description="groups the clips by category, with a card before each group",
    )
    music: str = Field(default="", description="a sound file under the clips' own sound")
    music_lufs: float = Field(
        default=-28.0,
        ge=-60,
        le=-10,
        description="the loudness of the music where the clips are silent",
    )
    automatic: bool = Field(default=False, description="footage run renders at its end")
    style: Style = Field(default=Style(), description="see below")
