"""The normal form in which places are looked for, with the way back to the original text.

The same place can be written with the digits of any script, with invisible characters between
them, percent-encoded, as HTML entities, or with any of a dozen signs for a degree.  Folding
makes one writing of all of them, so that the table of forms needs to know one only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape

_SIGNS = {
    "°": "°º˚∘⁰ᵒ◦○",
    "'": "'′’‘ʹ´`ʼ‵ʽ׳",
    '"': '"″”“ˮ˝‶〃״„ʺ',
    "-": "-−–—‐‑‒―⁻➖",
    "+": "+➕⁺",
    ".": ".·‧∙・⋅•｡。٫․",
    ",": ",،、",
    ";": ";؛",
    "/": "/⁄∕÷",
    ":": ":∶꞉ː",
}
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # blanks that count as letters or signs
_DROPPED = {"Mn", "Mc", "Me", "Cf", "Cc", "Cs", "Co"}
_ROUNDS = 4  # an encoding inside an encoding, so many times

_ESCAPES = re.compile(
    r"(?:%[0-9a-fA-F]{2}){1,8}|&#?\w{1,10};|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\(?=[^\w\s\\])"
)
_RAISED_ZERO = re.compile(r"(?<=[⁰¹²³⁴-⁹])⁰|⁰(?=[⁰¹²³⁴-⁹])")  # else the sign of a degree
_SPACES = re.compile(r"\s{2,}|[^\S ]")  # all but a space that stands alone
_LONG_NUMBER = re.compile(r"(\d{40})\d+")
_DIGIT_AND_SPACE = re.compile(r"(?<!\w)(?:[-+.,\d] ){8,}[-+.,\d](?!\w)")
_DECIMAL_SIGN = re.compile(
    r"[\[(] ?(?:\.|dot|punkt|point|punto) ?[\])]|(?<=\d) ?(?:(?:[\[(] ?(?:,|komma|comma) ?[\])]"
    r"|(?:dot|point|punkt|komma|comma|virgule|virgola|virgula|punto|ponto|coma|точка|запятая))"
    r" ?(?=\d{2})|(?: \. ?|\. )(?=\d{5}))",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r"</?[A-Za-z!][^<>]{0,300}>|\[/?[A-Za-z]{1,6}\]|<!--|-->"
    r"|(?<=[\d.,])[*`]{1,3}(?=[\d.,])"
)


class _Letters(dict[int, str]):
    """What each character is folded to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = "" if char in _FILLERS else "".join(map(_plain, _expanded(char)))
        self[code] = folded
        return folded


_LETTERS = _Letters({ord(char): sign for sign, chars in _SIGNS.items() for char in chars})


@dataclass(frozen=True)
class Folded:
    """A text in normal form, and for each of its characters the index in the original.

    ``at`` has one entry more than ``cased`` has characters: the original's length.
    """

    cased: str
    at: list[int]

    @property
    def lower(self) -> str:
        """The text in lower case, of the same length."""
        return self.cased.lower()

    def changed(self, pattern: re.Pattern[str], change: Callable[[re.Match[str]], str]) -> Folded:
        """The text with all matches of *pattern* replaced."""
        pieces: list[str] = []
        at: list[int] = []
        end = 0
        for match in pattern.finditer(self.cased):
            start = match.start()
            new = change(match)
            pieces += (self.cased[end:start], new)
            at += self.at[end:start]
            at += [self.at[start]] * len(new)
            end = match.end()
        if not pieces:
            return self
        return Folded("".join((*pieces, self.cased[end:])), at + self.at[end:])


def folded(text: str) -> Folded:
    """Fold *text*: one script of digits, one sign of a kind, nothing invisible or encoded."""
    whole = Folded(text, [*range(len(text) + 1)])
    result = _without_marks(whole.changed(_RAISED_ZERO, lambda _: "0"))
    for _ in range(_ROUNDS):
        decoded = result.changed(_ESCAPES, _decoded)
        if decoded is result:
            break
        result = _without_marks(decoded)
    result = result.changed(_LONG_NUMBER, lambda match: match[1])
    result = result.changed(_SPACES, lambda _: " ")
    return result.changed(_DECIMAL_SIGN, lambda _: ".")


def variants(text: str) -> list[Folded]:
    """The normal form of *text*, and what it becomes without tags and without spaced digits."""
    first = folded(text)
    joined = first.changed(_DIGIT_AND_SPACE, lambda match: match[0].replace(" ", ""))
    bare = first.changed(_TAGS, lambda _: "")
    return [first, *(each for each in (joined, bare) if each is not first)]


def fold_words(words: str) -> str:
    """A regular expression of alternatives: the words of *words*, as a text has them folded.

    A ``_`` in a word stands for a blank that may be left out.
    """
    plain = {word.translate(_LETTERS).lower() for word in words.split()}
    ordered = sorted(plain, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word).replace("_", " ?") for word in ordered) + ")"


def _without_marks(text: Folded) -> Folded:
    if text.cased.isascii() and text.cased.isprintable() and "`" not in text.cased:
        return text
    pieces = [_LETTERS[ord(char)] for char in text.cased]
    at = [index for index, piece in zip(text.at, pieces, strict=False) for _ in piece]
    return Folded("".join(pieces), [*at, text.at[-1]])


def _expanded(char: str) -> str:
    return char if char.isspace() else unicodedata.normalize("NFKD", char)


def _plain(char: str) -> str:
    if char.isspace():
        return "\n" if char == "\n" else " "
    category = unicodedata.category(char)
    if category in _DROPPED:
        return ""
    if category in ("Nd", "No") and (digit := unicodedata.digit(char, -1)) >= 0:
        return str(digit)
    return next((sign for sign, chars in _SIGNS.items() if char in chars), char)


def _decoded(match: re.Match[str]) -> str:
    code = match[0]
    if code[0] == "%":
        return bytes.fromhex(code.replace("%", "")).decode("utf-8", "replace")
    if code[0] == "&":
        return unescape(code)
    return chr(int(f"0x{code[2:]}", 0)) if len(code) > 1 else ""
