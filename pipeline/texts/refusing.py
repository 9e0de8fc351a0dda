"""Recognise a refusal in a mail that may answer our question, in several languages.

The words are the lists ``no``, ``short_no`` and ``stopping`` of ``consent.toml``, and
``objecting``, ``short`` and ``waiting`` of ``taking_back.toml``.  As with ``taking_back``, they
only decide that a person has to read the mail.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pipeline.texts import phrases
from pipeline.texts.phrases import READ, SENTENCE, Phrase, SaidWords, folded, one_of

_PIECE = re.compile(r"[,،、.!?:;؛؟。।\n–—()\"]+|\s-+\s")
_WORD = re.compile(r"[\u3040-\u9fff]{1,2}|[^\s\u3040-\u9fff]+")
"""A word; in languages without blanks, two signs count as one."""
_SHORT = 4  # words of a sentence that asks to stop or to wait, and says no more
_FEW = 8  # words of a part of a sentence that objects, and says no more
_SIGNS = frozenset("👎🚫❌⛔🙅")


@dataclass(frozen=True)
class _Refusals:
    """The words of one language."""

    no: tuple[Phrase, ...]
    short_no: re.Pattern[str]
    yes: tuple[Phrase, ...]
    short_yes: re.Pattern[str]


def is_refusal(subject: str, own: str) -> bool:
    """Whether a mail may refuse: it says no, a part of it begins with "no", or it says "stop".

    :param subject: as it is written.
    :param own: what the sender wrote, as a folded text with its lines.
    """
    said = f"{folded(subject[:READ])}\n{phrases.joined(own)}"
    if not _SIGNS.isdisjoint(said):
        return True
    words = SaidWords.of(said)
    # the subject of an answer is ours, and a campaign may be called "No Coal" or "Stop Coal"
    short = own if ":" in subject else f"{folded(subject[:READ])}\n{own}"
    pieces = _pieces(without_harmless(short))
    return any(
        any(phrase.is_in(said, words) for phrase in language.no)
        or any(map(language.short_no.match, pieces))
        for language in _languages()
    ) or any(
        _counts(sentence, _SHORT)
        and _stopping().search(sentence)
        and _stopping().search(without_harmless(sentence))
        for sentence in SENTENCE.findall(short)
    )


def objects_briefly(own: str) -> bool:
    """Whether a few words have one of deletion or objection, or a part begins with "wait".

    :param own: what the sender wrote, as a folded text with its lines.
    """
    return any(
        (_counts(piece, _FEW) and _brief().search(piece)) or _waiting().match(piece)
        for piece in _pieces(without_harmless(own))
    )


def _counts(text: str, most: int) -> bool:
    """Whether a text has so few words."""
    return len(_WORD.findall(text)) <= most


def objects(said: str, words: SaidWords) -> bool:
    """Whether a sentence says that somebody does not want it, as in "My mother is against it".

    :param said: a folded text; *words* are those of it.
    """
    return any(
        phrase.is_in(said, words) and phrase.is_in(without_harmless(said), words)
        for phrase in _objecting()
    ) or any(phrase.is_in(said, words) for language in _languages() for phrase in language.no)


def says_yes(said: str, words: SaidWords) -> bool:
    """Whether a folded text has words of a "yes"; *words* are those of it."""
    pieces = _pieces(said)
    return any(
        any(map(language.short_yes.match, pieces))
        or any(phrase.is_in(said, words) for phrase in language.yes)
        for language in _languages()
    )


def _pieces(said: str) -> list[str]:
    """The parts of sentences in a text."""
    return [piece.strip() for piece in _PIECE.split(said)]


@cache
def _languages() -> tuple[_Refusals, ...]:
    return tuple(
        _Refusals(
            phrases.compiled(table["no"], table),
            phrases.short(table["short_no"]),
            phrases.compiled(table["yes"], table),
            phrases.short(table["short_yes"]),
        )
        for table in phrases.loaded("consent").values()
    )


@cache
def _objecting() -> tuple[Phrase, ...]:
    return tuple(
        phrase
        for language in phrases.loaded("taking_back").values()
        for phrase in phrases.compiled(language.get("objecting", ()), language)
    )


def without_harmless(said: str, instead: str = ";") -> str:
    """A text without what is harmless in one of the languages, as "no problem" is."""
    for pattern in _harmless():
        said = pattern.sub(instead, said)
    return said


@cache
def _harmless() -> tuple[re.Pattern[str], ...]:
    files = (phrases.loaded("consent"), phrases.loaded("taking_back"))
    tables = [table for file in files for table in file.values() if "harmless" in table]
    made = (phrases.compiled(["-"], table)[0].harmless for table in tables)
    return tuple(filter(None, made))


@cache
def _brief() -> re.Pattern[str]:
    languages = phrases.loaded("taking_back").values()
    return one_of([each for table in languages for each in table.get("short", ())])


@cache
def _waiting() -> re.Pattern[str]:
    languages = phrases.loaded("taking_back").values()
    return one_of([each for table in languages for each in table.get("waiting", ())])


@cache
def _stopping() -> re.Pattern[str]:
    return one_of(
        [each for table in phrases.loaded("consent").values() for each in table["stopping"]]
    )
