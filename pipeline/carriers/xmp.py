"""XMP packets (ISO 16684-1, clause 7), read as text and never as XML.

XML from outside can be broken on purpose or expand without limit, and a place must be found also
in a packet that no parser accepts.  So properties are found by their form: ``prefix:Name`` with
a value in quotes or between tags.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from pipeline.carriers import text
from pipeline.carriers.window import leave_out, spend
from pipeline.findings import Carrier, Finding, What

LIMIT = 4 << 20
_PROPERTIES = 4000
_VALUE = 4096
_OCTETS_A_STEP, _PROPERTY = 8, 5  # steps of a packet, and of each property

_TOKEN = re.compile(
    r"(?<![\w.-])(?P<prefix>[A-Za-z_][\w.-]{0,40}):(?P<name>[A-Za-z_][\w.-]{0,80})"
    r"\s{0,20}=\s{0,20}(?:\"(?P<double>[^\"<]*)\"|'(?P<single>[^'<]*)')"
    r"|<(?P<open>[A-Za-z_][\w.-]{0,40}):(?P<element>[A-Za-z_][\w.-]{0,80})"
    r"|>(?P<body>[^<>]+)(?=<)"
)
_STRUCTURE = frozenset(("rdf", "x", "xml", "xmlns", "stDim", "stRef", "stEvt", "rdfs"))
_SILENT = text.vocabulary(
    "orientation imagewidth imagelength imageheight bitspersample compression colorspace"
    " photometricinterpretation samplesperpixel planarconfiguration xresolution yresolution"
    " resolutionunit pixelxdimension pixelydimension exifversion flashpixversion ycbcrpositioning"
    " ycbcrsubsampling componentsconfiguration nativedigest format hasextendedxmp"
    " iccprofile colormode toolkit"
)
_COMMENTS = text.vocabulary(
    "description title subject headline caption instructions keywords usercomment label"
    " imagedescription captionwriter transmissionreference hierarchicalsubject"
)
_SETTINGS = frozenset(("hdr", "hdrgm", "hdr_metadata", "crs", "HDRGainMap", "apdi"))
_MOTION = frozenset(("motionphoto", "microvideo"))
_PLACELESS = frozenset(("subjectlocation", "gpsversionid", "gpsmapdatum"))


def read(data: bytes) -> Iterator[Finding]:
    """What the packet in *data* gives away, each once, in no order; at most 4 MiB of it."""
    found: set[Finding] = set()
    for prefix, name, value in _properties(_decoded(data[:LIMIT])):
        found.update(_property(prefix, name, value))
    yield from found or {Finding(Carrier.CONTAINER_TAG, What.OTHER)}


def pictures(data: bytes) -> Iterator[bytes]:
    """Pictures inside the packet, as base64 (thumbnails, depth maps of phones)."""
    for prefix, name, value in _properties(_decoded(data[:LIMIT]), LIMIT):
        if len(value) > 200 and (name in ("Data", "image") or prefix in ("GImage", "GDepth")):
            try:
                yield base64.b64decode(value.encode("ascii", "ignore")[: LIMIT // 4 * 4])
            except binascii.Error:
                continue


def _decoded(data: bytes) -> str:
    """The packet's text; UTF-8 as a rule, UTF-16 and UTF-32 by their zeros (ISO 16684-1, 7.3.2)."""
    spend(1 + len(data) // _OCTETS_A_STEP)
    return data.replace(b"\0", b"").decode("utf-8", "replace")


def _properties(packet: str, limit: int = _VALUE) -> Iterator[tuple[str, str, str]]:
    """Prefix, name and value; the value of a list item under the name of its property."""
    packet = packet.replace("&quot;", '"') if '"' not in packet else packet
    prefix, name, count = "", "", 0
    for match in _TOKEN.finditer(packet):
        if match["open"]:
            if match["open"] not in _STRUCTURE:
                prefix, name = match["open"], match["element"]
            continue
        if match["body"] is None:
            value = match["double"] if match["double"] is not None else match["single"]
            pair = (match["prefix"], match["name"])
        else:
            value, pair = match["body"], (prefix, name)
        if pair[0] in _STRUCTURE or not value.strip():
            continue
        count += 1
        spend(_PROPERTY)
        if count > _PROPERTIES:
            leave_out()
            return
        yield *pair, value[:limit]


def _property(prefix: str, name: str, value: str) -> Iterator[Finding]:
    word = name.lower()
    if word in _SILENT:
        return
    if word in _MOTION:
        yield Finding(Carrier.MOTION_PHOTO, What.OTHER)
    elif prefix.startswith(("mwg-rs", "MPReg")):
        yield Finding(Carrier.PERSON, What.IDENTITY)
    elif word in _COMMENTS:
        yield Finding(Carrier.COMMENT_TEXT, text.kind_of(value))
    elif word in _PLACELESS or prefix in _SETTINGS:
        yield Finding(Carrier.CONTAINER_TAG, What.OTHER)
    else:
        yield from text.tag(name, value, Carrier.CONTAINER_TAG, Carrier.XMP_POSITION)
