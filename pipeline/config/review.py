"""The tables ``[review]`` and ``[report]``."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.section import Section
from pipeline.wording import SenderStyle


class ReviewSection(Section):
    """Whether the montage takes only clips that somebody approved."""

    required: bool = Field(
        default=True,
        description="only approved clips are rendered; false: all except those rejected or held",
    )


class Report(Section):
    """What the report shows."""

    sender: SenderStyle = Field(
        default="masked", description="how senders are named in HTML, JSON and CSV"
    )
