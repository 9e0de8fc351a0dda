"""What our own letters say, so that it is not taken for words of a sender who quotes it.

Some mail programs quote without a mark.  So a sentence of a quoted mail counts as the sender's,
unless it is a sentence of a letter, a receipt or a question of this program.
"""

import re
from collections.abc import Iterator
from functools import cache

from pipeline import texts
from pipeline.texts import phrases
from pipeline.texts.phrases import folded
from pipeline.texts.receipt import languages

_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCE = re.compile(r"[^.!?。！？।؟;]+")
_PLACE = re.compile(r"\\\{[a-z]+\\\}")  # for a value, in a text that re.escape has changed


def without(text: str) -> str:
    """The sentences of a folded text that are not ours, each a paragraph."""
    return "\n\n".join(
        sentence
        for sentence in _sentences(text)
        if sentence not in _plain() and not any(it.fullmatch(sentence) for it in _with_values())
    )


def _sentences(text: str) -> Iterator[str]:
    """The sentences of a text, each on one line: a mail program breaks lines where it likes."""
    for paragraph in _PARAGRAPHS.split(text):
        for sentence in _SENTENCE.findall(" ".join(paragraph.split())):
            if sentence.strip():
                yield sentence.strip()


@cache
def _ours() -> frozenset[str]:
    receipts = [
        text
        for each in languages().values()
        for text in (
            *(each.thanks, each.code, each.automatic, each.again, each.size),
            *(each.locked, each.kind, each.link),
        )
    ]
    questions = [table["question"] for table in phrases.loaded("consent").values()]
    written = (*texts.letters(), *receipts, *questions)
    return frozenset(it for text in written for it in _sentences(folded(text)))


@cache
def _plain() -> frozenset[str]:
    return frozenset(each for each in _ours() if "{" not in each)


@cache
def _with_values() -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile(_PLACE.sub(".{0,300}", re.escape(each))) for each in _ours() if "{" in each
    )
