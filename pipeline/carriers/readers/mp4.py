"""MP4, QuickTime and 3GPP files (ISO/IEC 14496-12; QuickTime file format): boxes by allow-list."""

from collections.abc import Iterator

from pipeline.carriers.containers.boxes import IsoBox, boxes
from pipeline.carriers.readers import heif_items, mp4_tags, mp4_tracks
from pipeline.carriers.window import Window
from pipeline.findings import Carrier, Finding, What

_FRAGMENTS = 64
_FILMS = 4
_SILENT = frozenset(b"ftyp styp mdat wide sidx ssix mfra pdin prft imda iods ctab".split())
_IN_FRAGMENT = frozenset(b"mfhd traf tfhd tfdt trun sbgp sgpd subs saiz saio senc sdtp".split())


def read(window: Window) -> Iterator[Finding]:
    """What the file gives away: its film, its items, and the boxes around them."""
    films: list[Window] = []
    fragments: list[tuple[Window, int]] = []
    for box in boxes(window):
        if box.kind == b"moov":
            films.append(box.body)
            yield from _film(box.body)
        elif box.kind == b"moof":
            at = box.body.start - window.start - 8
            fragments += [(box.body, at)] if len(fragments) < _FRAGMENTS else []
            yield from _fragment(box.body)
        elif box.kind == b"meta":
            yield from _meta(window, box.body)
        elif box.kind not in _SILENT:
            yield from _around(box)
    if len(films) > 1:
        yield Finding(Carrier.UNKNOWN_PART, What.OTHER)
    for film in films[:_FILMS]:
        yield from mp4_tracks.read(film, window, fragments)


def _meta(window: Window, meta: Window) -> Iterator[Finding]:
    """The items of a still (8.11), or QuickTime's metadata of the whole file."""
    body = meta if meta.read(4, 4) == b"hdlr" else meta.part(4)
    if any(box.kind == b"iinf" for box in boxes(body)):
        yield from heif_items.read(window, meta)
    else:
        yield from mp4_tags.metadata(meta, Carrier.CONTAINER_TAG)


def _around(box: IsoBox) -> Iterator[Finding]:
    """A box at the top or in the film that neither picture nor sound needs."""
    if box.kind == b"udta":
        yield from mp4_tags.user_data(box.body)
    elif box.kind in (b"pnot", b"PICT", b"thum"):
        yield from mp4_tags.pictures(box.body)
    elif box.kind in mp4_tags.POSITION_BLOCKS and not box.broken:
        yield Finding(Carrier.TELEMETRY_TRACK, What.LOCATION)
    elif box.kind == b"mpvd" and not box.broken:
        # the film of a motion photo in HEIF
        yield from box.body.inside(Carrier.MOTION_PHOTO)
    else:
        stray = not box.kind or box.broken or box.kind == b"sefd"
        yield from mp4_tags.common_box(box, Carrier.TRAILER if stray else Carrier.UNKNOWN_PART)


def _fragment(moof: Window) -> Iterator[Finding]:
    for box in boxes(moof):
        if box.kind == b"traf":
            yield from _fragment(box.body)
        elif box.kind not in _IN_FRAGMENT:
            yield from _around(box)


def _film(moov: Window) -> Iterator[Finding]:
    for box in boxes(moov):
        if box.kind == b"mvhd":
            yield from mp4_tracks.times(box.body)
        elif box.kind == b"meta":
            yield from mp4_tags.metadata(box.body, Carrier.CONTAINER_TAG)
        elif box.kind not in (b"trak", b"mvex", b"iods", b"ctab", b"rmra", b"clip"):
            yield from _around(box)
