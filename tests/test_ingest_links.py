"""Links to footage are kept in any spelling, and the links of ordinary signatures are not."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.ingest_scene import mail, mp4, raw, take_in

from pipeline.ingest import hosting, markup
from pipeline.ingest.links import LONGEST, MOST, Links
from pipeline.model import Note

CASES = tomllib.loads((Path(__file__).parent / "data" / "links.toml").read_text("utf-8"))
TARGET = "https://www.dropbox.com/s/x1y2/IMG_0012.MOV?dl=0"
FIELDS = "From: Ana <ana@example.org>\nTo: s@campaign.example\nSubject: Clip\n"


def links_of(*pieces: str, html: bool = False) -> tuple[str, ...]:
    links = Links()
    links.read(pieces, html=html)
    return links.addresses


@pytest.mark.parametrize("case", CASES["found"], ids=lambda case: str(case["links"])[:60])
def test_a_link_is_found_in_any_spelling(case: dict[str, str | list[str]]) -> None:
    text = str(case.get("html", case.get("text")))
    assert list(links_of(text, html="html" in case)) == case["links"]
    assert list(links_of(*text, html="html" in case)) == case["links"]  # a letter at a time


@pytest.mark.parametrize("text", CASES["innocent"]["text"])
def test_ordinary_links_are_not_kept(text: str) -> None:
    assert links_of(f"Ana\n-- \n{text}\n") == ()
    assert links_of(f'<a href="{text}">our page</a>', html=True) == ()


@pytest.mark.parametrize("html", CASES["innocent"]["html"])
def test_what_html_does_not_show_is_no_link(html: str) -> None:
    assert links_of(html, html=True) == ()


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("before", [0, 65_500, 131_000, 300_000])
def test_a_link_is_found_behind_any_length_of_text(before: int, html: bool) -> None:
    for size in range(before, before + 60):
        text = "x " * (size // 2) + "\n" * (size % 2) + TARGET + " and so on" * 9
        assert links_of(text[:70_000], text[70_000:], html=html) == (TARGET,)


def test_a_mail_keeps_the_address_behind_the_first_part_of_its_text(tmp_path: Path) -> None:
    html = "<p>" + "river " * 60_000 + f'<a href="{TARGET}">Click to Download</a></p>'
    part = b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
    (submission,) = take_in(tmp_path, raw(FIELDS, part)).submissions()
    assert submission.links == (TARGET,)
    # words that nobody has looked at may take footage back
    assert submission.notes == (Note.HAS_A_LINK, Note.NO_ATTACHMENT, Note.TAKES_BACK)


def test_the_report_has_the_links_and_no_place_in_them(tmp_path: Path) -> None:
    text = "https://files.example/clip.mp4?at=47.318264,18.951372 we.tl/t-abc"
    (submission,) = take_in(tmp_path, mail(text=text)).submissions()
    assert submission.links[1] == "https://we.tl/t-abc"
    assert "files.example" in submission.links[0]
    assert "47.318" not in str(submission)


@pytest.mark.parametrize(
    ("parameters", "link"),
    [
        (
            'access-type=URL; URL="https://a.example/pub/\n river.bin"',
            "https://a.example/pub/river.bin",
        ),
        (
            'access-type=anon-ftp; site="ftp.a.example"; directory="pub"; name="r.mov"',
            "ftp://ftp.a.example/pub/r.mov",
        ),
        ('access-type=mail-server; server="files@a.example"', "mailto:files@a.example"),
    ],
)
def test_a_body_that_is_elsewhere(tmp_path: Path, parameters: str, link: str) -> None:
    part = f"Content-Type: message/external-body; {parameters}\n\nContent-Type: video/mp4\n\n"
    (submission,) = take_in(tmp_path, raw(FIELDS, part.encode())).submissions()
    assert submission.links == (link,)
    assert Note.HAS_A_LINK in submission.notes


def test_what_is_kept_is_bounded() -> None:
    many = links_of(" ".join(f"https://we.tl/t-{number}" for number in range(500)))
    assert len(many) == MOST
    (long,) = links_of("https://we.tl/t-" + "a" * 5000)
    assert len(long) <= LONGEST


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "piece",
    [
        *("a.", "<a ", '<a href="', "<", "&", "<!--", "http://", "<http://a\n", "a.bc/x "),
        *("http://a.b/", "https://a.b/?u=https%3A%2F%2Fa.b ", "https://we.tl/" + "(" * 4000 + " "),
        *("https://urldefense.com/v3/__" + "*" * 3900 + "__;" + "A" * 90 + " ", "%3A%2F"),
    ],
)
def test_time_is_linear(piece: str) -> None:
    """A guard: a text of 256 KiB takes some hundredths of a second."""
    text = (piece * (1 + (1 << 18) // len(piece)))[: 1 << 18]
    begin = time.process_time()
    links_of(text)
    links_of(text, html=True)
    assert time.process_time() - begin < 20


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    links_of(text)
    links_of(text, html=True)
    for form in (
        "https://{}",
        "we.tl/{}",
        "https://a.example/?u={}",
        "https://urldefense.com/v3/__{}__;",
    ):
        links_of(form.format(text))


def test_each_place_has_a_source() -> None:
    path = Path(hosting.__file__).with_name("places_for_files.toml")
    rows = tomllib.loads(path.read_text("utf-8"))["place"]
    assert len(rows) >= 60
    assert all(row["source"].startswith("https://") for row in rows)
    hosts = [host for row in rows for host in row["hosts"]]
    assert len(hosts) == len(set(hosts))


@pytest.mark.parametrize("piece", ["<", "< ", "<1", "<<<"])
def test_lone_brackets_are_no_pieces_of_their_own(piece: str) -> None:
    """A mail of fifty million of them took a minute."""
    found = list(markup.pieces([piece * 1000] * 100))
    assert "".join(each.text for each in found) == piece * 100_000
    assert len(found) < 1000


SHORT = "https://bit.ly/3xYzAbC"
BEHIND_FILTER = (
    "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fbit.ly%2F3xYzAbC&data=x"
)


@pytest.mark.parametrize(
    ("text", "files", "kept"),
    [
        (f"My video is too large, it is here: {SHORT}", (), True),
        (f"My video is too large, it is here: {BEHIND_FILTER}", (), True),
        (f"Hier ist mein Film:\n\n{SHORT}", (), True),
        (f"動画はこちら {SHORT}", (), True),
        ("The video: bit.ly/3xYzAbC", (), True),
        (f"See you there: {SHORT}", (), False),
        ("My video is at https://bit.ly/", (), False),
        (f"Here is one.\nThe second video is here: {SHORT}", (("a.mp4", mp4()),), True),
        (f"Here is my video.\n-- \nMy shop: {SHORT}", (("a.mp4", mp4()),), False),
    ],
)
def test_a_short_link_counts_where_the_words_speak_of_footage(
    tmp_path: Path, text: str, files: tuple[tuple[str, bytes], ...], kept: bool
) -> None:
    scene = take_in(tmp_path, mail(*files, text=text, subject="Hello").as_bytes())
    (submission,) = scene.submissions()
    assert (submission.links == (SHORT,)) is kept
    assert (Note.HAS_A_LINK in submission.notes) is kept


def test_a_short_link_in_html_counts_too(tmp_path: Path) -> None:
    html = f'<p>You can watch my <a href="{SHORT}">video here</a></p>'.encode()
    part = b"Content-Type: text/html\r\n\r\n" + html
    (submission,) = take_in(tmp_path, raw(FIELDS, part)).submissions()
    assert submission.links == (SHORT,)
