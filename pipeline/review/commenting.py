"""Comments, tags and stars that a page or a decisions file sends, and how comments come together.

A comment is never changed after it was written; it can only be marked as resolved, or not.  So the
comments of several reviewers are merged without a conflict, in whatever order they come.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.comments import Comment
from pipeline.wording import storable

MOST_COMMENTS, MOST_TAGS, MOST_STARS = 200, 20, 5
_LONGEST_TEXT, _LONGEST_NAME, _LONGEST_TAG = 1000, 200, 40
_LONGEST_S = 1_000_000
_ID = re.compile(r"[0-9a-f]{12}")


class ImpossibleComment(ValueError):
    """A comment, a tag or stars that can't be; its text says why, for a person."""


def read_comments(key: str, value: object) -> tuple[Comment, ...]:
    """Read a list of comments.  Who wrote them and when is set when they are stored.

    :raises ImpossibleComment: it is not such a list.
    """
    if not isinstance(value, list) or len(value) > MOST_COMMENTS:
        raise ImpossibleComment(f"{key} is not a list of {MOST_COMMENTS} comments at most")
    return tuple(read_comment(item) for item in value)


def read_comment(item: object) -> Comment:
    """Read one comment: ``{"id", "text", "from_s", "to_s", "by", "resolved_by"}``.

    :raises ImpossibleComment: a field is missing or of the wrong kind.
    """
    if not isinstance(item, dict):
        raise ImpossibleComment("a comment is not a JSON object")
    given = item.get("id")
    if not isinstance(given, str) or not _ID.fullmatch(given):
        raise ImpossibleComment("the id of a comment is not 12 hex digits")
    text = _words(item, "text", _LONGEST_TEXT)
    if not text.strip():
        raise ImpossibleComment("a comment has no words")
    start, end = _seconds(item, "from_s"), _seconds(item, "to_s")
    if end is not None and (start is None or end <= start):
        raise ImpossibleComment("to_s of a comment is not after its from_s")
    return Comment(
        id=given,
        text=text,
        from_s=start,
        to_s=end,
        by=_words(item, "by", _LONGEST_NAME),
        resolved_by=_words(item, "resolved_by", _LONGEST_NAME),
    )


def read_tags(key: str, value: object) -> tuple[str, ...]:
    """Read a list of tags; each once, without regard to capitals.

    :raises ImpossibleComment: it is not such a list.
    """
    if not isinstance(value, list) or len(value) > MOST_TAGS:
        raise ImpossibleComment(f"{key} is not a list of {MOST_TAGS} tags at most")
    tags: dict[str, str] = {}
    for tag in value:
        if not isinstance(tag, str):
            raise ImpossibleComment("a tag is not text")
        if shown := storable(tag, _LONGEST_TAG).strip():
            tags.setdefault(shown.casefold(), shown)
    return tuple(tags.values())


def read_stars(key: str, value: object) -> int:
    """Read how many stars a clip has.

    :raises ImpossibleComment: it is not a number of stars.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_STARS:
        raise ImpossibleComment(f"{key} is not a number from 0 to {MOST_STARS}")
    return value


def merged(
    known: Sequence[Comment], given: Sequence[Comment], sign: Callable[[Comment], Comment]
) -> tuple[Comment, ...]:
    """Add the comments that are new, and take over which are resolved.

    :param sign: gives a new comment its author and its time.
    :raises ImpossibleComment: there are too many then.
    """
    found = {comment.id: comment for comment in known}
    for comment in given:
        if before := found.get(comment.id):
            if bool(before.resolved_by) != bool(comment.resolved_by):
                found[comment.id] = replace(before, resolved_by=comment.resolved_by)
        else:
            found[comment.id] = sign(comment)
    if len(found) > MOST_COMMENTS:
        raise ImpossibleComment(f"a clip has {MOST_COMMENTS} comments at most")
    return tuple(found.values())


def taken_back(
    now: Sequence[Comment], before: Sequence[Comment], after: Sequence[Comment]
) -> tuple[Comment, ...]:
    """Return the comments of now without what one change did, which led from *before* to *after*.

    What others wrote or resolved since then stays.
    """
    old = {comment.id: comment for comment in before}
    new = {comment.id: comment for comment in after}
    kept = [comment for comment in now if comment.id in old or comment.id not in new]
    return tuple(
        old[comment.id] if comment.id in old and comment == new.get(comment.id) else comment
        for comment in kept
    )


def signed(comments: Sequence[Comment], by: str) -> tuple[Comment, ...]:
    """Return comments as *by* sends them: nobody writes or resolves under another's name."""
    return tuple(
        replace(comment, by=by, resolved_by=by if comment.resolved_by else "")
        for comment in comments
    )


def _words(item: dict[str, object], key: str, limit: int) -> str:
    value = item.get(key, "")
    if not isinstance(value, str):
        raise ImpossibleComment(f"{key} of a comment is not text")
    return storable(value, limit, lines=key == "text")


def _seconds(item: dict[str, object], key: str) -> float | None:
    value = item.get(key)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= _LONGEST_S:  # type: ignore[operator]  # NaN is refused too
        raise ImpossibleComment(f"{key} of a comment is not a time in seconds")
    return round(float(value), 3)  # type: ignore[arg-type]
