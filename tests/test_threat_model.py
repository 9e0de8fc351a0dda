"""docs/threat-model.md promises nothing outside a row, and every promise names its tests."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "threat-model.md").read_text("utf-8")
CHAPTER = PAGE.split("\n## The walls\n")[1].split("\n## ")[0]
WALLS = dict(re.findall(r"(?ms)^### (.+?)\n(.*?)(?=^### |\Z)", CHAPTER))
NAMED = re.compile(r"`(test_\w+)::(test_\w+)`")
HEADS = ("| keeps out | test |", "| does not keep out | why |")


@cache
def named_in(module: str) -> frozenset[str]:
    """The names of the tests in a file of this folder."""
    tree = ast.parse((TESTS / f"{module}.py").read_text("utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions)


def rows(table: str) -> list[list[str]]:
    """The cells of each row below the head of a table."""
    return [line.strip("|").split(" | ") for line in table.strip().splitlines()[2:]]


def tables(wall: str) -> list[str]:
    return [part.strip() for part in WALLS[wall].split("\n\n") if part.strip()]


def is_a_sentence(text: str) -> bool:
    return bool(re.match(r"[A-Z0-9`]|bubblewrap", text)) and text.endswith(".")


def test_there_are_walls() -> None:
    assert len(WALLS) > 8


@pytest.mark.parametrize("wall", WALLS)
def test_a_wall_says_what_it_keeps_out_and_what_not_and_nothing_else(wall: str) -> None:
    assert [table.split("\n")[0] for table in tables(wall)] == list(HEADS)
    for table in tables(wall):
        assert len(rows(table)) >= 1
        for row in rows(table):
            assert len(row) == 2, row
            assert is_a_sentence(row[0].strip()), row[0]


@pytest.mark.parametrize("wall", WALLS)
def test_a_promise_names_tests_and_what_is_not_kept_out_a_reason(wall: str) -> None:
    kept, passing = map(rows, tables(wall))
    for sentence, names in kept:
        assert NAMED.sub("", names).replace(",", "").strip() == "", f"{sentence}: {names}"
        assert NAMED.search(names), sentence
    for sentence, why in passing:
        assert is_a_sentence(NAMED.sub("", why).strip()), f"{sentence}: {why}"


def test_every_test_that_is_named_exists() -> None:
    named = set(NAMED.findall(PAGE))
    assert len(named) > 60
    files = {path.stem for path in TESTS.glob("test_*.py")}
    missing = {f"{file}::{test}" for file, test in named
               if file not in files or test not in named_in(file)}  # fmt: skip
    assert missing == set()
    assert len(NAMED.findall(PAGE)) == PAGE.count("`test_"), "a name that is not FILE::TEST"
