"""Judges the texts of a montage: subtitles, chapters, credits, the list of clips, check sums."""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline import places
from pipeline.errors import NotClean
from pipeline.judge.problems import Problems, judged

TextKind = Literal["vtt", "chapters", "credits", "json", "sums"]

_MAX = 64 << 20
_TIME = r"(?:\d{2,}:)?\d{2}:\d{2}\.\d{3}"
_CUE = re.compile(rf"{_TIME} --> {_TIME}(?: (?:line|position|align|size|vertical):[\w%,.-]+)*")
_MARK = re.compile(r"(?:\d+:)?\d{1,2}:\d{2}(?:\.\d{1,3})? ")
_SHORT_SUM = re.compile(r" · [0-9a-f]{12}$")
_SUM = re.compile(r"[0-9a-f]{64}  (?=[\w.-]+$)")
_PLACE = re.compile(
    r"(?i)gps|latitude|longitude|altitude|coordinate"
    r"|(?<![a-z])(?:geo|lat|lon|lng|coords?)(?![a-z])"
)


def judge_text(source: Path | str, kind: TextKind | None = None) -> None:
    """Judge a text: UTF-8 without control characters and without coordinates.

    Times are removed first, because a time before a word that begins with N, E, S
    or W reads like a latitude.  The SHA-256 are removed too, because 12 hexadecimal digits may
    read like a square of a map (MGRS).

    :param source: a file, or the text that will become one.
    :param kind: "vtt" for WebVTT of cues alone; "chapters" for lines of time and title;
        "credits" for such lines with 12 digits of a SHA-256 at the end; "json" for one
        document, whose keys and strings are judged one by one; "sums" for lines of SHA-256 and
        name.  Left out: determined from how the text begins.
    :raises NotClean: it is anything else.
    """
    judged(lambda problems: _judge(source, kind, problems))


def _judge(source: Path | str, kind: TextKind | None, problems: Problems) -> None:
    text = source if isinstance(source, str) else _read(source)
    controls = any(unicodedata.category(char) == "Cc" for char in set(text) - {"\n", "\t"})
    problems.need(not controls, "control characters in a text")
    problems.need(not text.startswith("\ufeff"), "a byte order mark before a text")
    problems.stop()
    if kind is None:
        kind = _kind_of(text)
    parts = {
        "vtt": _cues, "chapters": _titles, "credits": _credits, "json": _strings, "sums": _names,
    }  # fmt: skip
    for part in parts[kind](text, problems):
        problems.need(not places.found(part), f"a place in {kind}")


def _kind_of(text: str) -> TextKind:
    if text.startswith("WEBVTT"):
        return "vtt"
    if text[:1] == "{":
        return "json"
    return "credits" if all(map(_SHORT_SUM.search, _lines(text))) else "chapters"


def _read(path: Path) -> str:
    if path.stat().st_size > _MAX:
        raise NotClean(["a text larger than any we make"])
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise NotClean(["a text that is not UTF-8"]) from None


def _cues(text: str, problems: Problems) -> Iterator[str]:
    """The words of all cues (W3C WebVTT, section 4.1); no comments, styles or regions."""
    head, *blocks = re.split(r"\n\n+", text.strip("\n"))
    problems.need(head == "WEBVTT", "something beside the name in the head of vtt")
    words: list[str] = []
    for block in blocks:
        lines = block.split("\n")
        timed = next((at for at, line in enumerate(lines[:2]) if _CUE.fullmatch(line)), None)
        problems.need(timed is not None, "something else than cues in vtt")
        words += lines if timed is None else lines[:timed] + lines[timed + 1 :]
    yield from words
    yield "\n".join(words)


def _titles(text: str, problems: Problems) -> Iterator[str]:
    """The titles of all chapters, without the times before them."""
    titles = _without(_MARK, text, "something else than times and titles in chapters", problems)
    yield from titles
    yield "\n".join(titles)


def _credits(text: str, problems: Problems) -> Iterator[str]:
    """The words of all credits, without the times before them and the SHA-256 behind them."""
    are_ended = all(map(_SHORT_SUM.search, _lines(text)))
    problems.need(are_ended, "a line without a SHA-256 in credits")
    yield from _titles("\n".join(_SHORT_SUM.sub("", line) for line in _lines(text)), problems)


def _names(text: str, problems: Problems) -> Iterator[str]:
    """The names of all files, without the sums before them."""
    yield from _without(_SUM, text, "something else than SHA-256 and names in sums", problems)


def _without(form: re.Pattern[str], text: str, problem: str, problems: Problems) -> list[str]:
    """The lines without the *form* with which each must begin."""
    lines = _lines(text)
    problems.need(all(map(form.match, lines)), problem)
    return [form.sub("", line, count=1) for line in lines]


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


def _strings(text: str, problems: Problems) -> Iterator[str]:
    """All keys and strings of a document, in which no two decimals follow each other."""
    try:
        document = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise NotClean(["a text that is not JSON"]) from None
    pending: list[object] = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, _Pairs):
            for key, inner in value:
                problems.need(not _PLACE.search(key), "a key that names a place in json")
                pending += (key, inner)
        elif isinstance(value, list):
            decimals = sum(isinstance(each, float) for each in value)
            problems.need(decimals < 2, "a row of decimals in json")
            pending += value


class _Pairs(list[tuple[str, object]]):
    """The members of an object, also those whose key occurs twice."""
