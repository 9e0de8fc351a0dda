"""The report as a table that opens in any spreadsheet and runs in none (RFC 4180)."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

COLUMNS = (
    "received_at", "sender", "subject", "filename", "kind", "status", "reason", "detail",
    "decision", "note", "by", "decided_at", "caption", "category", "warnings", "found", "clean",
    "container", "video_codec", "audio_codec", "source_width", "source_height", "source_fps",
    "source_duration_s", "rotation", "hdr", "clip", "duration_s", "loudness_lufs", "caption_review",
    "category_review", "in_s", "out_s", "notes", "text", "sha256", "parent", "duplicate_of",
    "submission",
)  # fmt: skip

# A spreadsheet takes a cell that begins like this for a formula or a command; some take the
# full-width forms too.
_STARTERS = frozenset("=+-@\t\r\n＝＋－＠|%")


def render(report: dict[str, Any]) -> bytes:
    """The report as CSV: UTF-8 with a byte order mark, CR LF, every cell quoted."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    submissions = {item["id"]: item for item in report["submissions"]}
    for clip in report["clips"]:
        cells = _cells(clip, submissions[clip["submission"]])
        writer.writerow([inert(_text(cells[column])) for column in COLUMNS])
    return text.getvalue().encode("utf-8-sig")


def inert(cell: str) -> str:
    """*cell*, with an apostrophe before it if a spreadsheet could take it for a formula."""
    for char in cell:
        if char in _STARTERS:
            return "'" + cell
        # what is not seen before it does not make it less of a formula
        if not char.isspace() and unicodedata.category(char) not in {"Cf", "Cc"}:
            break
    return cell


def _cells(clip: dict[str, Any], submission: dict[str, Any]) -> dict[str, Any]:
    source = clip["source"] or {}
    output = clip["outputs"][0] if clip["outputs"] else {}
    reason = clip["reason"] or {}
    review = clip["review"]
    found = [f"{item['carrier']} ({item['what']})" for item in clip["metadata"]["found"]]
    return {
        **{key: submission[key] for key in ("received_at", "sender", "subject", "notes", "text")},
        **{
            key: clip[key]
            for key in ("filename", "kind", "status", "caption", "category", "warnings")
        },
        **{key: clip[key] for key in ("sha256", "parent", "duplicate_of", "submission")},
        **{key: review[key] for key in ("decision", "note", "by", "in_s", "out_s")},
        "reason": reason.get("code"),
        "detail": reason.get("detail"),
        "decided_at": review["at"],
        "caption_review": review["caption"],
        "category_review": review["category"],
        "found": found,
        "clean": clip["metadata"]["clean"],
        **{key: source.get(key) for key in ("container", "video_codec", "audio_codec")},
        **{f"source_{key}": source.get(key) for key in ("width", "height", "fps", "duration_s")},
        "rotation": source.get("rotation"),
        "hdr": source.get("hdr"),
        "clip": output.get("path"),
        "duration_s": output.get("duration_s"),
        "loudness_lufs": output.get("loudness_lufs"),
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(value)
    return str(value)
