"""Named values in texts: XML of cameras, JSON of photo services, tables of flight logs.

They are found by their form and not by a parser, so that a broken text gives away as much as a
whole one.  Every pattern takes linear time.
"""

import re
from collections.abc import Iterator
from itertools import islice

from pipeline.carriers import text
from pipeline.findings import Carrier, Finding, What

_NAMES = 4000
_VALUE = 4096
_JSON = 256 << 10  # characters that are read
_ROWS = 200  # of a table

# A tag with its attributes, and the text behind it.  No part can match in two ways.
_ELEMENT = re.compile(
    r"<([A-Za-z_][\w.:-]{0,80})((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>([^<>]*+)"
)
_ATTRIBUTE = re.compile(
    r"([\w.:-]{1,80})\s{0,20}=\s{0,20}(\"[^\"]*+\"|'[^']*+')|\"[^\"]*+\"|'[^']*+'"
)
_MEMBER = re.compile(
    r"\"([^\"\\]{1,80})\"\s{0,20}:\s{0,20}(?:\"((?:[^\"\\]|\\.){0,300}+)|([-+\d.eE]{1,40}))"
)
_ZERO = re.compile(r"[-+]?0{1,3}(?:[.,]0*)?")
_ZERO_PLACE = re.compile(
    r"(?i)(?<![a-z])(?:lat|lon|lng|latitude|longitude)(?:span|e7)?[\"']?\s{0,3}[:=]\s{0,3}[\"']?"
    r"[-+]?0{1,3}"
    r"(?:[.,]0{0,20})?(?!\d|[.,]\d)"
)
_LATITUDE = re.compile(r"(?i)(?:^|[^a-z])lat(?:itude)?(?![a-z])")
_LONGITUDE = re.compile(r"(?i)(?:^|[^a-z])(?:lon|lng|long|longitude)(?![a-z])")
_DEGREES = re.compile(r"\s*\"?[-+]?\d{1,3}[.,]\d{2,}\"?\s*")


def xml(data: str, position: Carrier) -> Iterator[Finding]:
    """What XML gives away by its attributes, by the text of its elements, and by named items.

    An item is an element that has its name and its value in attributes, as Sony writes it:
    ``<Item name="Latitude" value="35:39:19.440"/>``.

    :param position: the carrier of a tag that is about a place.
    """
    found: set[Finding] = set()
    for element in islice(_ELEMENT.finditer(data), _NAMES):
        name, attributes, said = element[1].rpartition(":")[2], element[2], element[3]
        pairs = {
            match[1].rpartition(":")[2]: match[2][1:-1]
            for match in islice(_ATTRIBUTE.finditer(attributes), _NAMES)
            if match[1] and not match[1].startswith("xmlns")
        }
        if "name" in pairs and "value" in pairs:
            pairs = {pairs["name"]: pairs["value"]}
        for key, value in (*pairs.items(), (name, said)):
            found.update(_tag(key, value, position))
    yield from found


def json(data: str, position: Carrier) -> Iterator[Finding]:
    """What JSON gives away by its named texts and numbers, in its first 256 KiB."""
    found: set[Finding] = set()
    for member in islice(_MEMBER.finditer(data[:_JSON]), _NAMES):
        found.update(_tag(member[1], member[2] or member[3] or "", position))
    yield from found


def is_table_of_places(data: str) -> bool:
    """Whether a table has columns of latitudes and longitudes, and degrees in them."""
    head, *rows = data[: text.LIMIT].split("\n")
    for separator in ",;\t|":
        columns = head.split(separator)
        named = [
            next((at for at, column in enumerate(columns) if name.search(column)), -1)
            for name in (_LATITUDE, _LONGITUDE)
        ]
        if min(named) < 0:
            continue
        for row in rows[:_ROWS]:
            cells = row.split(separator)
            values = [cells[at] for at in named if at < len(cells)]
            if len(values) == 2 and all(
                _DEGREES.fullmatch(value) and value.strip('"-+0., \r') for value in values
            ):
                return True
    return False


def without_zeros(data: str) -> str:
    """A text without coordinates of zero, which programs write where they know no place."""
    return _ZERO_PLACE.sub("", data)


def _tag(key: str, value: str, position: Carrier) -> Iterator[Finding]:
    if _ZERO.fullmatch(value.strip()) and text.kind_of_key(key)[0] is What.LOCATION:
        return
    yield from text.tag(key, value[:_VALUE], Carrier.CONTAINER_TAG, position)
