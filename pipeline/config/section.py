"""The base classes of all tables of ``config.toml``."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PrivateAttr, StringConstraints, field_validator

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Section(BaseModel):
    """A table of the file: frozen, with exact types and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _no_nul(cls, value: object) -> object:
        texts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("must not have the character NUL in it")
        return value


class Located(Section):
    """A table that names paths."""

    _folder: Path = PrivateAttr(default=Path())

    def place_at(self, folder: Path) -> None:
        """Set the folder of the file, which its paths are relative to."""
        self._folder = folder

    def resolve(self, path: str) -> Path:
        """A path that the file names, relative to the file."""
        # a user that does not exist is not an error: the path then begins with a "~"
        return (self._folder / os.path.expanduser(path)).resolve()  # noqa: PTH111 - see above
