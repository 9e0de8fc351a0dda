"""The page before the review: it opens the review in a browser that has a link, or says what to do.

It holds nothing of the campaign, so everybody may have it.  Its script exchanges the token of the
link for secrets, fetches the review with them, and puts it in its own place.  So it also has the
content policy of the review.
"""

import html
import re
from functools import cache

from pipeline.review import bundle, page

ENTRY = "entrance.js"
_SLOT = re.compile(r"\{\{([a-z0-9_.]+)\}\}")
_HIDDEN = " hidden"


@cache
def opening() -> tuple[bytes, str]:
    """Make the page that opens the review, and its content policy."""
    script = bundle.joined(ENTRY, page.asset)
    problem = str(page.texts()["entrance.problem"])
    body = _filled({"opening": "", "closed": _HIDDEN, "problem": problem}, script)
    return body, page.make_policy(is_served=True, also=script)


def refusal(problem: str) -> tuple[bytes, str]:
    """Make a page that says why there is nothing here and what to do, and its content policy."""
    sentence = f"{problem[:1].upper()}{problem[1:]}."
    body = _filled({"opening": _HIDDEN, "closed": "", "problem": sentence}, "")
    return body, page.make_policy(is_served=True)


def _filled(slots: dict[str, str], script: str) -> bytes:
    texts = page.texts()

    def fill(match: re.Match[str]) -> str:
        match match[1]:
            case "style":
                return page.style()
            case "script":
                return script
            case "opening" | "closed" as name:
                return slots[name]
            case name:
                return html.escape(slots.get(name) or str(texts[name.removeprefix("t.")]))

    return _SLOT.sub(fill, page.asset("entrance.html")).encode("utf-8")
