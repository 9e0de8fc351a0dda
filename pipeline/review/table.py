"""The report as a table (RFC 4180) that any spreadsheet opens and none executes."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from itertools import chain

from pipeline.consent import Consent
from pipeline.model import Decision
from pipeline.review import rules
from pipeline.review.presenting import JsonObject

COLUMNS = (
    "received_at", "sender", "subject", "filename", "kind", "status", "reason", "detail",
    "decision", "note", "by", "decided_at", "caption", "category", "warnings", "found", "clean",
    "container", "video_codec", "audio_codec", "source_width", "source_height", "source_fps",
    "source_duration_s", "rotation", "hdr", "clip", "duration_s", "loudness_lufs", "caption_review",
    "category_review", "in_s", "out_s", "notes", "text", "sha256", "parent", "duplicate_of",
    "submission",
    "sender_number", "sender_name", "comments", "tags", "stars",
    "consent", "credit", "approvals", "masks", "masks_by", "seen_by", "changed_by", "changed_at",
)  # fmt: skip

MAIL_COLUMNS = (
    "received_at", "sender", "subject", "needs_answer", "handled_by", "handled_at", "notes",
    "links", "clips", "answers", "wrote_again", "text", "message_id", "id",
    "sender_number", "sender_name", "consent", "credit", "consent_by", "consent_at",
    "consent_proposed", "inbox", "in_inbox", "in_inbox_as", "size",
)  # fmt: skip

# A spreadsheet takes a cell that begins with one of these for a formula or a command. Some
# spreadsheets take the full-width forms too.
_STARTERS = frozenset("=+-@\t\r\n＝＋－＠|%")
# In many countries a spreadsheet takes the semicolon, and some the tab, for the end of a cell, also
# between quotes.  So what follows them may be a cell of its own, as may a new line.
_INVISIBLE = "\\x00-\\x08\\x0e-\\x1f\\xad\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff"
_WITHIN = re.compile(rf"""([;；\t\r\n]["'\s{_INVISIBLE}]*)([=+\-@＝＋－＠|%])""")


def render(report: JsonObject) -> bytes:
    """Write the report as CSV: UTF-8 with a byte order mark, CR LF, every cell quoted."""
    submissions = {item["id"]: item for item in report["submissions"]}
    rows = (_cells(clip, submissions[clip["submission"]]) for clip in report["clips"])
    return _written(COLUMNS, rows)


def render_mails(report: JsonObject) -> bytes:
    """Write the mails as CSV, a line for each, also for those that brought or bring no footage.

    The mails that are still in an inbox come last.
    """
    taken_in = map(_mail_cells, report["submissions"])
    return _written(MAIL_COLUMNS, chain(taken_in, map(_left_cells, report["inbox"]["mails"])))


def _written(columns: tuple[str, ...], rows: Iterable[JsonObject]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for cells in rows:
        writer.writerow([make_inert(_text(cells[column])) for column in columns])
    return text.getvalue().encode("utf-8-sig")


def make_inert(cell: str) -> str:
    """Put an apostrophe before each part that a spreadsheet could take for a formula."""
    cell = _WITHIN.sub(r"\1'\2", cell)
    for char in cell:
        if char in _STARTERS:
            return "'" + cell
        # invisible characters before it do not stop it from being a formula
        if not char.isspace() and unicodedata.category(char) not in {"Cf", "Cc"}:
            break
    return cell


def _mail_cells(submission: JsonObject) -> JsonObject:
    handled = submission["handled"] or {}
    consent = submission["consent"]
    proposed = consent["proposed"]
    return {
        **submission,
        "handled_by": handled.get("by"),
        "handled_at": handled.get("at"),
        "consent": consent["state"],
        "credit": _credit(submission),
        "consent_by": consent["by"],
        "consent_at": consent["at"],
        "consent_proposed": (proposed["state"] or "read the mail") if proposed else None,
        "in_inbox": None,
        "in_inbox_as": None,
        "size": None,
    }


def _left_cells(mail: JsonObject) -> JsonObject:
    """A mail that is still in an inbox: why, and as what the inbox knows it."""
    there = {**mail, "in_inbox": mail["why"], "in_inbox_as": mail["name"]}
    return {**dict.fromkeys(MAIL_COLUMNS), **there}


def _credit(submission: JsonObject) -> str:
    """The name to show, with the place behind it."""
    return ", ".join(filter(None, (submission["consent"][key] for key in ("name", "place"))))


def _cells(clip: JsonObject, submission: JsonObject) -> JsonObject:
    source = clip["source"] or {}
    output = clip["outputs"][0] if clip["outputs"] else {}
    reason = clip["reason"] or {}
    review, decided = clip["review"], clip.get("decided", {})
    masks = review.get("masks", [])
    found = [f"{item['carrier']} ({item['what']})" for item in clip["metadata"]["found"]]
    facts = ("container", "video_codec", "audio_codec", "rotation", "hdr")
    return {
        **submission,
        **clip,
        # the same bytes may have come in other mails, which do not allow the name
        "credit": _credit(submission) if clip["consent"] == Consent.YES_WITH_NAME else "",
        **{key: review[key] for key in ("decision", "note", "in_s", "out_s")},
        "by": decided.get("by"),
        "decided_at": decided.get("at"),
        "reason": reason.get("code"),
        "detail": reason.get("detail"),
        "caption_review": review["caption"],
        "category_review": review["category"],
        "found": found,
        "clean": clip["metadata"]["clean"],
        **{key: source.get(key) for key in facts},
        **{f"source_{key}": source.get(key) for key in ("width", "height", "fps", "duration_s")},
        "clip": output.get("path"),
        **{key: output.get(key) for key in ("duration_s", "loudness_lufs")},
        "comments": [_comment(item) for item in review.get("comments", [])],
        "tags": review.get("tags", []),
        "stars": review.get("stars"),
        "approvals": _approvals(clip),
        "masks": len(masks),
        "masks_by": sorted({mask["by"] for mask in masks if mask["by"]}),
        "seen_by": review.get("seen_by", []),
        "changed_by": review["by"],
        "changed_at": review["at"],
    }


def _approvals(clip: JsonObject) -> str:
    """How many of two people approved a clip, such as ``1 of 2 by Ana``."""
    review = clip["review"]
    if "two_people" not in clip or review["decision"] != Decision.APPROVED:
        return ""
    return rules.approvals(review.get("agreed_by", []))


def _comment(comment: JsonObject) -> str:
    """A comment in one cell, such as ``1:10-1:12 Ana: a street sign (resolved by Ben)``."""
    times = [comment[key] for key in ("from_s", "to_s") if comment[key] is not None]
    place = "-".join(f"{int(time // 60)}:{time % 60:04.1f}" for time in times)
    done = f"(resolved by {comment['resolved_by']})" if comment["resolved_by"] else ""
    who = f"{comment['by']}:" if comment["by"] else ""
    return " ".join(filter(None, (place, who, comment["text"], done)))


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(value)
    return str(value)
