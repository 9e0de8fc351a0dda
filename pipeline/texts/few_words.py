"""Recognise a refusal in few words, or half of one: "No, sorry", "photo yes, video no".

Each word of it must be in the lists ``refusing``, ``beside``, ``parts`` and ``footage`` of
``taking_back.toml``, and one in ``refusing``.  In a language without blanks, these words are taken
out of the text, and no letter may be left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pipeline.texts import phrases
from pipeline.texts.phrases import SENTENCE, Language, folded, one_of

_WORD = re.compile(r"[^\s.,;:!?()\[\]\"„“”«»…।،؟¿¡？！。*_/–—-]+")
_PIECE = re.compile(r"[,،、.!?:;؛؟。।\n–—()\"&+]+|\s-+\s")
_ANY_LETTER = re.compile(r"\w")


@dataclass(frozen=True)
class _Words:
    """The words of a refusal in a language with blanks; ``all`` may be in a bare one."""

    refusing: frozenset[str]
    all: frozenset[str]
    parts: re.Pattern[str]

    def is_bare(self, words: list[str]) -> bool:
        """Whether the words of a sentence only refuse."""
        return not self.refusing.isdisjoint(words) and self.all.issuperset(words)

    def is_half(self, words: list[str]) -> bool:
        """Whether the words of a part of a sentence only refuse, or name what they refuse."""
        return not self.refusing.isdisjoint(words) and all(
            self.parts.fullmatch(word) for word in words if word not in self.all
        )


@dataclass(frozen=True)
class _Signs:
    """The words of a refusal in a language without blanks."""

    refusing: re.Pattern[str]
    all: re.Pattern[str]
    parts: re.Pattern[str]

    def is_bare(self, sentence: str) -> bool:
        """Whether a sentence only refuses."""
        return self._is_only(self.all, sentence)

    def is_half(self, piece: str) -> bool:
        """Whether a part of a sentence only refuses, or names what it refuses."""
        return self._is_only(self.parts, piece)

    def _is_only(self, words: re.Pattern[str], text: str) -> bool:
        if self.refusing.search(text) is None or _ANY_LETTER.search(words.sub("", text)):
            return False
        return any(map(self.refusing.fullmatch, words.findall(text)))


def refuses(said: str) -> bool:
    """Whether a sentence of a folded text has only words of a refusal, as in "No, sorry"."""
    spoken, signs = _spoken(said)
    if not spoken and not signs:
        return False
    return any(
        any(language.is_bare(words) for language in spoken)
        or any(language.is_bare(sentence) for language in signs)
        for sentence in SENTENCE.findall(said)
        for words in [_WORD.findall(sentence)]
    )


def refuses_a_part(said: str) -> bool:
    """Whether a part of a sentence of a folded text refuses, as in "photo yes, video no"."""
    spoken, signs = _spoken(said)
    if not spoken and not signs:
        return False
    return any(
        any(language.is_half(words) for language in spoken)
        or any(language.is_half(piece) for language in signs)
        for sentence in _PIECE.split(said)
        for piece in _but().split(sentence)
        for words in [_WORD.findall(piece)]
    )


def _spoken(said: str) -> tuple[list[_Words], list[_Signs]]:
    """The languages with a word that refuses in the text."""
    found = frozenset(_WORD.findall(said))
    words, signs = _languages()
    return (
        [each for each in words if not each.refusing.isdisjoint(found)],
        [each for each in signs if each.refusing.search(said)],
    )


@cache
def _languages() -> tuple[tuple[_Words, ...], tuple[_Signs, ...]]:
    tables = [it for it in phrases.loaded("taking_back").values() if it.get("refusing")]
    return (
        tuple(_words(table) for table in tables if not table.get("unspaced")),
        tuple(_signs(table) for table in tables if table.get("unspaced")),
    )


def _words(table: Language) -> _Words:
    refusing = frozenset(map(folded, table.get("refusing", ())))
    beside = frozenset(map(folded, table.get("beside", ())))
    return _Words(refusing, refusing | beside, one_of(list(_named(table))))


def _signs(table: Language) -> _Signs:
    refusing = table.get("refusing", [])
    bare = [*refusing, *table.get("beside", ())]
    return _Signs(_longest(refusing), _longest(bare), _longest([*bare, *_named(table)]))


def _named(table: Language) -> Iterator[str]:
    """What half of a refusal may refuse: footage, or a part of it."""
    for each in table.get("footage", ()):
        yield from each.split("|")
    yield from table.get("parts", ())


def _longest(words: list[str]) -> re.Pattern[str]:
    """A pattern for one of the words, wherever it is; the longest one is found."""
    longest_first = sorted({folded(word.rstrip("*")) for word in words}, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


@cache
def _but() -> re.Pattern[str]:
    """The words that divide a sentence into what is allowed and what is not."""
    return one_of(phrases.loaded("taking_back")["halves"]["words"])
