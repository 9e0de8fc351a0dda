"""A change redoes what it touches, and nothing else; one clip's words stop no night."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image
from support.command_scene import CommandScene, begin, config

QUICK = '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n[review]\nrequired = false\n'
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'
CATEGORY = (
    '[[campaign.category]]\nname = "signs"\nmatch = "subject"\npattern = "sign"\n'
    'hashtags = ["#HoldASign"]\n'
)


def picture(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


@pytest.fixture(scope="module")
def processed(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """Three clips, two of them of a category; made."""
    mails = {
        "a sign": {"red.png": picture("red"), "green.png": picture("green")},
        "other": {"blue.png": picture("blue"), "broken.png": picture("white")[:60]},
    }
    folder = tmp_path_factory.mktemp("made")
    made = begin(folder, mails, config(CATEGORY + QUICK, outputs=OUTPUT))
    assert made.footage("run").code == 0
    return made


@pytest.fixture
def campaign(processed: CommandScene, tmp_path: Path) -> CommandScene:
    return processed.copy(tmp_path)


def redone(campaign: CommandScene, *change: tuple[str, str]) -> Counter[str]:
    """Which clips are encoded again after changes of the configuration."""
    path = campaign.folder / "config.toml"
    text = path.read_text()
    for old, new in change:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    names = {row["sha256"]: name for name, row in campaign.rows.items()}
    before = len(campaign.programs())
    assert campaign.footage("process").code == 0
    assert campaign.footage("report").code == 0
    encodes = [p for p in campaign.programs()[before:] if p["purpose"] == "encode"]
    words = [" ".join(program["argv"]) for program in encodes]
    return Counter(name for sha256, name in names.items() for argv in words if sha256 in argv)


def test_nothing_changed(campaign: CommandScene) -> None:
    assert redone(campaign) == {}


def test_hashtags_of_a_category(campaign: CommandScene) -> None:
    assert redone(campaign, ("#HoldASign", "#ShowASign")) == {"red.png": 1, "green.png": 1}
    assert campaign.rows["red.png"]["caption"] == "#RiverWeek #ShowASign"


def test_the_name_of_a_category(campaign: CommandScene) -> None:
    assert redone(campaign, ('name = "signs"', 'name = "placards"')) == {}
    assert campaign.rows["red.png"]["category"] == "placards"
    assert campaign.rows["blue.png"]["category"] is None


def test_the_longest_length(campaign: CommandScene) -> None:
    assert redone(campaign, ("[process]\n", "[process]\nmax_source_seconds = 900\n")) == {}


def test_the_campaigns_hashtags(campaign: CommandScene) -> None:
    assert redone(campaign, ("#RiverWeek", "#Rivers")) == dict.fromkeys(
        ("red.png", "green.png", "blue.png"), 1
    )


def test_a_reviewers_words_that_no_font_has(campaign: CommandScene) -> None:
    decisions = campaign.folder / "decisions.json"
    sha256 = campaign.rows["red.png"]["sha256"]
    entry = {"sha256": sha256, "decision": "approved", "caption": "Look \U0003fffd"}
    listed = {"schema": 1, "campaign": "River Week 2026", "decisions": [entry]}
    decisions.write_text(json.dumps(listed))
    assert campaign.footage("decide", str(decisions)).code == 0
    said = campaign.footage("run")
    assert said.code == 3
    assert campaign.rows["red.png"]["status"] == "failed"
    assert "the character U+3FFFD" in campaign.rows["red.png"]["reason"]["detail"]
    assert campaign.rows["blue.png"]["status"] == "accepted"


def test_an_original_with_other_bytes_than_its_name_is_not_used(campaign: CommandScene) -> None:
    """Another photo under its name would be shown as what this sender sent."""
    rows = campaign.rows
    red, green = (rows[name]["sha256"] for name in ("red.png", "green.png"))
    originals = campaign.work / "originals"
    (originals / red[:2] / red).write_bytes((originals / green[:2] / green).read_bytes())
    (campaign.work / rows["red.png"]["outputs"][0]["path"]).unlink()
    assert campaign.footage("process").code == 3
    assert campaign.footage("report").code == 3
    assert campaign.rows["red.png"]["reason"]["code"] == "internal"
    assert "does not have the bytes" in campaign.rows["red.png"]["reason"]["detail"]
    assert campaign.rows["green.png"]["status"] == "accepted"
