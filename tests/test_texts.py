"""Sentences by code: each code has a sentence, each sentence is used, each place has a value."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import cast

import pipeline
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail, details, phrases, sentence
from pipeline.texts.phrases import SaidWords, folded

ROOT = Path(pipeline.__file__).parent


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@cache
def trees() -> list[tuple[str, ast.Module]]:
    return [
        (str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8")))
        for path in sorted(ROOT.rglob("*.py"))
        if path.parent.name != "texts"
    ]


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


def test_every_entry_of_the_phrase_tables_can_be_found() -> None:
    """A blank in an alternative, or an apostrophe at its end, must not hide what it stands for."""
    hidden = []
    for name in ("taking_back", "consent"):
        for language, table in phrases.loaded(name).items():
            bare = phrases.Language(**{**table, "harmless": []})
            for key in ("phrases", "objecting", "yes", "name", "no", "conditions", "harmless"):
                for entry in cast("list[str]", table.get(key, [])):
                    (phrase,) = phrases.compiled([entry], bare)
                    hidden += [
                        (language, key, entry, said)
                        for said in samples(entry, bare)
                        if not phrase.is_in(said, SaidWords.of(said))
                    ]
    assert hidden == []


def test_no_entry_of_the_phrase_tables_is_written_wrongly() -> None:
    """An empty alternative fits everything; a blank beside "|" makes one."""
    wrong = [
        (name, language, key, entry)
        for name in ("taking_back", "consent", "agreeing")
        for language, table in phrases.loaded(name).items()
        for key, entries in table.items()
        if isinstance(entries, list)
        for entry in cast("list[str]", entries)
        if entry != " ".join(entry.split())
        or not all(part.strip() == part != "" for part in entry.split("|"))
        or (key in ("refusing", "beside") and len(entry.split()) > 1)
        or re.search(r"\*(?![\s|]|$)", entry)
        or ("gap" not in table and name != "agreeing" and re.search(r"\S…|…\S", entry))
    ]
    assert wrong == []


def samples(entry: str, table: phrases.Language) -> Iterator[str]:
    """Texts that have a phrase, so that each of its alternatives is in one."""
    split = entry.split("…") if "gap" in table else entry.replace("…", " ").split()
    footage = "|".join(table.get("footage", [])).split("|")
    listed = [
        [
            it
            for each in part.strip().split("|")
            for it in (footage if each == "FOOTAGE" else [each])
        ]
        for part in split
    ]
    for place, alternatives in enumerate(listed):
        for alternative in alternatives:
            words = [each[0] for each in listed]
            words[place] = alternative
            yield folded(" ".join(words).replace("*", ""))
