"""Files of text that cameras, drones and photo services write beside footage.

They become no clip.  What they give away is shown, because a sender who sends them may not know.
"""

import re
from collections.abc import Callable, Iterator

from pipeline.carriers import iptc, notes, opaque, text, xmp
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_HEAD = 4096  # bytes by which a text is recognised
_WHOLE = 64 << 10
_SAMPLES, _SAMPLE = 4, 16 << 10  # of a longer text, spread over it
_NOTES = 1 << 20

_XMP = re.compile(r"\s*(?:<\?xpacket|(?:<\?xml[^>]{0,200}>\s*)?<(?:x:xmpmeta|rdf:RDF)\b)")
_TRACK = re.compile(r"<(?:\w{1,20}:)?(?:gpx|kml|TrainingCenterDatabase|NetworkLink|trk)\b")
_XML = re.compile(r"\s*<(?:\?xml|!--|[A-Za-z])")
_JSON = re.compile(r"\s*(?:\{\s*\"|\[\s*[\[{\"])")
_SUBTITLES = re.compile(
    r"\s*(?:\d{1,9}\s{1,20}\d{1,3}:\d\d:\d\d[,.]\d|WEBVTT\b|\[Script Info\]|<SAMI\b"
    r"|\{\d{1,9}\}\{\d{1,9}\})",
    re.IGNORECASE,
)
_LOG = re.compile(
    r"(?m)^(?:\$(?:G[PNLA]|BD|QZ)[A-Z]{3},|@Sonygps|B\d{13}[NS]\d{8}[EW]|HFDTE|OziExplorer)"
)
_FIX = re.compile(r"(?m)^B\d{6}(?!0{7})\d{7}[NS]\d{8}[EW]")  # of a glider (IGC, A4.1)
_TABLE = re.compile(r"[^\n]{0,2000}?\blat(?:itude)?\b[^\n]{0,2000}\n", re.IGNORECASE)


def reader(head: bytes) -> Callable[[Window], Iterator[Finding]] | None:
    """The reader for a text that begins with *head*; None for any other file."""
    begin = text.decode(head[:_HEAD]).lstrip("\ufeff")
    if "\0" in begin[:64]:
        return None
    if _XML.match(begin) and not _XMP.match(begin):
        return _track if _TRACK.search(begin) else _xml
    if _LOG.search(begin) or _TABLE.match(begin):
        return _track
    return next((read for pattern, read in _KINDS if pattern.match(begin)), None)


def flight(_window: Window) -> Iterator[Finding]:
    """A recording of a sports watch or a drone (FIT), which is made to hold positions."""
    yield Finding(Carrier.TELEMETRY_TRACK, What.LOCATION)


def records(window: Window) -> Iterator[Finding]:
    """Records of IPTC-IIM, in a file of their own or in bytes of another kind."""
    yield from iptc.records(window.read(0, _NOTES))


def _packet(window: Window) -> Iterator[Finding]:
    data = window.read(0, xmp.LIMIT)
    yield from xmp.read(data)
    for picture in xmp.pictures(data):
        yield from window.wrap(picture).inside(Carrier.SECOND_IMAGE)


def _xml(window: Window) -> Iterator[Finding]:
    yield from _words(Carrier.CONTAINER_TAG, window)
    yield from notes.xml(text.decode(window.read(0, _NOTES), _NOTES), Carrier.XMP_POSITION)


def _json(window: Window) -> Iterator[Finding]:
    yield from _words(Carrier.CONTAINER_TAG, window)
    yield from notes.json(text.decode(window.read(0, _NOTES), _NOTES), Carrier.CONTAINER_TAG)


def _track(window: Window) -> Iterator[Finding]:
    yield from _words(Carrier.TELEMETRY_TRACK, window)
    begin = text.decode(window.read(0, _NOTES), _NOTES)
    if notes.is_table_of_places(begin) or _FIX.search(begin):
        yield Finding(Carrier.TELEMETRY_TRACK, What.LOCATION)


def _subtitles(window: Window) -> Iterator[Finding]:
    yield from _words(Carrier.SUBTITLE_TRACK, window)


def _words(carrier: Carrier, window: Window) -> Iterator[Finding]:
    """Report *carrier*, and a place in the text; of a long text samples are read."""
    yield Finding(carrier, What.OTHER)
    step = window.size // _SAMPLES
    starts = [0] if window.size <= _WHOLE else [step * number for number in range(_SAMPLES)]
    for start in starts:
        data = window.read(start, _WHOLE if len(starts) == 1 else _SAMPLE)
        said = notes.without_zeros(text.decode(data))
        if opaque.has_location(data) if "\ufffd" in said else text.holds_place(said):
            yield Finding(carrier, What.LOCATION)
            return


_KINDS = ((_XMP, _packet), (_SUBTITLES, _subtitles), (_JSON, _json))
