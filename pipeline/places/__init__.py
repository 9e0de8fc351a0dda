"""How people, phones and programs write a place: found, and masked.

One table of forms (:mod:`~pipeline.places.forms`) serves everybody who looks for places: ingest
and the review's entries, which mask them, and the readers of media files and the judge of
texts, which must not find any.  A place in words ("behind the church") is not recognized.
"""

import re
from collections.abc import Iterator

from pipeline.places import folding
from pipeline.places.forms import FORMS, FORMS_IN_FILES, Form

__all__ = ["LIMIT", "MASK", "found", "masked", "without_end"]

MASK = "[location removed]"
LIMIT = 1 << 15
_MARGIN = 512  # longer than any form but a link
_BLANKS = frozenset(" \t\r\n<>\"'")
_LEFT = _BLANKS | frozenset("()[]{}|")
_NEAR = re.compile(r"[^\w\n]{0,3}")
# What is left of a place when only a part of it was understood.
_REST = re.compile(r"\d[.,]\d{4}|\d ?[°º˚](?! ?[CFK])|[°º˚] ?\d|\d['′’]\d|\d\.\d+ ?[NSEW]\b")


def found(text: str, *, in_file: bool = False) -> bool:
    """Whether *text*, of any length, holds a place.

    :param in_file: the text stands in a media file, where a single number under a telling
        name is a place too.
    """
    forms = FORMS_IN_FILES if in_file else FORMS
    step = LIMIT - _MARGIN
    windows = (text[at : at + LIMIT] for at in range(0, max(len(text) - _MARGIN, 1), step))
    return any(next(_spans(window, forms), None) for window in windows)


def masked(text: str, read: int = LIMIT) -> str:
    """The text with :data:`MASK` instead of each place; :func:`found` sees nothing in it.

    A line that may hold a part of a place even so is replaced as a whole.

    :param read: of a longer text only the beginning is returned, less than so many characters;
        a place that a cut there would divide is masked.
    """
    lines = _replaced(text, read).split("\n")
    result = "\n".join(MASK if _is_doubtful(line) else line for line in lines)
    if not found(result):
        return result
    result = "\n".join(MASK if found(line) else line for line in result.split("\n"))
    return MASK if found(result) else result


def without_end(text: str) -> str:
    """What was cut off in the middle, without the end in which a part of a place may stand."""
    return text[: _before_cut(text)]


def _before_cut(text: str) -> int:
    """Where the last characters begin that a place needs; characters that vanish don't count."""
    whole = folding.folded(text)
    return whole.at[max(0, len(whole.cased) - _MARGIN)]


def _is_doubtful(line: str) -> bool:
    return MASK in line and _REST.search(line.replace(MASK, "")) is not None


def _replaced(text: str, read: int) -> str:
    head = text[:read]
    end = len(text) if len(text) <= read else _before_cut(head)
    pieces: list[str] = []
    at = 0
    for start, stop in _merged(head, sorted(_spans(head, FORMS))):
        if start >= end:
            break
        pieces += (head[at:start], MASK)
        at = stop
    return "".join((*pieces, head[at:end]))


def _merged(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that overlap, or have nothing but signs between them, as one."""
    result: list[tuple[int, int]] = []
    for start, stop in spans:
        if result and (start <= result[-1][1] or _NEAR.fullmatch(text, result[-1][1], start)):
            result[-1] = (result[-1][0], max(result[-1][1], stop))
        else:
            result.append((start, stop))
    return result


def _spans(text: str, forms: tuple[Form, ...]) -> Iterator[tuple[int, int]]:
    """Where in *text* places stand, in no order."""
    for folded in folding.variants(text):
        lower = folded.lower
        for form in forms:
            for match in form.pattern.finditer(folded.cased if form.cased else lower):
                if form.holds is not None and not form.holds(match):
                    continue
                end = match.end() - len(match[0]) + len(match[0].rstrip())
                start, stop = folded.at[match.start()], folded.at[end]
                if form.to_blank:
                    start, stop = _to_blank(text, start, stop)
                yield start, max(stop, start + 1)


def _to_blank(text: str, start: int, stop: int) -> tuple[int, int]:
    """Widen a span to the blanks around it; a blank inside a mask does not count."""
    while start > 0 and text[start - 1] not in _LEFT:
        start -= 1
    mask = text.rfind(MASK, max(0, stop - len(MASK) + 1), stop + len(MASK) - 1)
    stop = max(stop, mask + len(MASK)) if mask >= 0 else stop
    while stop < len(text):
        if text.startswith(MASK, stop):
            stop += len(MASK)
        elif text[stop] in _BLANKS:
            break
        else:
            stop += 1
    return start, stop
