"""Leave out the footers of companies: "If you are not the intended recipient, please delete this".

A footer is for people who got the message by mistake.  So its words do not mean that the sender
refuses.  A sentence counts as one of a footer only if it names neither footage nor its writer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pipeline.texts import few_words, phrases
from pipeline.texts.phrases import Phrase, SaidWords, one_of

_PARAGRAPHS = re.compile(r"(\n[^\S\n]*(?:\n[^\S\n]*)+)")
_SENTENCE = re.compile(r"[^.!?。！？।\n]+[.!?。！？।\n]*|[.!?。！？।\n]+")
_WRAPPED = 50  # characters of a line from which on a mail program breaks it
_MARK = "\x00"  # for a line that a mail program broke


def without(own: str) -> str:
    """A text without the sentences of footers.

    :param own: what the sender wrote, as a folded text with its lines.
    """
    words = SaidWords.of(own)
    wanted = [phrase for phrase in _conditions() if phrase.fits(words)]
    if not wanted and not _signs().search(own):
        return own
    return "".join(_kept(part, wanted) for part in _PARAGRAPHS.split(own))


def _kept(paragraph: str, wanted: list[Phrase]) -> str:
    """A paragraph without the sentences of a footer, which begin with one about the recipient."""
    return "".join(_kept_sentences(_unwrapped(paragraph), wanted)).replace(_MARK, "\n")


def _kept_sentences(text: str, wanted: list[Phrase]) -> Iterator[str]:
    is_footer = False
    for sentence in _SENTENCE.findall(text):
        plain = sentence.replace(_MARK, " ")
        found = _condition(plain, wanted)
        if found is not None and not _spoken().search(plain[:found]):
            is_footer = not _footage().search(plain)
        elif is_footer:
            is_footer = bool(_about().search(plain)) and not (
                _spoken().search(plain) or few_words.refuses(plain)
            )
        if not is_footer:
            yield sentence


def _condition(sentence: str, wanted: list[Phrase]) -> int | None:
    """Where the words about a wrong recipient begin in a sentence."""
    for pattern in (_signs(), *(phrase.pattern for phrase in wanted)):
        if found := pattern.search(sentence):
            return found.start()
    return None


def _unwrapped(paragraph: str) -> str:
    """A paragraph in which long lines are joined with the next one; a short one ends a sentence."""
    lines = paragraph.split("\n")
    ends = [_MARK if len(line) >= _WRAPPED else "\n" for line in lines[:-1]]
    return "".join(line + end for line, end in zip(lines, [*ends, ""], strict=True))


@cache
def _conditions() -> tuple[Phrase, ...]:
    return phrases.compiled(phrases.loaded("taking_back")["footers"]["conditions"], {})


@cache
def _signs() -> re.Pattern[str]:
    return one_of(phrases.loaded("taking_back")["footers"]["signs"])


@cache
def _about() -> re.Pattern[str]:
    return one_of(phrases.loaded("taking_back")["footers"]["words"])


@cache
def _footage() -> re.Pattern[str]:
    """The words for footage that no footer has: it speaks of files and material."""
    loaded = phrases.loaded("taking_back")
    files = loaded["footers"]["files"]
    listed = "|".join(each for table in loaded.values() for each in table.get("footage", ()))
    return one_of([each for each in listed.split("|") if each not in files])


@cache
def _spoken() -> re.Pattern[str]:
    """The words for the writer and for footage."""
    writer = phrases.loaded("taking_back")["lists"]["writer"]
    return re.compile(f"{one_of(writer).pattern}|{_footage().pattern}")
