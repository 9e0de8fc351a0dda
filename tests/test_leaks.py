"""No location leaves: the whole corpus is mailed in, and all that comes out is searched.

Two judges that share nothing with the program: a search for every needle in every form, over
every file but the originals and over a dump of the ledger; and ExifTool, which may show of a
clip, a still or the montage only what a list here allows.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.command_scene import CommandScene, begin, config
from support.planted import build, corpus
from support.planted.needles import Needles
from support.planted.place import Place

QUICK = '[process]\nstill_seconds = 0.2\nstill_motion = "none"\n[review]\nrequired = false\n'
OUTPUT = '[[output]]\nname = "small"\nsize = "128x72"\nfps = 25\n'
A_MAIL = 12
PLANTED = {
    planted.name: planted.plant(Place.number(index))
    for index, planted in enumerate(corpus())
    if planted.name in ("jpeg-exif.jpg", "png-exif.png", "mp4-xyz.mp4")
}
HERE = Place.number(500)  # in a subject, a text and a file's name

# What ExifTool may show of what we made, without its groups of the file system.
_SHOWN = """
ImageSize Megapixels BitsPerSample ColorComponents EncodingProcess FileType FileTypeExtension
ImageHeight ImageWidth MIMEType YCbCrSubSampling JFIFVersion ResolutionUnit XResolution
YResolution BitDepth ColorType Compression Filter Interlace AvgBitrate Rotation
CompatibleBrands CurrentTime Duration Free HandlerType HandlerVendorID MajorBrand
MatrixStructure MediaData MediaDataOffset MediaDataSize MinorVersion MovieHeaderVersion
NextTrackID PosterTime PreferredRate PreferredVolume PreviewDuration PreviewTime
SelectionDuration SelectionTime TimeScale AVCConfiguration AverageBitrate BufferSize
ChunkOffset ChunkOffset64 ColorPrimaries ColorProfiles CompositionTimeToSample CompressorID
GraphicsMode MatrixCoefficients MaxBitrate MediaDuration MediaHeaderVersion
MediaLanguageCode MediaTimeScale OpColor PixelAspectRatio QuickTime_ColorRep_0x000a
SampleSizes SampleToChunk SourceImageHeight SourceImageWidth SyncSampleTable
TimeToSampleTable TrackDuration TrackHeaderVersion TrackID TrackLayer TrackVolume
TransferCharacteristics Unknown_edts VideoFrameRate AudioBitsPerSample AudioChannels
AudioFormat AudioSampleRate Balance SampleGroupDescription SampleToGroup Unknown_btrt
Unknown_esds Unknown_alac
"""
_TAGS = frozenset(_SHOWN.split())
_VALUES = {
    "HandlerDescription": {"VideoHandler", "SoundHandler"},
    "CompressorName": {"Lavc libx264"},
}
_NO_DATE = "0000:00:00 00:00:00"


@dataclass(frozen=True)
class Mailed:
    """The corpus as it was sent, and the campaign that it was mailed to."""

    corpus: Path
    rows: list[dict[str, Any]]
    campaign: CommandScene
    out: Path


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Mailed:
    """After a run and a montage; ``out`` is all but the originals, with a dump of the ledger."""
    folder = tmp_path_factory.mktemp("leaks")
    corpus = folder / "corpus"
    names = [planted.name for planted in build(corpus)]
    rows = json.loads((corpus / "manifest.json").read_text(encoding="utf-8"))["files"]
    files = {name: (corpus / name).read_bytes() for name in names}
    mails = {
        f"mail {first}": {name: files[name] for name in names[first : first + A_MAIL]}
        for first in range(0, len(names), A_MAIL)
    }
    mails[HERE.text.partition(" near")[0]] = {
        f"VID {HERE.lat:.5f}, {HERE.lon:.5f}.mp4": files["mp4-xyz.mp4"] + bytes(8)
    }
    campaign = begin(folder / "campaign", mails, config(QUICK, outputs=OUTPUT))
    said = campaign.footage("run")
    assert said.code == 0, said.err
    assert campaign.footage("render").code == 0
    out = folder / "out"
    shutil.copytree(campaign.work, out, ignore=shutil.ignore_patterns("originals"))
    with closing(sqlite3.connect(campaign.work / "ledger.db")) as database, database:
        (out / "ledger.sql").write_text("\n".join(database.iterdump()))
    return Mailed(corpus, rows, campaign, out)


def shown_by_exiftool(folder: Path) -> dict[str, dict[str, str]]:
    """What the second judge names in each media file, by path."""
    command = ["exiftool", "-ee3", "-a", "-u", "-U", "-G1:4", "-s", "-json", "-r", str(folder)]
    command += [word for kind in ("db", "html", "json", "jsonl", "csv", "sql", "lock", "vtt", "txt")
                for word in ("--ext", kind)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, check=False)
    return {tags.pop("SourceFile"): tags for tags in json.loads(done.stdout)}


def not_allowed(tags: dict[str, str]) -> set[str]:
    """The tags that give away more than picture and sound."""
    found = set()
    for name, value in tags.items():
        group, tag = name.split(":")[0], name.rsplit(":", 1)[-1]
        undated = tag.endswith("Date") and value == _NO_DATE
        allowed = undated or tag in _TAGS or value in _VALUES.get(tag, ())
        if group not in ("System", "ExifTool") and not allowed:
            found.add(f"{name} = {value}")
    return found


def test_every_carrier_becomes_a_clip(mailed: Mailed) -> None:
    statuses = Counter(clip["status"] for clip in mailed.campaign.report["clips"])
    assert statuses == {"accepted": len(mailed.rows) + 1}
    held = json.loads((mailed.out / "montage" / "montage-small.json").read_text())
    assert sum(bool(each["sha256"]) for each in held["segments"]) == len(mailed.rows) + 1


def test_no_needle_is_in_any_file(mailed: Mailed) -> None:
    here = {"needles": HERE.needles[:3], "needles_hex": [], "identity": []}
    needles = Needles([*mailed.rows, here])
    files = [path for path in mailed.out.rglob("*") if path.is_file()]
    assert len(files) > 2 * len(mailed.rows)
    holders = {}
    for path in files:
        name = str(path.relative_to(mailed.out))
        if hits := needles.within(path.read_bytes()) | needles.within(name.encode()):
            holders[name] = hits
    assert holders == {}


def test_the_search_finds_what_was_sent(mailed: Mailed) -> None:
    """Or the test above would prove nothing: all but packed, split and masked needles are seen."""
    seen = [
        row["name"]
        for row in mailed.rows
        if Needles([row]).within((mailed.corpus / row["name"]).read_bytes())
    ]
    assert len(seen) > 0.9 * len(mailed.rows)
    mails = b"".join(path.read_bytes() for path in (mailed.campaign.folder / "inbox").iterdir())
    assert Needles(mailed.rows, identity=False).within(mails.replace(b"\r\n", b""))


def test_exiftool_shows_picture_and_sound_alone(mailed: Mailed) -> None:
    judged = shown_by_exiftool(mailed.out)
    assert len(judged) > 2 * len(mailed.rows)
    assert {path: bad for path, tags in judged.items() if (bad := not_allowed(tags))} == {}
    before = shown_by_exiftool(mailed.corpus)
    assert sum(bool(not_allowed(tags)) for tags in before.values()) > 0.85 * len(mailed.rows)


def test_the_report_names_every_place_and_no_value(mailed: Mailed) -> None:
    rows = mailed.campaign.rows
    for row in mailed.rows:
        found = [[each["carrier"], each["what"]] for each in rows[row["name"]]["metadata"]["found"]]
        assert all(pair in found for pair in row["found"])
        assert rows[row["name"]]["metadata"]["clean"] is True
    masked = [name for name in rows if "[location removed]" in name]
    assert len(masked) == 1
    carriers = {each["carrier"] for each in rows[masked[0]]["metadata"]["found"]}
    assert "file name" in carriers


# --- what is deleted is gone ---


def remains(campaign: CommandScene, *needles: bytes) -> list[str]:
    """The files of the workspace in which one of *needles* stands, in any case of letters."""
    wanted = [needle.lower() for needle in needles]
    return [
        str(path.relative_to(campaign.work))
        for path in sorted(campaign.work.rglob("*"))
        if path.is_file() and any(each in path.read_bytes().lower() for each in wanted)
    ]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """One mail with two photos, one with a film; each subject is a word of its own."""
    mails = {
        "Zyxomma alpha": {"one.jpg": PLANTED["jpeg-exif.jpg"], "two.png": PLANTED["png-exif.png"]},
        "Quernstone beta": {"three.mp4": PLANTED["mp4-xyz.mp4"]},
    }
    folder = tmp_path_factory.mktemp("two")
    campaign = begin(folder, mails, config(QUICK, outputs=OUTPUT))
    for path in (folder / "inbox").iterdir():
        path.write_bytes(path.read_bytes().replace(b"Here it is.", b"Words of the mail: Zyxomma."))
    assert campaign.footage("run").code == 0
    assert campaign.footage("render").code == 0
    return campaign


@pytest.fixture
def two_mails(rendered: CommandScene, tmp_path: Path) -> CommandScene:
    return rendered.copy(tmp_path)


def test_what_was_taken_back_is_nowhere(two_mails: CommandScene) -> None:
    rows = two_mails.rows
    first = rows["one.jpg"]["sha256"]
    original = PLANTED["jpeg-exif.jpg"]
    pieces = [original[at : at + 64] for at in range(0, len(original) - 64, 512)]
    assert remains(two_mails, *pieces) == [f"originals/{first[:2]}/{first}"]
    assert "ledger.db" in remains(two_mails, b"alpha")

    # with a reader that keeps the ledger open, as the review does
    with closing(sqlite3.connect(two_mails.work / "ledger.db")) as reader:
        assert reader.execute("SELECT count(*) FROM submission").fetchone() == (2,)
        assert two_mails.footage("withdraw", "--clip", first).code == 0
        assert remains(two_mails, *pieces) == []
        assert "ledger.db" in remains(two_mails, b"alpha"), "the other photo came with these words"

        submission = rows["two.png"]["submission"]
        assert two_mails.footage("withdraw", "--submission", submission).code == 0
        assert two_mails.footage("report").code == 0
        assert remains(two_mails, b"alpha") == []
        assert "ledger.db" in remains(two_mails, b"quernstone")
        assert reader.execute("SELECT text FROM submission WHERE subject = ''").fetchall() == [
            ("",)
        ]
    assert two_mails.rows["two.png"]["status"] == "withdrawn"


def test_what_is_past_its_days_is_nowhere(two_mails: CommandScene) -> None:
    pieces = [
        data[at : at + 64] for data in PLANTED.values() for at in range(0, len(data) - 64, 512)
    ]
    assert len(remains(two_mails, *pieces)) == 3
    with closing(sqlite3.connect(two_mails.work / "ledger.db")) as database, database:
        database.execute("UPDATE original SET stored_at = '2026-01-01T00:00:00Z'")
    assert two_mails.footage("purge", "--json").data["purge"]["deleted"] == 3
    assert remains(two_mails, *pieces) == []
    assert {row["status"] for row in two_mails.rows.values()} == {"accepted"}
