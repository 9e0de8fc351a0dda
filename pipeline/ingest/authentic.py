"""Whether the campaign's own mail server found that the address of a sender is forged.

A server writes its checks into ``Authentication-Results`` (RFC 8601).  Anybody can write such a
field, so only those that begin with the name of the campaign's server count.  That server removes
such fields from mail that comes in (RFC 8601, section 5).  If it does not, a forger can add one;
all of them count and the worst decides, so that it makes a mail doubtful at most.  A mail without
a result is not forged: many honest domains have no DMARC.
"""

import re
from collections.abc import Sequence

from pipeline import addressees
from pipeline.ingest.addresses import mailboxes
from pipeline.ingest.headers import Headers

_LONGEST = 60_000  # bytes; less than what is read of a line, so no cut field passes for whole
_RESULT = re.compile(r"\s*(dmarc|spf|dkim)\s*(?:/\s*\d+\s*)?=\s*([a-z]+)", re.IGNORECASE)
_CHECKED = re.compile(r"\sheader\s*\.\s*from\s*=\s*(\S+)", re.IGNORECASE)
_FAILED = frozenset(("fail", "softfail", "hardfail", "permerror"))
# "bestguesspass": the domain has no DMARC record, so nothing is known (Microsoft).
_UNKNOWN = frozenset(("none", "temperror", "bestguesspass"))


def is_forged(fields: Headers, authserv_id: str, address: str) -> bool:
    """Whether the server found that an address is forged, or checked another one.

    DMARC is a check of the address in From.  An address that is elsewhere, such as in a field of a
    mailing list or in a mail that came back, is confirmed by nobody.

    :param authserv_id: the name of the campaign's server; with "" nothing is known.
    :param address: that of the sender, from whichever field; "" if there is none.
    """
    if not authserv_id:
        return False
    person = addressees.person(address)
    authors = [box.address for value in fields.all("from") for box in mailboxes(value)]
    if person and person not in map(addressees.person, authors):
        return True
    together: list[str] = []  # a server may write a field for each method
    for value in fields.all("authentication-results"):
        (head, *results), is_whole = _parts(value[:_LONGEST])
        if [each.strip('"').lower() for each in head.split()[:1]] == [authserv_id.lower()]:
            if len(value.encode(errors="replace")) > _LONGEST:  # a result may be in the rest
                return True
            if not is_whole:  # a quote without an end may hide a result
                results += value.split(";")[1:]
            if _fails(results) or _is_of_another(person, results):
                return True
            together += results
    return _fails(together)


def _parts(value: str) -> tuple[list[str], bool]:
    """The parts of a field between its semicolons, and whether each quote and comment has an end.

    Comments are left out, and a quoted string has no blank and no semicolon (RFC 5322, 3.2).
    """
    kept: list[str] = []
    depth, is_quoted, is_escaped = 0, False, False
    for char in value:
        if is_escaped:
            is_escaped = False
        elif char == "\\" and (is_quoted or depth):
            is_escaped = True
        elif is_quoted:
            is_quoted = char != '"'
            kept.append("_" if char == ";" or char.isspace() else char)
        elif char == "(":
            depth += 1
            kept.append(" ")
        elif depth:
            depth -= char == ")"
        else:
            is_quoted = char == '"'
            kept.append(char)
    return "".join(kept).split(";"), not (depth or is_quoted or is_escaped)


def _fails(results: Sequence[str]) -> bool:
    """Whether DMARC failed, or without DMARC both SPF and DKIM; the worst of several counts."""
    found: dict[str, set[str]] = {"dmarc": set(), "spf": set(), "dkim": set()}
    for each in results:
        if said := _RESULT.match(each):
            found[said[1].lower()].add(said[2].lower())
    if found["dmarc"] == {"pass"}:
        return False
    # beside another result, "pass" may be a forged field, so it counts for nothing
    if found["dmarc"] - _UNKNOWN - {"pass"}:
        return True
    return bool(found["spf"] & _FAILED) and bool(found["dkim"] - {"pass"})


def _is_of_another(person: str, results: Sequence[str]) -> bool:
    """Whether DMARC passed for another domain than that of an address, if the field names it."""
    host = person.rpartition("@")[2]
    for each in results:
        said = _RESULT.match(each)
        if said and (said[1].lower(), said[2].lower()) == ("dmarc", "pass"):
            for checked in _CHECKED.findall(each):
                domain = checked.strip('"').rpartition("@")[2]
                if not f".{host}".endswith("." + addressees.person(f"@{domain}")[1:]):
                    return bool(host)
    return False
