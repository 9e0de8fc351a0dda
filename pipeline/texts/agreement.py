"""Whole sentences by which a sender agrees, and polite ones beside them.

They are in ``agreeing.toml``.  A sentence with any other word in it agrees to nothing: no list of
the words that limit, deny or doubt is ever complete.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from pipeline.texts.phrases import HARMLESS_SIGNS, WORD, folded

_Table = Mapping[str, list[str]]
_LISTS = ("sentences", "answers", "polite", "kind")
_DECORATION = "".join(HARMLESS_SIGNS)


@dataclass(frozen=True)
class WholeSentences:
    """The sentences of one language; each takes a sentence from its first to its last word."""

    agrees: re.Pattern[str]
    answers: re.Pattern[str]
    polite: re.Pattern[str]
    kind: re.Pattern[str]

    def is_agreement(self, sentence: str, *, is_answer: bool) -> bool:
        """Whether a folded sentence agrees, and says nothing else.

        :param is_answer: whether the mail answers a question of ours.
        """
        words = plain(sentence)
        return self.agrees.fullmatch(words) is not None or (
            is_answer and self.answers.fullmatch(words) is not None
        )

    def is_polite(self, sentence: str) -> bool:
        """Whether a folded sentence only greets, thanks, or gives a name to show."""
        words = plain(sentence)
        return not words or self.polite.fullmatch(words) is not None

    def is_kind(self, sentence: str) -> bool:
        """Whether a folded sentence is polite, or says or asks what limits nothing."""
        words = plain(sentence)
        return not words or any(it.fullmatch(words) for it in (self.polite, self.kind))


def plain(sentence: str) -> str:
    """The words of a folded sentence, a blank behind each."""
    words = (word.strip(_DECORATION) for word in WORD.findall(sentence))
    return "".join(f"{word} " for word in words if word)


@cache
def whole_sentences(language: str) -> WholeSentences:
    """The sentences of a language (ISO 639-1)."""
    text = resources.files("pipeline.texts").joinpath("agreeing.toml").read_text("utf-8")
    table: _Table = tomllib.loads(text)[language]
    return WholeSentences(*(re.compile(_one_of(table[name], table)) for name in _LISTS))


def _one_of(wanted: Sequence[str], table: _Table) -> str:
    return "|".join("".join(_word(each, table) for each in phrase.split()) for phrase in wanted)


def _word(word: str, table: _Table) -> str:
    bare = word.removesuffix("?")
    if bare.isupper():
        inside = _one_of(table[bare.lower()], table)
    else:
        inside = "|".join(f"{re.escape(folded(each))} " for each in bare.split("|"))
    return f"(?:{inside}){'?' if bare != word else ''}"
