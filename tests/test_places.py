"""Places: every notation of places.txt is masked wherever it comes in, and nothing innocent is."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.ingest_scene import IngestScene, jpeg, mail, mp4, raw, take_in

from pipeline import places, wording
from pipeline.findings import Carrier, Finding, What
from pipeline.ingest import contents
from pipeline.ingest.html_words import html_text
from pipeline.model import Note
from pipeline.places.folding import folded
from pipeline.places.forms import FORMS
from pipeline.review import entries

LIST = Path(__file__).parent / "data" / "places.txt"
A_MAIL = 40  # notations in one run of ingest


def lines() -> list[str]:
    return [line for line in LIST.read_text("utf-8").splitlines() if line and line[0] != "#"]


def written(line: str) -> str:
    """A line with its escapes replaced."""
    line = re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), line)
    return line.replace(r"\n", "\n").replace(r"\t", "\t")


PLACES = [
    (written(text), need.split())
    for text, _, need in (line.partition("\t") for line in lines() if not line.startswith("! "))
]
INNOCENT = [written(line[2:]) for line in lines() if line.startswith("! ")]
IDS = [f"{number}" for number in range(len(PLACES))]


def left_of(place: str, need: list[str], shown: str) -> list[str]:
    """What names *place* and can still be read in *shown*."""
    needles = need or re.findall(r"\d{2,}", folded(place).cased)
    assert needles, f"nothing to look for in {place!r}"
    shown = shown.replace(places.MASK, "")
    return [needle for needle in needles if needle in shown or needle in folded(shown).cased]


def can_be_a_name(text: str) -> bool:
    return not set(text) & set("/\\\n\t") and not text.startswith("<p>")


def test_the_list_is_long() -> None:
    assert len(PLACES) >= 200
    assert len(INNOCENT) >= 150


@pytest.mark.no_cover
@pytest.mark.parametrize(("place", "need"), PLACES, ids=IDS)
def test_place_is_masked(place: str, need: list[str]) -> None:
    assert places.found(place)
    if place.startswith("<p>"):
        place = html_text(place).strip()
    for text in (place, f"We stood at {place} in the rain", f"({place})", f"Hi,\n\n{place}\n\nAna"):
        shown = places.masked(text)
        assert left_of(place, need, shown) == []
        assert places.MASK in shown
        assert not places.found(shown)


@pytest.mark.no_cover
@pytest.mark.parametrize("text", INNOCENT)
def test_innocent_text_stays(text: str) -> None:
    for whole in (text, f"Hello,\n{text}\nAna", f"{text}.mp4"):
        assert places.masked(whole) == whole
        assert not places.found(whole)


def test_only_the_place_is_replaced() -> None:
    mask = places.MASK
    assert (
        places.masked("We met at 47.318264, 18.951372, then left") == f"We met at {mask}, then left"
    )
    assert (
        places.masked("First\nat 47\u200b.318264; 18.951372!\nlast") == f"First\nat {mask}!\nlast"
    )
    assert places.masked("see https://maps.app.goo.gl/QrS (bridge)") == f"see {mask} (bridge)"
    assert places.masked("IMG 47.318264, 18.951372.jpg") == f"IMG {mask}.jpg"


def test_places_side_by_side_become_one_mask() -> None:
    assert places.masked("47.318264, 18.951372 / 47.418264, 18.851372") == places.MASK


@pytest.mark.parametrize(
    "link",
    ["https://maps.google.com/?q={}", "https://www.google.com/maps/@{},17z",
     "maps.apple.com/?ll={}&z=4",
     "https://www.google.com/maps/place/{}/data=x", "https://osm.org/#map=17/{}", "geo:{}"],
)  # fmt: skip
def test_a_place_that_was_masked_in_a_link_is_masked_once(link: str) -> None:
    """Texts of older ledgers are masked again, where only the place in a link was replaced."""
    text = f"We met there. {link} Enjoy!"
    once = text.format(places.MASK)
    assert (
        places.masked(text.format("47.318264,18.951372")) == f"We met there. {places.MASK} Enjoy!"
    )
    again = places.masked(once)
    assert again in (once, f"We met there. {places.MASK} Enjoy!")
    assert places.masked(again) == again


def test_what_is_left_of_a_place_takes_the_line_along() -> None:
    text = "We met\nat 47.318264, 18.951372 beside the old 47.3182 or so\nBye"
    assert places.masked(text) == f"We met\n{places.MASK}\nBye"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("52.<wbr>520008,13.<b>404954</b>", "52.520008,13.404954"),
        ("5<span>2.5</span>2<!-- x -->0008", "52.520008"),
        ("<td>a</td><td>b</td>", " a b"),
        ("<p>a</p><p>b</p>", "\na\n\nb\n"),
        ("one\n two", "one two"),
    ],
)
def test_inline_tags_do_not_part_words(html: str, words: str) -> None:
    assert re.sub(" +", " ", html_text(html)).rstrip(" ") == words


# --- through ingest ---


def ingested(folder: Path, texts: list[str]) -> tuple[IngestScene, bytes]:
    """Mails with each text as subject, as a line of the text, and as the name of a file."""
    mails: list[bytes] = []
    for number, text in enumerate(texts):
        name = text if can_be_a_name(text) else "clip"
        if text.startswith("<p>"):
            part = b"Content-Type: text/html; charset=utf-8\n\n<p>Hi</p>" + text.encode()
            mails.append(raw(f"From: a@example.org\nSubject: clip {number}\n", part))
            continue
        message = mail(
            (f"{name}.mp4", mp4(number)),
            subject=" ".join(text.split()),
            text=f"Hi,\n{text}\nAna",
        )
        mails.append(message.as_bytes())
    desk = take_in(folder, *mails)
    ledger = b"".join(path.read_bytes() for path in desk.workspace.root.glob("ledger.db*"))
    # a hash may hold the digits of a place by chance, and hashes differ from run to run
    return desk, re.sub(rb"[0-9a-f]{32,}", b"#", ledger)


@pytest.mark.parametrize("start", range(0, len(PLACES), A_MAIL))
def test_no_place_reaches_the_ledger(tmp_path: Path, start: int) -> None:
    some = PLACES[start : start + A_MAIL]
    desk, ledger = ingested(tmp_path, [place for place, _ in some])
    submissions = desk.submissions()
    assert len(submissions) == len(some)
    for place, need in some:
        for needle in need or re.findall(r"\d{6,}", place):
            # a shorter one could stand in a time or a size by chance
            assert len(needle) < 6 or needle.encode() not in ledger, place
    assert all(Note.LOCATION_IN_TEXT in submission.notes for submission in submissions)


@pytest.mark.parametrize(("place", "need"), PLACES[::9])
def test_no_place_reaches_the_report_of_a_mail(tmp_path: Path, place: str, need: list[str]) -> None:
    desk, _ = ingested(tmp_path, [place])
    [submission] = desk.submissions()
    names = [attachment.filename for attachment in desk.attachments()]
    for shown in (submission.subject.removeprefix("clip 0"), submission.text, *names):
        assert left_of(place, need, shown.replace("mp4", "")) == []


@pytest.mark.parametrize("start", range(0, len(INNOCENT), A_MAIL))
def test_innocent_texts_come_through_ingest(tmp_path: Path, start: int) -> None:
    some = INNOCENT[start : start + A_MAIL]
    desk, ledger = ingested(tmp_path, some)
    assert places.MASK.encode() not in ledger
    assert all(Note.LOCATION_IN_TEXT not in each.notes for each in desk.submissions())


def test_a_name_and_a_subject_are_findings(tmp_path: Path) -> None:
    name, subject = "N 48 51.503 E 002 17.669.mp4", "at 47.318264, 18.951372"
    [row] = take_in(tmp_path, mail((name, mp4(1)), subject=subject)).rows()
    assert row.attachment.filename == f"{places.MASK}.mp4"
    assert set(row.attachment.findings) == {
        Finding(Carrier.FILE_NAME, What.LOCATION),
        Finding(Carrier.SUBJECT, What.LOCATION),
    }


@pytest.mark.parametrize(
    "body",
    [
        jpeg(1),
        jpeg(1).replace(b"\0", b" ")[:30] + b"\0 at Margit Bridge",
        base64.encodebytes(b"at Margit Bridge, bank 3. " * 40),
        b"begin 644 a.txt\n" + b"".join(binascii.b2a_uu(b"at Margit Bridge, bank 3".ljust(45))
                                      for _ in range(9)) + b"`\nend\n",
    ],
)  # fmt: skip
def test_a_file_that_is_declared_as_text_is_not_stored_as_words(
    tmp_path: Path, body: bytes
) -> None:
    words = b"Content-Type: text/plain\n\nHere it is."
    part = b"Content-Type: text/plain\n\n" + body
    desk = take_in(tmp_path, raw("From: a@example.org\nSubject: clip\n", words, part))
    [submission] = desk.submissions()
    assert "Here it is." in submission.text
    for piece in (b"JFIF", b"Margit", body[200:230], body[400:420]):
        assert not piece.strip() or piece.decode("latin-1") not in submission.text


@pytest.mark.parametrize(("place", "need"), PLACES, ids=IDS)
@pytest.mark.parametrize("key", ["caption", "note"])
def test_reviewers_words_are_masked(key: str, place: str, need: list[str]) -> None:
    stored = entries.clean_text(key, f"Here: {place}")
    assert left_of(place, need, stored) == []
    assert not places.found(stored)


# --- properties ---

HEAD = st.sampled_from(["", "at ", "(", "Hi,\n", "IMG_", "x", "12 ", "gps:", "“", "<p>", "lat "])
TAIL = st.sampled_from(
    ["", ".", ")", "\nAna", ".mp4", " 12", "°", " N", ", 13", "&", "%20", "_001"]
)
INSIDE = st.sampled_from(["", "\u200b", "\u0301", "\ufe0f", "\u00ad", "\u2060", "\u200d\u200d"])
SCRIPTS = st.sampled_from([0x30, 0x660, 0x6F0, 0x966, 0xE50, 0xFF10, 0x1D7CE])
CODING = st.sampled_from(["", "%", "%25", "&#"])


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """A notation with other digits, invisible characters in it, or encoded, among other text."""
    place, _ = draw(st.sampled_from(PLACES))
    zero, hidden, coding = draw(SCRIPTS), draw(INSIDE), draw(CODING)
    text = "".join(
        chr(zero + int(char)) + hidden if char in "0123456789" else char for char in place
    )
    if coding:
        text = re.sub(r"[,;]", lambda match: encoded(match[0], coding), text)
    return draw(HEAD) + text + draw(TAIL)


def encoded(char: str, coding: str) -> str:
    code = f"{ord(char):02X}"
    return {"%": f"%{code}", "%25": f"%25{code}", "&#": f"&#{ord(char)};"}[coding]


PIECE = st.one_of(disguised(), st.sampled_from(INNOCENT), st.text(max_size=30))


@pytest.mark.no_cover
@given(st.lists(PIECE, max_size=4), st.sampled_from(["\n", " ", "", "_"]))
@settings(deadline=None, max_examples=400)
def test_nothing_is_found_in_what_was_masked(pieces: list[str], joint: str) -> None:
    shown = places.masked(joint.join(pieces))
    assert not places.found(shown)
    assert places.masked(shown) == shown


@pytest.mark.no_cover
@given(st.text())
@settings(deadline=None, max_examples=300)
def test_nothing_is_found_in_any_text_that_was_masked(text: str) -> None:
    assert not places.found(places.masked(text))
    for lines_kept in (False, True):
        assert not places.found(wording.storable(text, 50, lines=lines_kept))
    assert not places.found(wording.display_name(text))


@pytest.mark.no_cover
@given(st.text(alphabet="0123456789.,°'\" NSEW+-_/\n", max_size=60))
@settings(deadline=None, max_examples=600)
def test_nothing_is_found_in_numbers_that_were_masked(text: str) -> None:
    assert not places.found(places.masked(text))


@given(st.text(max_size=200))
@settings(deadline=None)
def test_folding_keeps_the_way_back(text: str) -> None:
    result = folded(text)
    assert len(result.at) == len(result.cased) + 1
    assert len(result.lower) == len(result.cased)
    assert result.at == sorted(result.at)
    assert result.at[-1] == len(text)


# --- limits ---

PIECES = [
    " ", "\n", "1", "1.1,", "\u0301", "1.2345 ", "+11", "/", "a.", "geo:", "lat ", "1:1:1 ", "8FVC",
    "12°", "N 5 ", "%25", "&amp;", "<a", "1 ", "utm 1 ", "52 31 12 ", "maps.", "word ", "1_",
    "1d 2m ", "lat,lon ", "1.1234567", "33U ", "1 123 123 ", "/ ", "goo .", "1.2345,"
]  # fmt: skip


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", PIECES)
def test_work_grows_with_the_text_and_no_faster(piece: str) -> None:
    """Characters that the patterns look at are counted by a clock of this process's own."""
    from time import process_time  # noqa: PLC0415

    def cost(size: int) -> float:
        text = (piece * size)[:size]
        start = process_time()
        places.found(text)
        return process_time() - start

    # eight times the text; quadratic work would take sixty-four times as long
    most = 24 * max(min(cost(1_000) for _ in range(3)), 1e-3)
    assert any(cost(8_000) < most for _ in range(3))  # once is enough, as a pause may hit any


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", PIECES)
def test_of_a_huge_text_only_a_beginning_is_worked_on(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    assert len(places.masked(text)) <= places.LIMIT + len(places.MASK)
    assert len(wording.plain(text, 300)) <= 300


@pytest.mark.no_cover
@pytest.mark.parametrize("piece", PIECES[::4])  # a name is masked as a text is, but twice
def test_of_a_huge_name_only_a_beginning_is_worked_on(piece: str) -> None:
    text = (piece * 1_000_000)[:1_000_000]
    assert len(wording.display_name(text)) <= 120


def test_a_cut_does_not_save_half_of_a_place() -> None:
    for read, every in ((4096, 1), (places.LIMIT, 13)):
        for missing in range(0, 40, every):
            padding = "x " * ((read - 512 - missing) // 2)
            text = f"{padding}47.318264, 18.951372 {padding}"
            assert "318264" not in places.masked(text, read)
    hidden = "\u200b" * 5000
    stored = wording.storable(f"{hidden}47.318264{hidden}, {hidden}18.951372", 30)
    assert left_of("47.318264, 18.951372", [], stored) == []


@pytest.mark.parametrize("hidden", ["\u200b", "\u200d", "\u0301", " "])
def test_hidden_characters_at_a_cut_do_not_save_half_of_a_place(hidden: str) -> None:
    for before in range(2000, 4096, 97):  # of this text, 4096 characters are read
        place = f"47.318264{hidden * 1200}, 18.951372"
        stored = wording.storable(f"{hidden * before}{place}{hidden * 3000}", 30)
        assert left_of("47.318264, 18.951372", [], stored) == []


@pytest.mark.parametrize("read", range(0, 26, 3))
def test_a_place_at_the_end_of_what_is_read_of_a_mail_is_not_kept(
    tmp_path: Path, read: int
) -> None:
    hidden = "<!--" + "c" * (contents.TEXT_READ - len("We stood at <!---->") - read) + "-->"
    page = f"We stood at {hidden}47.318264, 18.951372 in the rain"
    part = b"Content-Type: text/html; charset=utf-8\n\n" + page.encode()
    desk = take_in(tmp_path, raw("From: a@example.org\nSubject: clip\n", part))
    [submission] = desk.submissions()
    assert not re.search(r"\d", submission.text.replace(places.MASK, ""))


def test_forms_have_names_of_their_own() -> None:
    assert len({form.name for form in FORMS}) == len(FORMS)
