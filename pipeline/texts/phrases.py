"""Phrases of several languages that are looked for in what a sender wrote.

A phrase is written in a data file.  "…" stands for up to five other words (with ``gap``: for up to
so many characters, in languages without spaces or with signs that are no letters), "a|b" for one
of both, and "FOOTAGE" for a word of the list ``footage``.  A word that ends in "*" may go on.  Case
and accents do not count.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Self, TypedDict

READ = 4096
"""How many characters of a mail are read."""

SENTENCE = re.compile(r"[^.!?。！？।;\n]+")
WORD = re.compile(r"[^\s.,;:!?()\[\]\"„“”«»…।،؟¿¡？！。<>*_/–—-]+")
"""A word of a folded text; an apostrophe may be in it."""
HARMLESS_SIGNS = frozenset("👍🙏😀😊🙂🌊❤☺\ufe0f+&")
"""Signs that say nothing against a "yes"."""

_GAP = r"(?:[^\w\n]+[\w']+){0,5}?[^\w\n]+"
_LONGEST_BEGINNING = 24  # characters of a word that are compared
_FIELD = re.compile(r"[^\s:：.!?]{1,24}(?: [^\s:：.!?]{1,24}){0,2} ?[:：]")
_WHOLE_WORD = re.compile(r"\w+(?:'\w+)*")
_ANY_WORD = re.compile(r"\w+")
_SENTENCE_END = "\n。！？।"  # where a phrase ends in languages that are read by characters
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛ʼʹʻˈ′`ꞌ՚", "'"))
_ACCENT_ALONE = re.compile(" [\u0300\u0301\u0313\u0314]")
"""What NFKD makes of an accent that is typed as an apostrophe, as in "don´t"."""
_BREVE = "\u0306"
_LETTERS = str.maketrans({"ß": "ss", "ı": "i", "ł": "l", "ø": "o"})
"""Letters that people write without their mark, and that NFKD does not divide."""


class Language(TypedDict, total=False):
    """The words of a language in a data file; each file uses some of the keys."""

    gap: int  # characters between the words of a phrase; left out: five words
    unspaced: bool  # no blanks are between its words
    footage: list[str]
    words: list[str]
    writer: list[str]
    harmless: list[str]
    phrases: list[str]
    objecting: list[str]
    short: list[str]
    refusing: list[str]
    beside: list[str]
    parts: list[str]
    waiting: list[str]
    starts: list[str]
    signs: list[str]
    files: list[str]
    question: str
    yes: list[str]
    name: list[str]
    no: list[str]
    conditions: list[str]
    limits: list[str]
    stopping: list[str]
    short_yes: list[str]
    short_no: list[str]
    greetings: list[str]
    courtesy: list[str]
    agreeing: list[str]


@dataclass(frozen=True)
class SaidWords:
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
class Phrase:
    """A phrase as a pattern, what is passed over before, and the words that a text must have.

    ``parts`` make a text quick to pass: without these words, the pattern is not tried.
    """

    pattern: re.Pattern[str]
    harmless: re.Pattern[str] | None
    parts: tuple[tuple[frozenset[str], frozenset[str]], ...]

    def is_in(self, text: str, words: SaidWords) -> bool:
        """Whether a folded text has the phrase; *words* are those of the text."""
        return self.fits(words) and self.pattern.search(self.bare(text)) is not None

    def fits(self, words: SaidWords) -> bool:
        """Whether each word of the phrase is somewhere in the text."""
        return all(
            not exact.isdisjoint(words.whole) or not begins.isdisjoint(words.beginnings)
            for exact, begins in self.parts
        )

    def bare(self, text: str) -> str:
        """A text without what is passed over."""
        return text if self.harmless is None else _without(self.harmless, text)


@lru_cache(maxsize=2)  # the phrases of a language follow each other
def _without(harmless: re.Pattern[str], text: str) -> str:
    return harmless.sub(";", text)


def own_lines(text: str) -> Iterator[int]:
    """Number the lines that are not quoted from an earlier mail.

    :param text: a folded text.
    """
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if not _quote_starts().match(line.strip()):
            if not line.lstrip().startswith((">", "|")):
                yield at
        elif not _is_marked(lines[at + 1 : at + 4]):
            if _begins_quote(line, lines[at + 1 : at + 8]):
                return
            yield at


def unmarked_quote(text: str) -> list[str]:
    """The lines of a folded text that are left out as quoted, and have no mark of a quote.

    The sender may have written some of them.  Lines with which a quote begins, and the fields of
    the quoted mail below them, are left out.
    """
    own, lines = set(own_lines(text)), text.split("\n")
    found, is_head = [], False
    for at, line in enumerate(lines):
        if at in own:
            continue
        if _quote_starts().match(line.strip()):
            is_head = True
        elif not line.strip():
            is_head = False
            found.append("")
        elif not line.lstrip().startswith((">", "|")):
            is_head = is_head and _FIELD.match(line.strip(" *")) is not None
            if not is_head:
                found.append(line)
    return found if any(found) else []


def _begins_quote(line: str, following: Sequence[str]) -> bool:
    """Whether a line with which a quote may begin is surely no sentence of the sender.

    It has a date and a colon, or fields of a mail below it.
    """
    if any(map(str.isdigit, line)) and line.rstrip(" *").endswith((":", "：")):
        return True
    below = [each.strip(" *") for each in following if each.strip(" -_*")][:3]
    fields = sum(_FIELD.match(each) is not None for each in below)
    if not line.strip().startswith(("-----", "_____")):
        return fields > 1
    is_title = bool(line.strip(" -_")) and line.rstrip().endswith("-----")
    return fields > (0 if is_title else 1) and any(map(_quote_starts().match, below))


def _is_marked(following: Sequence[str]) -> bool:
    """Whether each line of what is quoted has a mark, so that an answer may stand below it."""
    return next(filter(None, map(str.strip, following)), "").startswith(">")


def joined(text: str) -> str:
    """Join the lines of a folded text that a mailer broke; an empty line ends a sentence."""
    return re.sub(r"(?<=[\w,])\n(?=\w)", " ", text)


def one_of(words: Sequence[str]) -> re.Pattern[str]:
    """A pattern for one of the words; in languages without spaces they are found anywhere."""
    return re.compile(
        "|".join(
            re.escape(bare) if bare >= "\u0900" else rf"(?<!\w){re.escape(bare)}{end}(?!\w)"
            for word in words
            for bare, end in [(folded(word.rstrip("*")), r"\w*" if word[-1] == "*" else "")]
        )
    )


def short(words: Sequence[str]) -> re.Pattern[str]:
    """A pattern for the words of a short answer."""
    longest_first = sorted(map(folded, words), key=len, reverse=True)
    # \w does not match a vowel sign, but no word ends before one
    return re.compile(rf"(?:{'|'.join(map(re.escape, longest_first))})(?![\w\u0900-\u0963])")


def folded(text: str) -> str:
    """Fold case, widths, apostrophes and the accents of Latin letters.

    The breve of the Cyrillic "й" stays, and the Turkish "ı" is an "i", because capitals differ only
    there: "HAYIR" is "hayır".
    """
    split = unicodedata.normalize("NFKD", text.casefold())
    plain = _ACCENT_ALONE.sub("'", split).translate(_APOSTROPHES)
    bare = "".join(
        char
        for before, char in pairwise(f" {plain}")
        if not "\u0300" <= char <= "\u036f" or (char == _BREVE and before > "\u036f")
    )
    return unicodedata.normalize("NFKC", bare).translate(_LETTERS)


def compiled(phrases: Sequence[str], language: Language) -> tuple[Phrase, ...]:
    """Make patterns of phrases; what is ``harmless`` in the language is passed over."""
    harmless = language.get("harmless")
    passed_over = _any_of(harmless, language) if harmless else None
    made = []
    for phrase in phrases:
        parts = () if "gap" in language else tuple(_parts(phrase, language))
        made.append(Phrase(_any_of([phrase], language), passed_over, parts))
    return tuple(made)


def _parts(phrase: str, language: Language) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """For each word of a phrase, its forms and the beginnings of its forms."""
    for part in phrase.replace(" … ", " ").split():
        listed = _alternatives(part, language.get("footage", []))
        exact = frozenset(_known_word(folded(each)) for each in listed if not each.endswith("*"))
        begins = (folded(each[:-1])[:_LONGEST_BEGINNING] for each in listed if each[-1] == "*")
        yield exact, frozenset(begins)


def _known_word(alternative: str) -> str:
    """The first word of an alternative that is more than one word, as "peut-etre"."""
    if _WHOLE_WORD.fullmatch(alternative):
        return alternative
    found = _ANY_WORD.search(alternative)
    return found[0] if found else alternative


def _any_of(phrases: Sequence[str], language: Language) -> re.Pattern[str]:
    return re.compile("|".join(_phrase(phrase, language) for phrase in phrases))


@cache
def _quote_starts() -> re.Pattern[str]:
    starts = loaded("taking_back")["quotes"]["starts"]
    return re.compile("|".join(_gapped(each, [], r"[^\n]{0,200}?") for each in starts))


def _phrase(phrase: str, language: Language) -> str:
    footage = language.get("footage", [])
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
    return f"(?:{'|'.join(map(_word_form, listed))})(?!\\w)"


def _word_form(alternative: str) -> str:
    """A pattern for an alternative; one that ends in an apostrophe is joined to the next word."""
    plain = folded(alternative.rstrip("*"))
    if plain.endswith("'"):
        return f"{re.escape(plain[:-1])}(?=')"
    return re.escape(plain) + (r"\w*" if alternative.endswith("*") else "")


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
            yield re.escape(folded(word.rstrip("*")))


@cache
def loaded(name: str) -> dict[str, Language]:
    """Read a data file of this package: the tables by language."""
    file = resources.files("pipeline.texts").joinpath(f"{name}.toml")
    tables: dict[str, Language] = tomllib.loads(file.read_text("utf-8"))
    return tables
