"""Recognise words by which a sender may take footage back, in several languages.

The words are in ``taking_back.toml``.  They only decide that a person has to read the mail, so a
phrase that fits too often costs a minute, and one that is missing may hurt somebody.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Self, TypedDict

_READ = 4096  # characters of a mail
_GAP = r"(?:[^\w\n]+[\w']+){0,5}?[^\w\n]+"
_LONGEST_BEGINNING = 24  # characters of a word that are compared
_SENTENCE_END = "\n。！？।"  # where a phrase ends in languages that are read by characters
_SENTENCE = re.compile(r"[^.!?。！？।;\n]+")
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")


class _Language(TypedDict, total=False):
    gap: int  # characters between the words of a phrase; left out: five words
    footage: list[str]
    words: list[str]
    writer: list[str]
    harmless: list[str]
    phrases: list[str]
    starts: list[str]


@dataclass(frozen=True)
class _Words:
    """The words of a text, and their beginnings."""

    whole: frozenset[str]
    beginnings: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """Take the words of a text, with and without what an apostrophe joins."""
        joined = {word.strip("'") for word in re.findall(r"[\w']+", text)}
        whole = joined | set(re.findall(r"\w+", text))
        sizes = range(1, _LONGEST_BEGINNING + 1)
        return cls(frozenset(whole), frozenset(word[:size] for word in whole for size in sizes))


@dataclass(frozen=True)
class _Phrase:
    """A phrase as a pattern, what is passed over before, and the words that a text must have.

    ``parts`` make a text quick to pass: without these words, the pattern is not tried.
    """

    pattern: re.Pattern[str]
    harmless: re.Pattern[str] | None
    parts: tuple[tuple[frozenset[str], frozenset[str]], ...]

    def fits(self, words: _Words) -> bool:
        """Whether each word of the phrase is somewhere in the text."""
        return all(
            not exact.isdisjoint(words.whole) or not begins.isdisjoint(words.beginnings)
            for exact, begins in self.parts
        )

    def bare(self, text: str) -> str:
        """A text without what is passed over."""
        return text if self.harmless is None else self.harmless.sub(";", text)


def is_meant(subject: str, text: str) -> bool:
    """Whether a subject or a text has words of taking footage back.

    What is quoted from an earlier mail does not count.
    """
    own = "\n".join(_own_lines(_folded(text[:_READ])))
    said = _without_footers(f"{_folded(subject[:_READ])}\n{_joined(own)}")
    words = _Words.of(said)
    return any(
        phrase.pattern.search(phrase.bare(said)) for phrase in _phrases() if phrase.fits(words)
    )


def names_footage(text: str) -> bool:
    """Whether a text has a word for footage, in any of the languages."""
    return _footage().search(_folded(text[:_READ])) is not None


@cache
def _footage() -> re.Pattern[str]:
    words = (each for language in _loaded().values() for each in language.get("footage", ()))
    return _one_of("|".join(words).split("|"))


def _own_lines(text: str) -> Iterator[str]:
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if _quote_starts().match(line.strip()):
            if not _is_marked(lines[at + 1 : at + 4]):
                return
        elif not line.lstrip().startswith((">", "|")):
            yield line


def _is_marked(following: Sequence[str]) -> bool:
    """Whether each line of what is quoted has a mark, so that an answer may stand below it."""
    return next(filter(None, map(str.strip, following)), "").startswith(">")


def _joined(text: str) -> str:
    """Join lines that a mailer broke; an empty line ends a sentence."""
    return re.sub(r"(?<=[\w,])\n(?=\w)", " ", text)


def _without_footers(text: str) -> str:
    """A text without the sentences about a mailing list in which its writer says nothing."""
    lists, spoken = _footers()
    if lists.search(text) is None:
        return text
    return _SENTENCE.sub(
        lambda said: said[0] if spoken.search(said[0]) or not lists.search(said[0]) else " ", text
    )


@cache
def _footers() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The words for mailing lists; and those for the writer and for footage, in all languages."""
    loaded = _loaded()
    footage = [each for language in loaded.values() for each in language.get("footage", ())]
    named = "|".join((*loaded["lists"]["writer"], *footage)).split("|")
    return _one_of(loaded["lists"]["words"]), _one_of(named)


def _one_of(words: Sequence[str]) -> re.Pattern[str]:
    """A pattern for one of the words; those of languages without spaces stand anywhere."""
    return re.compile(
        "|".join(
            re.escape(folded) if folded >= "\u0900" else rf"(?<!\w){re.escape(folded)}{end}(?!\w)"
            for word in words
            for folded, end in [(_folded(word.rstrip("*")), r"\w*" if word[-1] == "*" else "")]
        )
    )


def _folded(text: str) -> str:
    """Fold case, widths and the accents of Latin letters."""
    split = unicodedata.normalize("NFKD", text.casefold()).translate(_APOSTROPHES)
    bare = "".join(char for char in split if not "\u0300" <= char <= "\u036f" or char == "\u0306")
    return unicodedata.normalize("NFKC", bare).replace("ß", "ss")


@cache
def _phrases() -> tuple[_Phrase, ...]:
    made = []
    for language in _loaded().values():
        harmless = language.get("harmless")
        passed_over = _any_of(harmless, language) if harmless else None
        for phrase in language.get("phrases", ()):
            parts = () if "gap" in language else tuple(_parts(phrase, language))
            made.append(_Phrase(_any_of([phrase], language), passed_over, parts))
    return tuple(made)


def _parts(phrase: str, language: _Language) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """For each word of a phrase, its forms and the beginnings of its forms."""
    for part in phrase.replace(" … ", " ").split():
        listed = _alternatives(part, language["footage"])
        exact = frozenset(_folded(each) for each in listed if not each.endswith("*"))
        begins = (_folded(each[:-1])[:_LONGEST_BEGINNING] for each in listed if each[-1] == "*")
        yield exact, frozenset(begins)


def _any_of(phrases: Sequence[str], language: _Language) -> re.Pattern[str]:
    return re.compile("|".join(_phrase(phrase, language) for phrase in phrases))


@cache
def _quote_starts() -> re.Pattern[str]:
    starts = _loaded()["quotes"]["starts"]
    return re.compile("|".join(_gapped(each, [], r"[^\n]{0,200}?") for each in starts))


def _phrase(phrase: str, language: _Language) -> str:
    footage = language["footage"]
    if "gap" in language:
        return _gapped(phrase, footage, f"[^{_SENTENCE_END}]{{0,{language['gap']}}}?")
    words = [_word(each, footage) for each in phrase.replace(" … ", " ").split()]
    gaps = [_GAP if each else r"[^\w\n]+" for each in _gaps(phrase.split())]
    return r"(?<!\w)" + "".join(w + g for w, g in zip(words, [*gaps, ""], strict=True))


def _gaps(parts: Sequence[str]) -> list[bool]:
    """For each joint between two words of a phrase, whether other words may stand there."""
    return [parts[index + 1] == "…" for index, part in enumerate(parts[:-1]) if part != "…"]


def _word(alternatives: str, footage: Sequence[str]) -> str:
    listed = _alternatives(alternatives, footage)
    ends = {each: r"\w*" if each.endswith("*") else "" for each in listed}
    forms = (re.escape(_folded(each.rstrip("*"))) + end for each, end in ends.items())
    return f"(?:{'|'.join(forms)})(?!\\w)"


def _alternatives(part: str, footage: Sequence[str]) -> list[str]:
    listed = part.split("|")
    if "FOOTAGE" in listed:
        listed = [*(each for each in listed if each != "FOOTAGE"), *"|".join(footage).split("|")]
    return listed


def _gapped(phrase: str, footage: Sequence[str], gap: str) -> str:
    return gap.join(
        f"(?:{'|'.join(_forms(part.strip().split('|'), footage))})" for part in phrase.split("…")
    )


def _forms(listed: Sequence[str], footage: Sequence[str]) -> Iterator[str]:
    for each in listed:
        for word in footage if each == "FOOTAGE" else [each]:
            yield re.escape(_folded(word.rstrip("*")))


@cache
def _loaded() -> dict[str, _Language]:
    file = resources.files("pipeline.texts").joinpath("taking_back.toml")
    loaded: dict[str, _Language] = tomllib.loads(file.read_text("utf-8"))
    return loaded
