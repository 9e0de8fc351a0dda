"""The texts of receipts in several languages, and which of them a mail is written in.

A language is one file of ``receipts/``.  A mail is in the language of which it has the most common
words; with fewer than two of them the language is not known.
"""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources

_FEWEST = 2
# not \w, which has no vowel signs of Hindi and its kind
_WORD = re.compile(r"[^\s\d.,;:!?()\[\]\"«»…।،؟-]+")
_READ = 2_000  # characters of a mail


@dataclass(frozen=True)
class ReceiptTexts:
    """The texts in one language; ``advice`` is what to do for each kind of fault."""

    words: frozenset[str]
    subject: str
    thanks: str
    code: str
    automatic: str
    again: str
    size: str
    locked: str
    kind: str
    link: str


@cache
def languages() -> dict[str, ReceiptTexts]:
    """The texts by language (ISO 639-1)."""
    found = {}
    for file in sorted(resources.files(__package__).joinpath("receipts").iterdir(), key=str):
        name, _, suffix = file.name.partition(".")
        if suffix == "toml":
            data = tomllib.loads(file.read_text("utf-8"))
            found[name] = ReceiptTexts(**{**data, "words": frozenset(data["words"])})
    return found


def language_of(text: str) -> str | None:
    """The language that a mail is written in, None if it is not known."""
    words = {word.casefold() for word in _WORD.findall(text[:_READ])}
    counts = Counter({name: len(words & each.words) for name, each in languages().items()})
    (best, count), (_, second) = counts.most_common(2)
    return best if count >= _FEWEST and count > second else None
