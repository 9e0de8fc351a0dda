"""One table of file formats: identify, the readers, the probe and the docs follow from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.planted import corpus
from support.planted.bases import bases
from support.planted.place import Place

from pipeline.carriers import Window, readers
from pipeline.carriers.containers import tiff
from pipeline.formats import FORMATS, NO_FOOTAGE, format_of
from pipeline.media.identify import identify_head
from pipeline.model import Reason

ROOT = Path(__file__).parents[1]
# Of the rows for which no sample is made elsewhere.
_HEADS = (
    b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    b"\0\0\0\x18ftyphevc\0\0\0\0msf1hevc",
    b"\0\0\0\x18ftypavis\0\0\0\0msf1avis",
    b"\0\0\0\x18ftyp3gp4\0\0\0\0isom3gp4",
    b"RIFF\x80\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10) + b"ANIM",
    b"\0\0\0\x0cJXL \r\n\x87\n",
    b"\0\0\x01\xb3",
)
_ROW = """\
from pipeline.formats import Format
from pipeline.carriers.readers import gif
from pipeline.model import Kind

Format("new", Kind.VIDEO, lambda head: head[:3] == b"NEW", "new", {reader})
"""


def mypy(folder: Path, reader: str) -> str:
    """What mypy says of a row with the argument *reader*."""
    snippet = folder / "row.py"
    snippet.write_text(_ROW.format(reader=reader))
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")]
    command += ["--cache-dir", str(folder / "cache"), str(snippet)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_a_format_without_a_reader_is_a_type_error(tmp_path: Path) -> None:
    assert 'Missing positional argument "reader"' in mypy(tmp_path, "")
    assert "incompatible type" in mypy(tmp_path, "None")
    assert "Success" in mypy(tmp_path, "gif.read")


def test_every_reader_is_in_the_table() -> None:
    folder = Path(readers.__file__).parent
    modules = {
        path.stem
        for path in folder.glob("*.py")
        if "\ndef read(window: Window)" in path.read_text()
    }
    used = {each.reader for each in FORMATS} | {reader for _, reader in NO_FOOTAGE}
    assert modules <= {reader.__module__.rpartition(".")[2] for reader in used}


def test_every_row_has_a_file_that_it_alone_takes() -> None:
    """In the order of the table, no row is hidden behind another."""
    files = [
        *_HEADS,
        *bases().values(),
        *(p.plant(Place.number(n)) for n, p in enumerate(corpus())),
    ]
    taken = {found for data in files if (found := format_of(data[:65536]))}
    names = {(each.name, each.demuxer) for each in taken}
    assert len({(each.name, each.demuxer) for each in FORMATS}) == len(FORMATS)
    assert {(each.name, each.demuxer) for each in FORMATS} - names == set()


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", Reason.UNSUPPORTED),
        (b"\0\0\0\x18ftypM4A \0\0\0\1M4A isom", Reason.NO_VIDEO),
        (b"RIFF\x24\0\0\0WAVEfmt ", Reason.NO_VIDEO),
        (b"RIFF\x24\0\0\0sfbk", Reason.NOT_MEDIA),
        (b"#EXTM3U\nhttp://127.0.0.1/a.ts", Reason.UNSAFE),
        (b"%PDF-1.7", Reason.NOT_MEDIA),
        (b"", Reason.NOT_MEDIA),
        (bytes(500), Reason.NOT_MEDIA),
    ],
)
def test_what_is_not_in_the_table_is_refused(head: bytes, reason: Reason) -> None:
    found = identify_head(head)
    assert found.format is None
    assert found.refusal is not None
    assert found.refusal.reason is reason


def test_tiff_whose_values_are_missing_is_no_known_picture() -> None:
    """The entry for the compression points behind the end of the file."""
    entry = b"\x03\x01\x03\0\x10\0\0\0\xff\xff\0\0"
    found = tiff.picture(Window.over(b"II*\0\x08\0\0\0\x01\0" + entry + bytes(4)))
    assert found is not None
    assert not found.known
