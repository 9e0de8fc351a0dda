"""The table ``[protect]``: whether faces are looked for."""

from typing import Literal

from pydantic import Field

from pipeline.config.section import Located

FaceMode = Literal["off", "propose", "always"]


class ProtectSection(Located):
    """Whether faces are looked for, and what is done with those that are found.

    It needs packages that `make extras` installs.
    """

    faces: FaceMode = Field(
        default="off",
        description="propose: a reviewer may take the masks that are proposed; always: every face "
        "that is found is masked, and a clip in which one is still seen is withheld",
    )
    model: str = Field(
        default="",
        description="the file of a model of your own: YuNet of 2023 or later, as OpenCV publishes "
        "it (ONNX); empty: CenterFace, which `make extras` installs",
    )

    @property
    def own_model(self) -> str:
        """The path of the user's own model; empty for CenterFace."""
        return str(self.resolve(self.model)) if self.model else ""
