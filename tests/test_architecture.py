"""docs/architecture.md names modules that exist, and a walk enters few of them twice."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from test_imports import LAYERS

import pipeline

PACKAGE = Path(pipeline.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"(?ms)^## (.+?)\n(.*?)(?=^## |\Z)", PAGE))
WALKS = [text for name, text in SECTIONS.items() if name.startswith("The walk of")]
FILE = re.compile(r"`([\w/]+\.(?:py|js|json|sql))`")


def test_every_file_that_the_page_names_exists() -> None:
    named = set(FILE.findall(PAGE))
    assert len(named) > 40
    places = (PACKAGE, PACKAGE.parent)
    missing = {name for name in named if not any((place / name).exists() for place in places)}
    assert missing == set()


def test_a_walk_enters_each_file_at_most_twice() -> None:
    assert len(WALKS) == 3
    for walk in WALKS:
        steps = re.findall(r"(?m)^\| \d+ \| .+ \| (.+) \|$", walk)
        assert len(steps) >= 7
        entered = Counter(name for step in steps for name in set(FILE.findall(step)))
        assert {name: count for name, count in entered.items() if count > 2} == {}


def test_the_layers_are_those_of_the_code() -> None:
    rows = re.findall(r"(?m)^\| (\w+) \| ((?:`\w+` ?)+) \|", SECTIONS["The house"])
    told = {layer: set(re.findall(r"`(\w+)`", names)) for layer, names in rows}
    assert told == {layer: names - {"__init__"} for layer, names in LAYERS.items()}
