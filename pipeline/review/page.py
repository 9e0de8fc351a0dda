"""The report as one HTML file, which needs no other file than the clips beside it.

Style, script, texts and data are inside the page.  Its content policy admits them by their hashes,
and nothing else.  What senders wrote reaches the document as text only.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib import resources

from pipeline.review import bundle
from pipeline.review.access import ReviewRole
from pipeline.review.presenting import JsonObject, json_bytes
from pipeline.texts import LANGUAGE

ENTRY = "main.js"  # imports all other modules of the page
STYLES = (
    "style.css", "cards.css", "mails.css", "dock.css", "player.css", "montage.css", "narrow.css",
)  # fmt: skip
_SLOT = re.compile(r"\{\{([a-z0-9_.]+)\}\}")


@dataclass(frozen=True)
class LiveReview:
    """What a served page begins with.

    ``counter`` is the last number in the audit trail; ``counts`` says how many attachments and
    clips the page has; ``by`` is who decides, and ``is_named`` whether the link was made for that
    name; ``role`` is what this person may do; ``mails`` names the state of the mails
    (:func:`pipeline.review.live.mails_version`); ``keys`` has the key of each clip's files
    (:meth:`pipeline.review.access.AccessGuard.media_key`).  ``mine`` are the clips that are
    proposed to this person (:func:`pipeline.review.shares.share_of`), None if nobody shares them.
    """

    counter: int
    by: str
    is_named: bool = False
    role: ReviewRole = ReviewRole.REVIEWER
    mails: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    mine: list[str] | None = None


@dataclass(frozen=True)
class PageFacts:
    """What the page shows beyond ``report.json``.

    ``new`` are the originals of the last run that brought any; ``loudness_lufs`` is the target for
    clips; ``trail`` has the events of :func:`pipeline.review.presenting.trail_data`, oldest first;
    ``live`` is None for a page that is a file and has no server.  ``needs_consent``: a film shows
    only clips whose sender agreed.  ``four_eyes``: the categories whose clips two people approve.
    ``music``: the films have music.  ``old_packs``: when those packs of the report were made
    that show what is hidden now.  ``is_ledger_older``: an older ledger was put back
    (:func:`pipeline.ledger.heads.is_ledger_older`).  ``missed_receipts``: mails whose receipt is
    never sent (:class:`pipeline.review.undone.Undone`).  ``knows``: the newest mail that the page
    shows, as :func:`pipeline.review.unseen.newest_mail`.
    """

    campaign: str
    required: bool
    loudness_lufs: float
    needs_consent: bool = False
    four_eyes: tuple[str, ...] = ()
    music: bool = False
    old_packs: tuple[str, ...] = ()
    is_ledger_older: bool = False
    missed_receipts: tuple[str, ...] = ()
    knows: int = 0
    new: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    trail: tuple[JsonObject, ...] = ()
    live: LiveReview | None = None


def render(report: bytes, facts: PageFacts) -> bytes:
    """Make the page.

    :param report: the content of ``report.json``.
    """
    slots = {
        "campaign": html.escape(facts.campaign),
        # browsers take the rule about frames from a server only
        "policy": make_policy(is_served=bool(facts.live)).replace("; frame-ancestors 'none'", ""),
        "style": style(),
        "script": _script(),
        "facts": _inside_script(json_bytes(asdict(facts))).decode("utf-8"),
        "texts": _inside_script(json_bytes(texts())).decode("utf-8"),
    }

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name in slots:
            return slots[name]
        return html.escape(str(texts()[name.removeprefix("t.")]))

    # the report is inserted last, so that no slot is looked for in it
    before, after = asset("index.html").split("{{report}}")
    filled = [_SLOT.sub(fill, part).encode("utf-8") for part in (before, after)]
    return _inside_script(report).join(filled)


def make_policy(*, is_served: bool, also: str = "") -> str:
    """Make the content policy: the page's own script and style, the clips beside it, nothing else.

    :param is_served: the page may send requests to its server.  A page from a file may send none.
    :param also: a further script that may run.
    """
    scripts = " ".join(f"'{_hash(script)}'" for script in (_script(), also) if script)
    beside, requests = ("'self'", "connect-src 'self'") if is_served else ("'self' file:", "")
    rules = (
        "default-src 'none'",
        f"script-src {scripts}",
        f"style-src '{_hash(style())}'",
        f"img-src {beside} data:",
        f"media-src {beside}",
        requests,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return "; ".join(filter(None, rules))


@cache
def asset(name: str) -> str:
    """Read a file of the folder ``assets``."""
    return resources.files("pipeline.review").joinpath("assets", name).read_text("utf-8")


@cache
def texts() -> dict[str, str | dict[str, str]]:
    """Read the page's texts by key; a plural has the forms of CLDR."""
    loaded: dict[str, str | dict[str, str]] = json.loads(asset(f"texts.{LANGUAGE}.json"))
    return loaded


@cache
def _script() -> str:
    return bundle.joined(ENTRY, asset)


@cache
def style() -> str:
    """Read the styles of the page."""
    return "\n".join(map(asset, STYLES))


def _inside_script(data: bytes) -> bytes:
    """Escape JSON so that no HTML parser takes a part of it for the end of the script element."""
    return data.replace(b"<", b"\\u003c")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
