"""Whether the campaign's own mail server found that a sender's address is forged.

A server writes its checks into ``Authentication-Results`` (RFC 8601).  Anybody can write such a
field, so only the topmost one that begins with the name of the campaign's server counts; that
server removes fields with its own name from mail that comes in (RFC 8601, section 5).
"""

import re

from pipeline.ingest.headers import Headers

_LONGEST = 16_384
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"(?:^|;)\s*(dmarc|spf|dkim)\s*=\s*([a-z]+)", re.IGNORECASE)
_FAILED = frozenset(("fail", "softfail", "permerror"))


def is_forged(fields: Headers, authserv_id: str) -> bool:
    """Whether DMARC failed, or without DMARC both SPF and DKIM.

    :param authserv_id: the name of the campaign's server; with "" nothing is known.
    """
    if not authserv_id:
        return False
    for value in fields.all("authentication-results"):
        text = _COMMENT.sub(" ", " ".join(value[:_LONGEST].split()))
        name, _, results = text.partition(";")
        if name.split()[:1] and name.split()[0].casefold() == authserv_id.casefold():
            found: dict[str, set[str]] = {}
            for method, result in _RESULT.findall(f";{results}"):
                found.setdefault(method.lower(), set()).add(result.lower())
            return _fails(found)
    return False


def _fails(found: dict[str, set[str]]) -> bool:
    if dmarc := found.get("dmarc", set()) - {"none", "temperror"}:
        return "pass" not in dmarc
    spf, dkim = found.get("spf", set()), found.get("dkim", set())
    return bool(spf & _FAILED) and bool(dkim) and "pass" not in dkim | spf
