"""Live Photos: a photo and a film of at most ten seconds that are one moment.

Phones send them as two files.  They have one content identifier, which Apple writes into the film's
metadata and the photo's maker note, or one name: IMG_0412.HEIC and IMG_0412.MOV, IMG_E0412.HEIC for
the photo after an edit.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.carriers import BudgetSpent, Window
from pipeline.carriers.containers.boxes import find
from pipeline.formats import HEAD
from pipeline.media.identify import identify_head
from pipeline.model import Attachment, Kind

_LONGEST_FILM = 10.0  # seconds
_PHOTOS = ("heif", "jpeg")
_FILMS = ("mp4", "quicktime")
_SUFFIX = re.compile(r"\.(?:heic|heif|jpe?g|mov|mp4|m4v|qt|mp|hevc)$", re.IGNORECASE)
_EDITED = re.compile(r"(img_)[eo](\d{4,})")
_UNNAMED = re.compile(r"unnamed|\[.*")  # or masked: no name at all
_KEY = b"com.apple.quicktime.content.identifier"
_UUID = re.compile(rb"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_LARGEST_META = 1 << 17
_SEARCHED = 64 << 20  # bytes of a photo
_STEP = 1 << 20


@dataclass(frozen=True)
class _File:
    row: Attachment
    path: Path
    identifiers: frozenset[bytes] = frozenset()

    @property
    def name(self) -> str:
        """The name without its suffixes, empty if it tells nothing."""
        name = unicodedata.normalize("NFC", self.row.filename).casefold()
        while _SUFFIX.search(name):
            name = _SUFFIX.sub("", name)
        return "" if _UNNAMED.fullmatch(name) else name

    @property
    def unedited_name(self) -> str:
        """The name that the phone gave before an edit."""
        return _EDITED.sub(r"\1\2", self.name)


def paired(rows: Iterable[Attachment], paths: Mapping[int, Path]) -> list[Attachment]:
    """The rows of a mail, with the film of each photo that has one.

    :param paths: the files of rows, by position.
    """
    rows = list(rows)
    sound = [row for row in rows if row.refusal is None and row.position in paths]
    films = [
        film
        for row in sound
        if row.kind is Kind.VIDEO and (film := _film(row, paths[row.position])) is not None
    ]
    photos = [
        _File(row, paths[row.position])
        for row in sound
        if films and row.kind is Kind.IMAGE and _format(paths[row.position]) in _PHOTOS
    ]
    found: dict[int, int] = {}
    ways: tuple[Callable[[_File, _File], bool], ...] = (
        _is_one_moment,
        lambda photo, film: bool(film.name) and photo.name == film.name,
        lambda photo, film: bool(film.name) and photo.unedited_name == film.unedited_name,
    )
    for is_pair in ways:
        for film in films:
            if film.row.position in found.values():
                continue
            free = [each for each in photos if each.row.position not in found]
            free.sort(key=lambda photo: photo.row.parent != film.row.parent)
            photo = next((each for each in free if is_pair(each, film)), None)
            if photo is not None:
                found[photo.row.position] = film.row.position
    return [replace(row, pair=found.get(row.position)) for row in rows]


def _is_one_moment(photo: _File, film: _File) -> bool:
    """Whether a photo holds an identifier of a film."""
    return bool(film.identifiers) and any(
        identifier in data for data in _stretches(photo.path) for identifier in film.identifiers
    )


def _stretches(path: Path) -> Iterator[bytes]:
    """The bytes of a file; each stretch repeats the end of the one before."""
    with path.open("rb") as file:
        for at in range(0, min(path.stat().st_size, _SEARCHED), _STEP):
            file.seek(at)
            yield file.read(_STEP + 64)


def _format(path: Path) -> str:
    with path.open("rb") as file:
        found = identify_head(file.read(HEAD)).format
    return found.name if found else ""


def _film(row: Attachment, path: Path) -> _File | None:
    """A film that is short enough to belong to a photo, with its identifiers."""
    if _format(path) not in _FILMS:
        return None
    with path.open("rb") as file:
        window = Window.whole(file)
        try:
            seconds = next(map(_seconds, find(window, b"moov", b"mvhd")), 0.0)
            metas = [meta.read(0, _LARGEST_META) for meta in find(window, b"moov", b"meta")]
        except BudgetSpent:
            return None
    if not 0 < seconds <= _LONGEST_FILM:
        return None
    identifiers = frozenset(
        identifier for data in metas if _KEY in data for identifier in _UUID.findall(data)
    )
    return _File(row, path, identifiers)


def _seconds(header: Window) -> float:
    """The duration in an mvhd box (ISO/IEC 14496-12, 8.2.2)."""
    data = header.read(0, 32)
    wide = data[:1] == b"\1"
    scale = int.from_bytes(data[20:24] if wide else data[12:16], "big")
    length = int.from_bytes(data[24:32] if wide else data[16:20], "big")
    return length / scale if scale else 0.0
