"""The report with its clips in one folder or one zip file, for a reviewer without this workspace.

Its page opens from the file and saves its decisions, which ``footage decide`` takes.  Originals,
the ledger and clips that were refused, failed or taken back are not in it.
"""

import hashlib
import shutil
import zipfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import publishing
from pipeline.errors import BytesChanged, DiskFull, UsageError
from pipeline.model import Row
from pipeline.review import packs, rules, stills
from pipeline.run import Run
from pipeline.store import FootageFile, FootageStore, files_of, still_of

_OLDEST = (1980, 1, 1, 0, 0, 0)  # equal content gives an equal zip
_ROOM = 1.05  # the folders of a zip, and rounding to blocks


@dataclass(frozen=True)
class Packed:
    """A finished pack.

    ``size`` is in bytes, ``clips`` are the originals whose clips it holds.  ``left_out`` are clips
    that do not hide yet what their reviews hide.
    """

    path: Path
    size: int
    clips: tuple[str, ...]
    left_out: tuple[Row, ...] = ()


def pack(run: Run, target: Path) -> Packed:
    """Put the report, which is up to date, and its clips into *target*.

    :param target: a zip file if its name ends in ``.zip``, else a folder.
    :raises UsageError: it exists already, lies in the workspace, or its folder does not exist.
    :raises DiskFull: there is no room for it.
    """
    _check(run, target)
    seen = [row for row in run.ledger.clips.rows() if rules.is_shown(row)]
    rows = [row for row in seen if rules.hides_what_it_should(row)]
    left_out = tuple(row for row in seen if not rules.hides_what_it_should(row))
    bare = {f"{row.sha256}.jpg" for row in left_out}
    files = {file.path: file for file in (*_report(run, bare), *_clips(run, rows))}
    sizes = {name: run.store.size(files[name]) for name in sorted(files)}
    size = sum(sizes.values())
    if shutil.disk_usage(target.parent).free < size * _ROOM:
        raise DiskFull
    make = _zip if target.suffix.lower() == ".zip" else _folder
    make(run.store, [(files[name], size) for name, size in sizes.items()], target)
    clips = tuple(dict.fromkeys(row.sha256 for row in rows))
    proof = publishing.sha256_of(run.workspace.report / "report.json")
    run.ledger.runs.record_export(proof, packs.FORMAT, clips)
    return Packed(target, size, clips, left_out)


def why_left_out(row: Row) -> str:
    """Name a clip that a pack does not hold, and say what to do."""
    then = "run footage process first"
    if not row.has_original:
        then = "it can't be made anew, because the original was deleted"
    return f"{row.sha256[:12]} {row.attachment.filename} does not have its new masks yet; {then}"


def _check(run: Run, target: Path) -> None:
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists already; name another, or delete it")
    if not target.parent.is_dir():
        raise UsageError(f"{target.parent} is not a folder")
    if target.resolve().is_relative_to(run.workspace.root.resolve()):
        raise UsageError(f"{target} is in the workspace; name a place outside of it")


def _report(run: Run, bare: Collection[str]) -> Iterator[FootageFile]:
    """The files of the report, without the stills of these names."""
    folder = run.workspace.report
    for path in (*folder.iterdir(), *(folder / stills.FOLDER).iterdir()):
        if path.is_file() and path.suffix != publishing.PART and path.name not in bare:
            yield FootageFile(run.workspace.relative(path), "")


def _clips(run: Run, rows: list[Row]) -> Iterator[FootageFile]:
    """The films and stills that the page plays; one that is missing is left to the page to name."""
    for row in rows:
        for film in files_of(row.result) if row.result else ():
            yield from filter(run.store.holds, (film, still_of(film)))


def _pieces(store: FootageStore, file: FootageFile) -> Iterator[bytes]:
    """Yield the bytes of a file.

    :raises BytesChanged: they are not those that were made and judged.
    """
    digest = hashlib.sha256()
    for piece in store.pieces(file):
        digest.update(piece)
        yield piece
    if store.is_beyond and file.digest and digest.hexdigest() != file.digest:
        raise BytesChanged(file.key)


def _zip(store: FootageStore, files: list[tuple[FootageFile, int]], target: Path) -> None:
    """Films and pictures are stored as they are: they can't be made smaller."""
    publishing.sweep_beside(target)
    with (
        publishing.new_file(target) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as packed,
    ):
        for each, size in files:
            entry = zipfile.ZipInfo(f"{target.stem}/{each.path}", _OLDEST)
            entry.external_attr = 0o600 << 16
            entry.file_size = size
            with packed.open(entry, "w") as part:
                for chunk in _pieces(store, each):
                    part.write(chunk)


def _folder(store: FootageStore, files: list[tuple[FootageFile, int]], target: Path) -> None:
    publishing.sweep_beside(target)
    with publishing.scratch_folder(target.parent, target) as scratch:
        whole = scratch / "pack"
        whole.mkdir(mode=0o700)
        for each, _ in files:
            with publishing.new_file(whole / each.path) as file:
                for chunk in _pieces(store, each):
                    file.write(chunk)
        publishing.move(whole, target)
