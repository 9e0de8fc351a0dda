"""Outputs whose stills can't be scaled to whole pixels: upright ones, as telephones show them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import begin, config

SETTINGS = (
    '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n[review]\nrequired = false\n'
    '[montage]\nopening_card = ""\nclosing_card = false\n'
)


@pytest.mark.parametrize(("size", "poster"), [("720x1280", 720), ("1440x1082", 1280)])
def test_clip_and_montage_of_any_shape_pass_the_judge(
    tmp_path: Path, size: str, poster: int
) -> None:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(data, "PNG")
    output = f'[[output]]\nname = "tall"\nsize = "{size}"\nfps = 30\nquality = "draft"\n'
    campaign = begin(
        tmp_path, {"one": {"teal.png": data.getvalue()}}, config(SETTINGS, outputs=output)
    )
    said = campaign.footage("run")
    assert said.code == 0, said.err
    assert campaign.rows["teal.png"]["status"] == "accepted"
    said = campaign.footage("render")
    assert said.code == 0, said.err
    with Image.open(campaign.work / "montage" / "montage-tall.jpg") as image:
        assert image.width == poster
        assert "jfif_density" not in image.info or image.info["jfif_density"] == (1, 1)
