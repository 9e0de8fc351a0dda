"""A Live Photo is one moment: the film is the clip, the photo is shown with it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.browser import Reader, browser, reader
from support.ingest_scene import jpeg, mail, mp4, take_in
from support.ledger_scene import LedgerScene, attachment, decide, refused, result, sha
from support.report_page import campaign, card, config
from support.review_server import Client, serving
from test_ingest_archives import packed

from pipeline import clock
from pipeline.commands.purge import delete_old_originals
from pipeline.config import Config
from pipeline.model import Attachment, Decision, Kind, Reason, Review, Status
from pipeline.process import stage
from pipeline.protection import Mask, MaskPoint, Protect, SoundChange, SoundChangeKind
from pipeline.review import packing, packs, report, rules
from pipeline.review.admission import Admission

__all__ = ["browser", "campaign", "config", "reader"]  # fixtures

MOMENT = b"8A1F33C2-5D6E-4B7F-9A0B-1C2D3E4F5A6B"
KEY = b"com.apple.quicktime.content.identifier"


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body


def film(seconds: float = 3.0, identifier: bytes = b"", seed: object = 0) -> bytes:
    """A film of that length, with the content identifier where iPhones write it."""
    header = box(b"mvhd", bytes(12), struct.pack(">II", 600, int(seconds * 600)), bytes(80))
    keys = box(b"keys", struct.pack(">II", 0, 1), box(b"mdta", KEY))
    values = box(b"ilst", box(b"\0\0\0\1", box(b"data", struct.pack(">II", 1, 0), identifier)))
    meta = box(b"meta", keys, values) if identifier else b""
    return mp4(seed) + box(b"moov", header, meta)


def photo(identifier: bytes = b"", seed: object = 0) -> bytes:
    whole = jpeg(seed)
    return whole[:-2] + b"Apple iOS\0\0\1MM" + identifier + b"\0\xff\xd9"


def heic(seed: object = 0) -> bytes:
    return b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + mp4(seed)[24:]


def mov(identifier: bytes = b"", seed: object = 0) -> bytes:
    """A film as iPhones send it: of QuickTime's own brand."""
    whole = film(identifier=identifier, seed=seed)
    return whole[:8] + b"qt  " + whole[12:16] + b"qt  " + whole[20:]


def pairs(folder: Path, *files: tuple[str, bytes]) -> dict[str, str]:
    """The films of photos, by name."""
    rows = take_in(folder, mail(*files)).attachments()
    names = {row.position: row.filename for row in rows}
    return {row.filename: names[row.pair] for row in rows if row.pair is not None}


@pytest.mark.parametrize(
    ("photo_name", "film_name"),
    [
        ("IMG_0412.HEIC", "IMG_0412.MOV"),
        ("IMG_0412.jpg", "img_0412.mp4"),
        ("IMG_E0412.JPG", "IMG_0412.MOV"),
        ("IMG_0412.HEIC", "IMG_0412.HEIC.MOV"),
        ("PXL_20260901_101112.MP.jpg", "PXL_20260901_101112.mp4"),
    ],
)
def test_one_name_is_one_moment(tmp_path: Path, photo_name: str, film_name: str) -> None:
    still = heic() if photo_name.endswith("HEIC") else photo()
    found = pairs(tmp_path, (photo_name, still), (film_name, film()))
    assert found == {photo_name: film_name}


def test_one_identifier_is_one_moment_whatever_the_names_are(tmp_path: Path) -> None:
    files = [("a.jpg", photo(MOMENT)), ("b.jpg", photo()), ("b.mov", film(2.8, MOMENT))]
    assert pairs(tmp_path, *files) == {"a.jpg": "b.mov"}


def test_a_film_of_an_iphone_is_one_moment_with_its_photo(tmp_path: Path) -> None:
    files = [
        *(("IMG_1.HEIC", heic()), ("IMG_1.MOV", mov())),
        *(("b.jpg", photo(MOMENT)), ("c.MOV", mov(MOMENT, 2))),
    ]
    assert pairs(tmp_path, *files) == {"IMG_1.HEIC": "IMG_1.MOV", "b.jpg": "c.MOV"}


def test_only_one_photo_belongs_to_a_film(tmp_path: Path) -> None:
    files = [("IMG_1234.JPG", photo()), ("IMG_E1234.JPG", photo(seed=2)), ("IMG_1234.MOV", film())]
    assert pairs(tmp_path, *files) == {"IMG_1234.JPG": "IMG_1234.MOV"}


def test_an_edit_belongs_to_the_film_of_the_edit(tmp_path: Path) -> None:
    files = [
        *(("IMG_E1.JPG", photo(seed=1)), ("IMG_1.JPG", photo(seed=2))),
        *(("IMG_1.MOV", film(seed=3)), ("IMG_E1.MOV", film(seed=4))),
    ]
    assert pairs(tmp_path, *files) == {"IMG_1.JPG": "IMG_1.MOV", "IMG_E1.JPG": "IMG_E1.MOV"}


def test_a_pair_in_an_archive(tmp_path: Path) -> None:
    archive = packed(("x/IMG_7.HEIC", heic()), ("x/IMG_7.MOV", film()), ("IMG_8.MOV", film(seed=2)))
    found = pairs(tmp_path, ("a.zip", archive), ("IMG_8.JPG", photo()))
    assert found == {"IMG_7.HEIC": "IMG_7.MOV", "IMG_8.JPG": "IMG_8.MOV"}


@pytest.mark.parametrize(
    "files",
    [
        [("a.jpg", photo()), ("a.mov", film(10.5))],
        [("a.jpg", photo()), ("b.mov", film())],
        [("", photo()), ("", film())],
        [("a.jpg", photo()), ("a.mov", mp4())],
    ],
    ids=["too long", "other name", "no name", "no length"],
)
def test_what_is_no_pair(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    assert pairs(tmp_path, *files) == {}


def test_two_mails_are_no_pair(tmp_path: Path) -> None:
    scene = take_in(tmp_path, mail(("a.jpg", photo())), mail(("a.mov", film())))
    assert [row.pair for row in scene.attachments()] == [None, None]


def moment(campaign: LedgerScene) -> tuple[Attachment, Attachment]:
    still = attachment("still", 0, filename="IMG_1.HEIC", kind=Kind.IMAGE, pair=1)
    both = still, attachment("film", 1, filename="IMG_1.MOV")
    campaign.mail(*both)
    campaign.clip(result("still"))
    return both


def admitted(campaign: LedgerScene) -> list[str]:
    return [
        row.attachment.filename
        for row in rules.admitted(campaign.ledger.clips.rows(), Admission(required=False))
    ]


def test_the_film_has_the_place_in_the_montage(campaign: LedgerScene) -> None:
    moment(campaign)
    assert admitted(campaign) == []  # the film waits for process
    campaign.clip(result("film"))
    assert admitted(campaign) == ["IMG_1.MOV"]
    campaign.clip(refused("film", Reason.CORRUPT, "no frame"))
    assert admitted(campaign) == ["IMG_1.HEIC"]


def test_a_film_that_came_before_stands_for_its_photo(campaign: LedgerScene) -> None:
    campaign.mail(attachment("film", filename="IMG_1.MOV"))
    campaign.clip(result("film"))
    moment(campaign)
    assert admitted(campaign) == ["IMG_1.MOV"]


def test_a_moment_is_taken_back_as_a_whole(campaign: LedgerScene) -> None:
    moment(campaign)
    for half in ("still", "film"):
        taken = campaign.ledger.custody.archives_and_members([sha(half)])
        assert set(taken) == {sha("still"), sha("film")}


def test_every_archive_around_a_clip_is_taken_back_with_it(campaign: LedgerScene) -> None:
    campaign.mail(
        attachment("zip", 0, kind=Kind.ARCHIVE),
        attachment("mail", 1, kind=Kind.ARCHIVE, parent=0),
        attachment("film", 2, parent=1),
        attachment("other", 3, parent=1),
    )
    taken = campaign.ledger.custody.archives_and_members([sha("film")])
    assert set(taken) == {sha("zip"), sha("mail"), sha("film")}
    assert len(campaign.ledger.custody.archives_and_members([sha("zip")])) == 4


MASKED = Review(masks=(Mask((MaskPoint(0.0, 0.1, 0.1, 0.2, 0.2),)),))


def shown(campaign: LedgerScene, config: Config) -> bool:
    """Whether the report shows the photo, in its data and beside them."""
    report.write(campaign.run(config))
    data = report.build(config, campaign.ledger, "2026-09-01T00:00:00Z")
    clip = next(each for each in data["clips"] if each["sha256"] == sha("still"))
    thumb = campaign.workspace.report / "thumbs" / f"{sha('still')}.jpg"
    assert thumb.exists() == bool(clip["outputs"])
    return thumb.exists()


@pytest.mark.parametrize(
    ("review", "is_shown"),
    [
        (MASKED, False),
        (Review(protect=Protect.KNOWN), False),
        (Review(in_s=0.5), False),
        (Review(Decision.APPROVED, sounds=(SoundChange(SoundChangeKind.MUTE),)), True),
    ],
    ids=["masks", "from people", "cut", "sound"],
)
def test_a_photo_is_not_shown_while_a_part_of_its_film_may_not_be_seen(
    campaign: LedgerScene, config: Config, review: Review, *, is_shown: bool
) -> None:
    moment(campaign)
    campaign.clip(result("film"))
    assert shown(campaign, config)
    decide(campaign.ledger, sha("film"), review)
    assert shown(campaign, config) == is_shown
    campaign.clip(refused("film", Reason.INTERNAL, "no room"))
    if not is_shown:
        assert not shown(campaign, config), "it is no clip of its own that nobody masked"
        assert admitted(campaign) == []


def test_a_photo_that_came_alone_first_is_a_clip_of_its_own(
    reader: Reader, campaign: LedgerScene, config: Config
) -> None:
    campaign.mail(attachment("still", filename="alone.HEIC", kind=Kind.IMAGE))
    moment(campaign)
    campaign.clip(result("film"))
    decide(campaign.ledger, sha("film"), MASKED)
    assert shown(campaign, config)
    assert "alone.HEIC" in admitted(campaign)
    page, _ = reader.open(campaign.workspace.report / "index.html")
    own, film = page.locator(card(page, "still")), page.locator(card(page, "film"))
    expect(own).to_contain_text("a part of that film may not be seen. Hide it here too.")
    expect(film).to_contain_text("is a clip of its own too")
    expect(film.locator(f'img[src="thumbs/{sha("still")}.jpg"]')).to_have_count(0)


def test_the_files_of_a_hidden_photo_go_and_come_back(
    campaign: LedgerScene, config: Config
) -> None:
    moment(campaign)
    campaign.clip(result("film"))
    run = campaign.run(config)
    kept = campaign.workspace.original(sha("still"))
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"the only one")
    report.write(run)
    pack = packing.pack(run, campaign.workspace.root.parent / "before")
    assert sha("still") in pack.clips
    decide(campaign.ledger, sha("film"), MASKED)
    assert len(packs.outdated(campaign.ledger)) == 1

    with serving(config) as server:
        client = Client(server)
        for path in (f"/clips/{sha('still')}/landscape.jpg", f"/report/thumbs/{sha('still')}.jpg"):
            assert client.ask("GET", path)[0] == 404
    report.write(run)
    after = packing.pack(run, campaign.workspace.root.parent / "after")
    assert (after.clips, [row.sha256 for row in after.left_out]) == ((), [sha("film")])
    assert not [*after.path.rglob("*.jpg")]

    done = stage.run(run)
    assert (done.put_away, done.accepted) == ((sha("still"),), 0)
    assert not (campaign.workspace.clips / sha("still")).exists()
    assert not stage.run(run).put_away
    (still, film) = campaign.ledger.clips.rows()
    assert (still.status, film.status) == (Status.ACCEPTED, Status.ACCEPTED)
    assert len(packs.outdated(campaign.ledger)) == 1
    later = datetime.now(UTC) + timedelta(days=1000)
    assert sha("still") in dict(campaign.ledger.custody.stored_by(clock.stamp(later)))
    named: list[str] = []
    delete_old_originals(run, named.append)
    assert named == []

    decide(campaign.ledger, sha("film"), Review())
    (again,) = stage.plan(config, campaign.ledger, run.store.holds).missing
    assert again[0] == sha("still")
    assert packs.outdated(campaign.ledger) == []


def test_a_pair_has_one_card(reader: Reader, campaign: LedgerScene, config: Config) -> None:
    moment(campaign)
    campaign.clip(result("film"))
    written = report.write(campaign.run(config))
    data = report.build(config, campaign.ledger, "2026-09-01T00:00:00Z")
    assert [clip["pair"] for clip in data["clips"]] == [sha("film"), None]
    page, watch = reader.open(written.index)
    expect(page.locator(".card")).to_have_count(1)
    shown_card = page.locator(card(page, "film"))
    expect(shown_card).to_contain_text("one moment with the photo IMG_1.HEIC")
    expect(shown_card.locator(f'img[src="thumbs/{sha("still")}.jpg"]')).to_be_visible()
    page.locator("#f-text").fill("heic")
    expect(page.locator(".card")).to_have_count(1)
    page.locator(f"{card(page, 'film')} .edit summary").click()
    page.locator(f"{card(page, 'film')} .in_s input").fill("1")
    page.locator(f"{card(page, 'film')} .in_s input").press("Enter")
    expect(shown_card).to_contain_text("The photo of this Live Photo is shown nowhere")
    expect(shown_card.locator(f'img[src="thumbs/{sha("still")}.jpg"]')).to_have_count(0)
    assert watch.errors == []
