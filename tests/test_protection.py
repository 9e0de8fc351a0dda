"""What is hidden of a clip: where an area is at a moment, and what a page may send."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.protection import (
    MOST_MASKS,
    MOST_POINTS,
    Mask,
    MaskFill,
    MaskPoint,
    MaskShape,
    Need,
    Protect,
    SoundChange,
    SoundChangeKind,
)
from pipeline.review import entries
from pipeline.review.entries import InvalidEntry

POINT: dict[str, Any] = {"at_s": 0, "x": 0.25, "y": 0.5, "width": 0.125, "height": 0.25}


def parsed(**fields: Any) -> dict[str, Any]:
    return entries.parse({"sha256": "a" * 64, "decision": "approved", **fields})[1]


def mask(**fields: Any) -> dict[str, Any]:
    return {"points": [POINT], **fields}


def test_an_area_moves_between_its_points_and_rests_outside_of_them() -> None:
    points = (MaskPoint(1.0, 0.0, 0.5, 0.2, 0.1), MaskPoint(3.0, 0.8, 0.0, 0.2, 0.3))
    moving = Mask(points, from_s=0.5, to_s=3.5)
    assert moving.area(0.0) == points[0]
    assert moving.area(1.0) == points[0]
    assert moving.area(2.0) == MaskPoint(2.0, 0.4, 0.25, 0.2, 0.2)
    assert moving.area(9.0) == points[1]
    assert [moving.is_shown(at) for at in (0.4, 0.5, 3.5, 3.6)] == [False, True, True, False]
    assert Mask(points).is_shown(1e6)


def test_a_page_sends_masks_and_changes_of_the_sound() -> None:
    values = parsed(
        masks=[mask(), mask(shape="ellipse", fill="blur", from_s=1, to_s=2.5, by="somebody else")],
        sounds=[{"kind": "mute"}, {"kind": "disguise", "from_s": 1.5, "to_s": None}],
        protect="public",
        needs=["ask-the-sender", "needs-blur"],
    )
    points = (MaskPoint(0.0, 0.25, 0.5, 0.125, 0.25),)
    ellipse = Mask(points, MaskShape.ELLIPSE, MaskFill.BLUR, 1.0, 2.5)
    assert values["masks"] == (Mask(points), ellipse)
    kinds = (SoundChange(SoundChangeKind.MUTE), SoundChange(SoundChangeKind.DISGUISE, 1.5))
    assert values["sounds"] == kinds
    assert values["protect"] == Protect.PUBLIC
    assert values["needs"] == (Need.MASK, Need.ANSWER)


@pytest.mark.parametrize(
    "fields",
    [
        {"masks": None},
        {"masks": {}},
        {"masks": [7]},
        {"masks": [{}]},
        {"masks": [{"points": []}]},
        {"masks": [mask(shape="star")]},
        {"masks": [mask(fill="mosaic")]},
        {"masks": [mask(origin="god")]},
        *({"masks": [mask(frame=bad)]} for bad in (7, None, "wide", "1920x1080", "0x9 fill")),
        {"masks": [mask(from_s=2, to_s=2)]},
        {"masks": [mask(from_s=-1)]},
        {"masks": [mask(to_s="end")]},
        {"masks": [mask(from_s=True)]},
        {"masks": [mask()] * (MOST_MASKS + 1)},
        {"masks": [{"points": [POINT, POINT]}]},
        {"masks": [{"points": [POINT | {"at_s": 1}, POINT]}]},
        {"masks": [{"points": [POINT | {"at_s": at} for at in range(MOST_POINTS + 1)]}]},
        *({"masks": [{"points": [POINT | {"x": bad}]}]} for bad in (-1.1, 2, None, "0", math.nan)),
        *({"masks": [{"points": [POINT | {"width": bad}]}]} for bad in (0, 2.5, -0.1, math.inf)),
        {"masks": [{"points": [POINT | {"at_s": 10**400}]}]},
        {"sounds": [{"kind": "scramble"}]},
        {"sounds": [{}]},
        {"sounds": [{"kind": "mute", "from_s": 3, "to_s": 1}]},
        {"protect": "everybody"},
        {"protect": None},
        {"needs": ["coffee"]},
        {"needs": ["needs-blur"] * 50},
        {"needs": [["needs-blur"]]},
    ],
)
def test_what_can_not_be_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidEntry):
        parsed(**fields)


def test_all_masks_of_a_clip_share_one_limit_of_points() -> None:
    many = [POINT | {"at_s": at} for at in range(MOST_POINTS // 2)]
    assert parsed(masks=[{"points": many}] * 2)
    with pytest.raises(InvalidEntry):
        parsed(masks=[{"points": many}] * 2 + [mask()])


def test_no_word_promises_more_than_a_mask_can_do() -> None:
    """Nobody is made anonymous or unrecognizable by a program; the texts never say so."""
    root = Path(__file__).parents[1]
    files = [path for folder in ("docs", "pipeline") for path in (root / folder).rglob("*.*")]
    files += [root / "README.md", root / "CHANGELOG.md", root / "config.toml"]
    kinds = {".md", ".py", ".json", ".js", ".html", ".toml", ".css"}
    said = [
        path.name
        for path in files
        if path.suffix in kinds
        and path.name != "consent.toml"  # what senders may write
        and re.search("anonym(ous|i[sz])|unrecogni[sz]", path.read_text("utf-8").lower())
    ]
    assert said == []
