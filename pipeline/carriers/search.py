"""What an original gave away, read before it is processed: the proof in the report.

A location's value never leaves the reader that saw it: it is in no result, exception or log.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path

from pipeline.carriers import appended, exif, opaque, xmp
from pipeline.carriers.window import BudgetSpent, ReadBudget, Window
from pipeline.findings import Carrier, Finding, What

HEAD = 65536
Reader = Callable[[Window], Iterator[Finding]]
ReaderOf = Callable[[bytes], Reader | None]

_FIRST, _LAST = 8 << 20, 4 << 20  # bytes that the last search reads
_STEP = 1 << 20
_OVERLAP = 1 << 10
_HITS = 20
_SHARES = 7  # of a budget: five are for the readers

# Each pattern and each word begins with a fixed byte, and is searched for by itself: one
# expression for all of them takes ten times as long.
_FORMS = tuple(
    re.compile(pattern)
    for pattern in (
        rb"\+\d\d\.\d{4,8}[+-][01]\d\d\.\d{4,8}",
        rb"-\d\d\.\d{4,8}[+-][01]\d\d\.\d{4,8}",
        rb"\$G[PN](?:RMC|GGA|GLL),",
        rb"latitude[\"']?\s{0,3}[:=]\s{0,3}[\"']?[-+]?\d{0,2}(?:[1-9]\.|\.\d{0,5}[1-9])",
        rb"GPS ?\([-+]?\d{1,3}\.\d{3}",
    )
)
_WORDS = (
    *(b"freeGPS ", b"LIGOGPSINFO", b"com.apple.quicktime.location", b"GPSLatitude", b"exif:GPSL"),
    *(b"<trkpt", b"DEVC\x00\x01", b"\xa9xyz\x00"),
)
_HEADERS = (b"II*\x00", b"MM\x00*")
_PACKET = b"<x:xmpmeta"
_NOT_SEARCHED = Finding(Carrier.NOT_SEARCHED, What.OTHER)


def find(path: Path, reader_of: ReaderOf, budget: ReadBudget | None = None) -> tuple[Finding, ...]:
    """What the file at *path* carries beside picture and sound; sorted, each pair once.

    Never raises on what is in the file.  The readers, the search for what is appended and the
    last search over 12 MiB of raw bytes share one budget, so that no file under 1 MB takes longer
    than five seconds.  Where it is used up, a part that was not searched is among the findings.

    :param reader_of: the reader for a file by its first 64 KiB, also for a file inside the
        file.  What no reader understands is an unknown part.
    :param budget: what several files share; a full one if there is none.
    :raises OSError: the file itself can't be read.
    """
    budget = budget or ReadBudget()
    budget.begin(partial(_any, reader_of, opaque.scan))
    # two shares are kept for the later searches, which are made also where the readers used up all
    steps, octets = budget.steps // _SHARES, budget.octets // _SHARES
    budget.add(-2 * steps, -2 * octets)
    with path.open("rb") as file, budget.counting():
        found = _gathered(partial(_any, reader_of, opaque.read), Window.whole(file, budget))
        budget.add(steps, octets)
        found |= _gathered(appended.read, Window.whole(file, budget))
        if budget.is_used_up:
            found.add(_NOT_SEARCHED)
        budget.add(steps, octets)
        if all(each.what is not What.LOCATION for each in found):
            found |= _gathered(_sweep, Window.whole(file, budget))
    return tuple(sorted(found))


def _gathered(reader: Reader, window: Window) -> set[Finding]:
    """All that *reader* finds.

    If it fails: what it found before, and an unknown part; a part that was not searched, if it
    used up its budget.
    """
    found: set[Finding] = set()
    try:
        found.update(reader(window))
    except BudgetSpent:
        found.add(_NOT_SEARCHED)
    except Exception:  # noqa: BLE001 - hostile bytes; the error may hold a value, so it is dropped
        found.add(Finding(Carrier.UNKNOWN_PART, What.OTHER))
    return found


def _any(
    reader_of: ReaderOf, otherwise: Callable[[Window, Carrier], Iterator[Finding]], window: Window
) -> Iterator[Finding]:
    """What a file of any format gives away; *otherwise* is for one that no reader understands."""
    reader = reader_of(window.read(0, HEAD))
    yield from reader(window) if reader else otherwise(window, Carrier.UNKNOWN_PART)


def _sweep(window: Window) -> Iterator[Finding]:
    """A last search in the raw bytes of a file in which no reader found a location.

    The forms are strict, so that compressed pictures don't match by chance: positions as ISO
    6709 and NMEA, names of keys that hold positions, EXIF headers with a GPS directory, XMP
    packets.  The first 8 MiB and the last 4 are searched.
    """
    last = range(max(window.size - _LAST, _FIRST - _OVERLAP), window.size, _STEP)
    for at in chain(range(0, min(window.size, _FIRST), _STEP), last):
        if _place_in(window, at, window.read(at, _STEP + _OVERLAP)):
            yield Finding(Carrier.UNKNOWN_PART, What.LOCATION)
            return


def _place_in(window: Window, at: int, data: bytes) -> bool:
    if any(word in data for word in _WORDS) or any(form.search(data) for form in _FORMS):
        return True
    for header in _HEADERS:
        for start in _all(header, data):
            found = exif.read(window.part(at + start), notes=False)
            if Finding(Carrier.EXIF_POSITION, What.LOCATION) in found:
                return True
    return any(
        Finding(Carrier.XMP_POSITION, What.LOCATION) in xmp.read(window.read(at + start, 64 << 10))
        for start in _all(_PACKET, data)
    )


def _all(word: bytes, data: bytes) -> Iterator[int]:
    """The first 20 positions of *word* in *data*."""
    return (match.start() for match in islice(re.finditer(re.escape(word), data), _HITS))
