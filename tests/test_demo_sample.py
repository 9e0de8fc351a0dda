"""The sample inbox holds what it promises, and nothing but what we made."""

from __future__ import annotations

import email.utils
import io
import json
import re
import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from support.demo_sample import PLANTED, attachments, demo_sample, expected, read
from support.sample_footage import footage, photos

from pipeline import config
from pipeline.console import Console, Verbosity
from pipeline.demo import mails, sample
from pipeline.errors import UsageError
from pipeline.ffmpeg.runner import program
from pipeline.model import Kind, Reason, Status
from pipeline.wording import display_name

__all__ = ["demo_sample"]

FILES = mails.FILES
SILENT = Console(Verbosity.QUIET)
HERE = (-48.8767, -123.3933)

VIDEOS = {
    "VID_20260901_0612.mp4": (1280, 720, Fraction(30000, 1001), 0, True),
    "IMG_0142.MOV": (960, 540, Fraction(30), 90, True),
    "🏮 lantern night 🌙.mp4": (854, 480, Fraction(25), 0, False),
    "تحت الماء.webm": (640, 360, Fraction(24), 0, True),
    "umbrellas.mp4": (640, 360, Fraction(25), 0, True),
    "mill -31.4159_-89.7932.mov": (640, 480, Fraction(25), 0, True),
    "parade.mp4": (960, 540, None, 0, True),
}
PHOTOS = {
    "IMG_2231.JPG": (960, 720),
    "from above.png": (960, 640),
    "IMG_2240.HEIC": (1024, 768),
    "clean-up/volunteers.jpg": (1024, 768),
    "clean-up/paper boats.jpg": (1024, 768),
    "../../../../tmp/bridge.jpg": (1024, 683),
}
PLANTED_IN = ("VID_20260901_0612.mp4", "IMG_0142.MOV", "mill -31.4159_-89.7932.mov",
              "IMG_2231.JPG", "IMG_2240.HEIC", "clean-up/volunteers.jpg")  # fmt: skip


@pytest.fixture(scope="module")
def sent(demo_sample: Path) -> dict[str, bytes]:
    """Attachments by the name under which they were sent."""
    return {name: data for _, name, data in attachments(demo_sample)}


def pictures(data: bytes) -> tuple[list[np.ndarray[Any, Any]], list[float]]:
    with av.open(io.BytesIO(data), "r") as container:
        frames = list(container.decode(video=0))
    times = [float(frame.time or 0) for frame in frames]
    return [frame.to_ndarray(format="gray") for frame in frames], times


def test_the_mails_hold_what_is_expected_in_that_order(demo_sample: Path) -> None:
    names = [(mail, display_name(name)) for mail, name, _ in attachments(demo_sample)]
    assert names == [(row.mail, row.filename) for row in expected()]


def test_expected_rows_make_sense() -> None:
    rows = expected()
    assert all((row.status is Status.REJECTED) == (row.reason is not None) for row in rows)
    assert {row.reason for row in rows if row.reason} == {
        Reason.DECORATION, Reason.UNSAFE, Reason.NOT_MEDIA, Reason.TRUNCATED_TRANSFER,
        Reason.CORRUPT,
    }  # fmt: skip
    archives = {row.filename for row in rows if row.kind is Kind.ARCHIVE}
    assert {row.parent for row in rows if row.parent} == archives


def test_the_config_is_valid_and_points_at_the_inbox(demo_sample: Path) -> None:
    loaded = config.load(demo_sample / "config.toml")
    assert loaded.resolve("inbox") == (demo_sample / "inbox").resolve()
    assert loaded.inbox[0].url == "eml:inbox"
    assert loaded.root == (demo_sample / "work").resolve()
    assert not loaded.review.required
    assert loaded.campaign.handle == "@riverweek"
    assert [(out.size, out.fps) for out in loaded.output] == [("1920x1080", 30)]


def test_the_mails_name_nobody_but_examples(demo_sample: Path) -> None:
    for path in (demo_sample / "inbox").iterdir():
        mail = read(path)
        fields = [str(mail[name]) for name in ("From", "To", "Message-ID", "Received")]
        hosts = re.findall(r"[\w.-]+\.(?:org|net|com)\b", " ".join(fields))
        assert hosts
        assert all(re.search(r"(^|\.)example\.(org|net|com)$", host) for host in hosts)


def test_the_mails_arrived_one_after_the_other(demo_sample: Path) -> None:
    received = [
        email.utils.parsedate_to_datetime(str(read(path)["Received"]).rpartition(";")[2])
        for path in sorted((demo_sample / "inbox").iterdir())
    ]
    assert len(received) == 15
    assert received == sorted(set(received))


@pytest.mark.parametrize("name", VIDEOS)
def test_a_film_is_what_it_says(sent: dict[str, bytes], name: str) -> None:
    width, height, fps, turn, sound = VIDEOS[name]
    with av.open(io.BytesIO(sent[name]), "r") as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (width, height)
        assert bool(container.streams.audio) == sound
        assert fps is None or stream.average_rate == fps
        # PyAV counts against the clock
        assert next(container.decode(video=0)).rotation % 360 == -turn % 360


@pytest.mark.parametrize("name", VIDEOS)
def test_a_film_moves(sent: dict[str, bytes], name: str) -> None:
    frames, _ = pictures(sent[name])
    early, late = (frames[index].astype(int) for index in (5, len(frames) // 2))
    assert len(frames) >= 75
    assert early.std() > 15
    assert np.abs(early - late).mean() > 1.5


def test_only_the_parade_has_a_variable_rate(sent: dict[str, bytes]) -> None:
    for name, (_, _, fps, _, _) in VIDEOS.items():
        _, times = pictures(sent[name])
        steps = {round(later - sooner, 2) for sooner, later in pairwise(times)}
        assert len(steps) == (1 if fps else 2) or name.endswith("webm"), name


def test_one_film_is_quiet_and_one_is_loud(sent: dict[str, bytes]) -> None:
    def level(name: str) -> float:
        with av.open(io.BytesIO(sent[name]), "r") as container:
            sound = [frame.to_ndarray().ravel() for frame in container.decode(audio=0)]
        return float(20 * np.log10(np.sqrt(np.square(np.concatenate(sound), dtype=float).mean())))

    assert level("mill -31.4159_-89.7932.mov") < -30
    assert level("parade.mp4") > -15


@pytest.mark.parametrize("name", [*VIDEOS, *PHOTOS])
def test_ffmpeg_reads_it_to_the_end_without_a_word(
    sent: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(sent[name])
    command = [program(), "-v", "warning", "-xerror", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_is_what_it_says(sent: dict[str, bytes], name: str) -> None:
    width, height = PHOTOS[name]
    frames, _ = pictures(sent[name])
    assert frames[0].shape == (height, width)
    assert frames[0].std() > 15


@pytest.mark.parametrize("name", PLANTED_IN)
def test_the_position_is_planted(sent: dict[str, bytes], tmp_path: Path, name: str) -> None:
    path = tmp_path / f"file{Path(name).suffix.lower()}"
    path.write_bytes(sent[name])
    tags = tags_of(path)
    found = (tags["Composite:GPSLatitude"], tags["Composite:GPSLongitude"])
    assert found == pytest.approx(HERE, abs=2e-5)
    assert set(map(str, map(abs, HERE))) <= set(PLANTED)
    assert not [tag for tag in tags if tag.endswith((":Warning", ":Error"))]


def test_the_morning_has_the_old_and_the_new_carrier(
    sent: dict[str, bytes], tmp_path: Path
) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(sent["VID_20260901_0612.mp4"])
    tags = tags_of(path)
    assert tags["UserData:GPSCoordinates"].startswith("-48.8767 -123.3933")  # ©xyz
    assert tags["Keys:GPSCoordinates"].startswith("-48.8767 -123.3933")  # mdta


def tags_of(path: Path) -> dict[str, Any]:
    command = ["exiftool", "-n", "-j", "-G1", "-ee", str(path)]
    done = subprocess.run(command, capture_output=True, check=True)
    tags: dict[str, Any] = json.loads(done.stdout)[0]
    return tags


def test_a_position_is_written_into_a_subject_a_text_and_a_name(demo_sample: Path) -> None:
    mail = read(demo_sample / "inbox" / "07-mill.eml")
    body = mail.get_body()
    assert body is not None
    name = [str(part.get_filename()) for part in mail.iter_attachments()]
    for text in (str(mail["Subject"]), body.get_content(), name[0]):
        assert all(value in text for value in ("31.4159", "89.7932"))


@pytest.mark.parametrize("name", ["IMG_2231.JPG", "IMG_0142.MOV", "VID_20260901_0612.mp4"])
def test_the_mark_is_upright_where_a_viewer_turns_the_picture(
    sent: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    if name.endswith("JPG"):
        picture = ImageOps.exif_transpose(Image.open(io.BytesIO(sent[name]))).convert("RGB")
    else:
        path = tmp_path / "file"
        path.write_bytes(sent[name])
        command = [program(), "-v", "error", "-i", str(path), "-frames:v", "1",
                   "-c:v", "png", "-f", "image2pipe", "-"]  # fmt: skip
        shown = subprocess.run(command, capture_output=True, check=True).stdout
        picture = Image.open(io.BytesIO(shown)).convert("RGB")
    assert (picture.width < picture.height) == (name != "VID_20260901_0612.mp4")
    corner = np.asarray(picture)[: picture.height // 6, : picture.width // 4].astype(int)
    yellow = (corner[..., 0] > 200) & (corner[..., 1] > 150) & (corner[..., 2] < 140)
    rows = yellow.sum(axis=1)[yellow.any(axis=1)]
    # the arrow: narrow at its tip, wide below it, narrow at its foot
    assert 0 < rows[1] < rows[len(rows) // 2] > rows[-2] > 0


def test_the_same_bytes_come_twice_in_a_mail_and_in_two(demo_sample: Path) -> None:
    by_name = {(mail, name): data for mail, name, data in attachments(demo_sample)}
    parade = [data for (mail, _), data in by_name.items() if mail == "08-parade.eml"]
    assert len(parade) == 2
    assert parade[0] == parade[1]
    first = by_name["01-morning.eml", "VID_20260901_0612.mp4"]
    assert by_name["09-morning-again.eml", "sunrise.mp4"] == first


def test_the_broken_ones_are_broken(demo_sample: Path, sent: dict[str, bytes]) -> None:
    cut = (demo_sample / "inbox" / "13-cut-off.eml").read_bytes()
    assert not cut.rstrip().endswith(b"--")
    encoded = cut.rpartition(b"\r\n\r\n")[2]
    assert len(b"".join(encoded.split())) % 4 == 1  # RFC 4648: no encoder ends like this
    whole = sent["VID_20260901_0612.mp4"]
    assert whole.startswith(sent["MVI_0007.mp4"])
    assert b"moov" not in sent["MVI_0007.mp4"]
    assert sent["clip.mp4"].startswith(b"ffconcat")
    assert sent["photo.jpg"].isascii()


def test_the_logo_is_small_and_shown_by_its_content_id(demo_sample: Path) -> None:
    mail = read(demo_sample / "inbox" / "02-photo-action.eml")
    logo = next(part for part in mail.walk() if part.get_filename() == "logo.png")
    html = mail.get_body(("html",))
    assert html is not None
    assert f"cid:{str(logo['Content-ID']).strip('<>')}" in html.get_content()
    assert logo.get_content_disposition() == "inline"
    assert len(logo.get_content()) < 4096


def test_the_mails_speak_of_what_makes_trouble(demo_sample: Path) -> None:
    subjects = {mail.name: str(read(mail)["Subject"]) for mail in (demo_sample / "inbox").iterdir()}
    assert subjects["11-bridge.eml"].startswith("=HYPERLINK(")
    assert "<img src=x onerror=" in subjects["12-markup.eml"]
    forwarded = read(demo_sample / "inbox" / "06-forwarded.eml")
    assert [part.get_content_type() for part in forwarded.iter_attachments()] == ["message/rfc822"]
    link = read(demo_sample / "inbox" / "15-link.eml")
    assert not list(link.iter_attachments())
    assert "https://drive.google.com/" in link.get_content()


def test_the_mails_are_always_the_same(demo_sample: Path) -> None:
    for name, data in mails.build().items():
        assert (demo_sample / "inbox" / name).read_bytes() == data


@pytest.mark.parametrize("film", footage.FILMS, ids=lambda film: film.name)
def test_a_film_is_the_one_that_is_painted(film: footage.SampleFilm) -> None:
    painted = np.frombuffer(next(footage.frames(film)), np.uint8).astype(int)
    with av.open(str(FILES / film.name)) as container:
        first = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert np.abs(first.ravel() - painted).mean() < 5


def test_a_still_is_the_one_that_is_painted() -> None:
    painted = {"signs.jpg": photos.signs(), "meander.png": photos.meander(),
               "bridge.jpg": photos.old_bridge(), "logo.png": photos.logo()}  # fmt: skip
    for name, picture in painted.items():
        stored = ImageOps.exif_transpose(Image.open(FILES / name))
        away = np.asarray(stored, int) - np.asarray(picture, int)
        assert np.abs(away).mean() < 3, name


def test_the_files_can_be_made_again(tmp_path: Path) -> None:
    """The same FFmpeg makes the same bytes; another one makes files of the same kind."""
    rain = next(film for film in footage.FILMS if film.name == "rain.mp4")
    made = footage.stills(tmp_path) | {rain.name: footage.encode(rain, tmp_path)}
    for name, data in made.items():
        assert data[:12] == (FILES / name).read_bytes()[:12], name
    assert len(pictures(made[rain.name])[0]) == rain.frames


def test_a_whole_sample_is_left_as_it_is(demo_sample: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    shutil.copytree(demo_sample, folder)
    changed = (folder / "config.toml").read_text() + "# mine\n"
    (folder / "config.toml").write_text(changed)
    before = {path: path.stat().st_mtime_ns for path in (folder / "inbox").iterdir()}
    assert sample.make(folder, SILENT) == folder / "config.toml"
    assert {path: path.stat().st_mtime_ns for path in (folder / "inbox").iterdir()} == before
    assert (folder / "config.toml").read_text() == changed


def test_nothing_half_done_is_left(demo_sample: Path) -> None:
    assert sorted(path.name for path in demo_sample.iterdir()) == ["config.toml", "inbox"]
    assert len(list((demo_sample / "inbox").iterdir())) == len(mails.MAILS)


def test_a_config_of_somebody_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[campaign]\n")
    with pytest.raises(UsageError, match="is not a sample's; nothing was changed"):
        sample.make(tmp_path, SILENT)
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")
    with pytest.raises(UsageError, match="is not a folder"):
        sample.make(tmp_path / "demo", SILENT)
