"""Sentences by code: each code has a sentence, each sentence is used, each place has a value."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pipeline
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail, details, sentence

ROOT = Path(pipeline.__file__).parent


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        if path.parent.name != "texts":
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def code_of(node: ast.AST) -> Detail | None:
    """The code that ``Detail.NAME`` names."""
    match node:
        case ast.Attribute(ast.Name("Detail"), name):
            return Detail[name]
    return None


def test_every_code_has_a_sentence() -> None:
    assert set(details()) == set(Detail)
    assert all(text.strip() for text in details().values())


def test_every_sentence_is_used() -> None:
    used = {code for _, tree in trees() for node in ast.walk(tree) if (code := code_of(node))}
    # rows of before there were codes are written by a migration only
    assert set(Detail) - used == {Detail.AS_WRITTEN}


def test_every_place_has_a_value() -> None:
    """A code with values is written where its values are: ``(…, Detail.NAME, {"name": …})``."""
    checked = set()
    for module, tree in trees():
        for node in ast.walk(tree):
            match node:
                case ast.Call(args=listed) | ast.Tuple(elts=listed):
                    pass
                case _:
                    continue
            for argument, values in zip_longest(listed, listed[1:]):
                if code := code_of(argument):
                    keys = values.keys if isinstance(values, ast.Dict) else []
                    names = {key.value for key in keys if isinstance(key, ast.Constant)}
                    assert names == places(details()[code]), f"{module}:{node.lineno}: {code}"
                    checked.add(code)
    assert {code for code in Detail if code and places(details()[code])} <= checked


def test_a_sentence_is_made_when_it_is_shown() -> None:
    refusal = Refusal(Reason.TOO_LONG, Detail.TOO_LONG, {"seconds": 2000, "allowed": 1800})
    assert refusal.detail == "2000 s long, more than the 1800 s allowed"
    assert sentence(Detail.AS_WRITTEN, {"text": "as it {was}"}) == "as it {was}"


def test_a_missing_value_breaks_no_row() -> None:
    assert sentence(Detail.TOO_SLOW, {}) == "it took longer than the {seconds} s allowed"
