"""The table ``[workspace]``: where the footage is kept, and for how long."""

from __future__ import annotations

from pydantic import Field, field_validator

from pipeline.config.section import Section


class WorkspaceSection(Section):
    """Where the footage is kept."""

    path: str = Field(default="work", min_length=1, description="the workspace folder")
    retain_originals_days: int = Field(
        default=30, ge=0, description="0: an original is deleted as soon as its clip is verified"
    )

    @field_validator("path")
    @classmethod
    def _local(cls, value: str) -> str:
        if "://" in value:
            raise ValueError("object-store workspaces are not available yet; name a folder")
        return value
