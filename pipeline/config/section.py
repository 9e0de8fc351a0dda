"""The base class of all tables of ``config.toml``."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Section(BaseModel):
    """A table of the file: frozen, with exact types and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
