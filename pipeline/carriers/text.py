"""Decides what a text in a file gives away.

A location is recognised by the form of the text (:mod:`pipeline.places`) or by the name of its
tag; a person, a device and a time by the tag's name alone.  Nothing of the text is kept.
"""

import re
from collections.abc import Iterator

from pipeline import places
from pipeline.carriers.window import spend
from pipeline.findings import Carrier, Finding, What

LIMIT = 128 << 10

_SEARCH, _CHARACTER = 100, 10  # steps of a search for places, and of each character in it
_GLANCE = 16  # characters a step, in which nothing can be a place

FFMPEG = re.compile(r"Lav[fc][\d.]*")  # the names of its libraries, which it writes as a program's
_PRECONDITION = re.compile(r"[\d/+<]")  # every form of a place has one of these, or this word
_WITHOUT = "chij"
_RUNS = re.compile(r"[^\ufffd\x00-\x08\x0e-\x1f]{6,}")
_BLOB = re.compile(r"[A-Za-z0-9+/]{60,}={0,2}")


def vocabulary(words: str) -> frozenset[str]:
    """The words of a line, as a set."""
    return frozenset(words.split())


def subjects(table: dict[str, bytes]) -> dict[bytes, str]:
    """The four-character codes of a *table* of words, each with its word."""
    return {code: word for word, codes in table.items() for code in codes.split()}


_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_KINDS: tuple[tuple[What, Carrier | None, frozenset[str]], ...] = tuple(
    (what, carrier, vocabulary(words))
    for what, carrier, words in (
        (
            *(What.LOCATION, None),
            "gps geo geotag geolocation geohash location sublocation locations latitude longitude"
            " lat lon lng xyz loci 6709 iso6709 place places city state province county country"
            " landmark altitude address venue coordinate coordinates coverage village town street"
            " postcode zip worldregion poi pois",
        ),
        (
            *(What.IDENTITY, Carrier.SERIAL_NUMBER),
            "serial serialnumber sn imei uuid guid uid uniqueid muid id identifier documentid"
            " instanceid",
        ),
        (
            *(What.IDENTITY, Carrier.PERSON),
            "artist author authors creator owner photographer copyright rights byline by writer"
            " performer composer director actor producer person people credit editor publisher"
            " email phone contact regions username user distributor encodedby",
        ),
        (
            *(What.IDENTITY, Carrier.DEVICE),
            "make model manufacturer device camera lens firmware software android hostcomputer"
            " drone aircraft product tool gopro dji samsung mobile phone",
        ),
        (
            *(What.TIME, Carrier.TIME),
            "date time year datetime created creation modified day timecode dated creationdate"
            " createdate modifydate datetimeoriginal timestamp recorded",
        ),
    )
)


def decode(data: bytes, limit: int = LIMIT) -> str:
    """The text in the first *limit* bytes: UTF-16 where its zeros say so, UTF-8 else."""
    data = data[:limit]
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    zeros = data.count(0)
    if zeros * 3 > len(data) > 3:
        even = data[::2].count(0)
        return data.decode("utf-16-be" if even * 2 > zeros else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(data) - 4:  # the limit has divided a letter
            return data[: error.start].decode("utf-8")
        return data.decode("latin-1")


def holds_place(text: str) -> bool:
    """Whether the first 128 KiB of *text*, from a media file, hold a place in any form.

    :raises BudgetSpent: the file has used up what its search may cost.
    """
    text = text[:LIMIT].replace("\0", " ")
    spend(1 + len(text) // _GLANCE)
    if 4 * text.count("\ufffd") > len(text):  # not a text, but a text may be in it
        text = "\n".join(_RUNS.findall(text))
    if _PRECONDITION.search(text) is None and _WITHOUT not in text.lower():
        return False
    spend(_SEARCH + _CHARACTER * len(text))
    return places.found(_BLOB.sub(" ", text), in_file=True)


def kind_of(text: str) -> What:
    """Location or other, by the form of the text."""
    return What.LOCATION if holds_place(text) else What.OTHER


def kind_of_key(key: str) -> tuple[What, Carrier | None]:
    """The subject of a tag by its name *key*, and the carrier that is reported for it."""
    words = {word.lower() for word in _WORDS.findall(key[:200])}
    if {"world", "region"} <= words or "gps" in key[:200].lower():
        return What.LOCATION, None
    if "tool" in words:
        return What.IDENTITY, Carrier.DEVICE
    for what, carrier, names in _KINDS:
        if words & names:
            return what, carrier
    return What.OTHER, None


def tag(key: str, value: str, plain: Carrier, position: Carrier | None = None) -> Iterator[Finding]:
    """What the tag *key* with its *value* gives away; an empty one gives nothing.

    :param plain: the carrier of a tag that is not about a device, a person or a time.
    :param position: the carrier of one that is about a place, if it has another.
    """
    if not value.strip(" \0\t\r\n"):
        return
    what, carrier = kind_of_key(key)
    if what is What.LOCATION:
        yield Finding(position or plain, What.LOCATION)
    elif carrier is None:
        yield Finding(plain, kind_of(value))
    else:
        yield Finding(carrier, what)
        if (what is not What.TIME or len(value) > 40) and holds_place(value):
            yield Finding(plain, What.LOCATION)
