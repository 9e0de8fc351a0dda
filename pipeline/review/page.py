"""The report as one HTML file that needs nothing but itself and the clips beside it.

Style, script, texts and data stand inside the page, and its content policy admits them by
their hashes and nothing else; what senders wrote reaches the document as text only.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

from pipeline.review import bundle

ENTRY = "main.js"  # imports all other modules of the page
STYLES = ("style.css", "cards.css", "dock.css", "montage.css", "narrow.css")
_SLOT = re.compile(r"\{\{([a-z0-9_.]+)\}\}")


@dataclass(frozen=True)
class Live:
    """A page with a server behind it: how far the trail had come, and who decides."""

    counter: int
    by: str


@dataclass(frozen=True)
class Facts:
    """What the page shows beyond ``report.json``.

    ``new`` are the originals that came last; ``loudness_lufs`` is what clips are set to;
    ``trail`` is who decided what and when, oldest first, as :mod:`pipeline.review.history`
    tells it; ``live`` is None where the page stands alone, as a file.
    """

    campaign: str
    required: bool
    loudness_lufs: float
    new: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    trail: tuple[dict[str, Any], ...] = ()
    live: Live | None = None


def render(report: bytes, facts: Facts) -> bytes:
    """The page.

    :param report: what stands in ``report.json``.
    """
    slots = {
        "campaign": html.escape(facts.campaign),
        # a frame's policy can only be told by a server
        "policy": policy(facts).replace("; frame-ancestors 'none'", ""),
        "style": _style(),
        "script": _script(),
        "facts": _inside_script(_json(asdict(facts))).decode("utf-8"),
        "texts": _inside_script(_json(texts())).decode("utf-8"),
    }

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in slots:
            return slots[name]
        return html.escape(texts()[name.removeprefix("t.")])

    # the report is put in whole and never looked through for slots
    before, after = asset("index.html").split("{{report}}")
    filled = [_SLOT.sub(fill, part).encode("utf-8") for part in (before, after)]
    return _inside_script(report).join(filled)


def policy(facts: Facts) -> str:
    """What the page may do: its own script and style, the clips beside it, nothing else.

    Of a server it may ask what changed; from a file it may ask nobody.
    """
    script, style = _hash(_script()), _hash(_style())
    beside, asks = ("'self'", "connect-src 'self'") if facts.live else ("'self' file:", "")
    rules = (
        "default-src 'none'",
        f"script-src '{script}'",
        f"style-src '{style}'",
        f"img-src {beside} data:",
        f"media-src {beside}",
        asks,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(filter(None, rules))


@cache
def asset(name: str) -> str:
    """A file of the folder ``assets``."""
    return resources.files("pipeline.review").joinpath("assets", name).read_text("utf-8")


@cache
def texts() -> dict[str, Any]:
    """All words of the page, by key; a plural has the forms of CLDR."""
    loaded: dict[str, Any] = json.loads(asset("texts.en.json"))
    return loaded


@cache
def _script() -> str:
    return bundle.joined(ENTRY, asset)


@cache
def _style() -> str:
    return "\n".join(map(asset, STYLES))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def _inside_script(data: bytes) -> bytes:
    """JSON that no HTML parser can take for the end of its script element."""
    return data.replace(b"<", b"\\u003c")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
