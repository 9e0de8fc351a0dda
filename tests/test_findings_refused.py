"""Files that become no clip are read too: the report says what they gave away, never a value."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.ingest_scene import IngestScene, mail
from support.planted.jpegs import exif_jpeg
from support.planted.place import Place
from support.planted.refused import innocent, refused

from pipeline import carriers, formats
from pipeline.carriers import ReadBudget
from pipeline.findings import Carrier, Finding, What
from pipeline.ingest.members import Content
from pipeline.ingest.originals import Originals
from pipeline.ingest.rows import Incoming, Rows
from pipeline.ingest.spool import Readable

PLACE = Place.number(998)
REFUSED = refused(PLACE)
INNOCENT = innocent()


@pytest.mark.parametrize("name", REFUSED)
def test_place_in_a_file_that_becomes_no_clip(name: str, tmp_path: Path) -> None:
    data, carrier = REFUSED[name]
    path = tmp_path / "file"
    path.write_bytes(data)
    found = carriers.find(path, formats.reader_of)
    assert Finding(Carrier(carrier), What.LOCATION) in found
    assert not [needle for needle in PLACE.needles if needle in repr(found)]


@pytest.mark.parametrize("name", INNOCENT)
def test_no_place_in_a_file_that_becomes_no_clip(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(INNOCENT[name])
    found = carriers.find(path, formats.reader_of)
    assert all(finding.what is not What.LOCATION for finding in found)


@pytest.mark.parametrize("name", REFUSED)
def test_file_cut_anywhere(name: str, tmp_path: Path) -> None:
    data = REFUSED[name][0][:20_000]
    path = tmp_path / "file"
    for end in range(1, len(data), max(len(data) // 12, 1)):
        path.write_bytes(data[:end])
        carriers.find(path, formats.reader_of)


def test_report_names_carrier_and_kind_of_refused_files(tmp_path: Path) -> None:
    scene = IngestScene.at(tmp_path, "eml:inbox")
    (tmp_path / "inbox").mkdir()
    names = ("cover.mp3", "drone.srt", "IMG_1.MOV.json", "walk.gpx", "C0001M01.XML", "photo.xmp")
    parts = [(name, REFUSED[name][0]) for name in names]
    message = mail(*parts, ("a.zip.jpg", exif_jpeg(PLACE)))
    (tmp_path / "inbox" / "a.eml").write_bytes(message.as_bytes())
    scene.ingest()
    found = {
        row.attachment.filename: {
            (each.carrier.value, each.what) for each in row.attachment.findings
        }
        for row in scene.rows()
        if row.attachment.refusal
    }
    assert {(REFUSED[name][1], What.LOCATION) in found[name] for name in names} == {True}
    stored = b"".join(path.read_bytes() for path in scene.workspace.root.glob("ledger.db*"))
    assert not [needle for needle in PLACE.needles if needle.encode() in stored]


class _Nothing:
    def mail(self, file: Readable) -> None: ...

    def words(self, content: Content, data: bytes, charset: str) -> None: ...


def test_refused_files_of_a_mail_share_a_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "ReadBudget", lambda: ReadBudget(steps=0))
    rows = Rows(Originals(tmp_path, 10), inside=_Nothing())
    rows.file(Incoming("drone.srt", [REFUSED["drone.srt"][0]]))
    assert rows.list[0].findings == (Finding(Carrier.NOT_SEARCHED, What.OTHER),)
