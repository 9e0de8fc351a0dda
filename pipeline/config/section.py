"""What every table of ``config.toml`` is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Section(BaseModel):
    """A table of the file: frozen, of exact types, with no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
