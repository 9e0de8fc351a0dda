"""What senders wrote: coordinates are masked, and nothing reorders, hides or becomes a path."""

from __future__ import annotations

import pytest

from pipeline.places import MASK, masked
from pipeline.wording import display_name, masked_sender, plain, shown_sender


@pytest.mark.parametrize(
    "text",
    [
        "+31.4159+089.7932/",
        "+31.4159+089.7932+012.3CRSWGS_84/",
        "+3124+08947/",
        "31.4159, 89.7932",
        "31.4159,-89.7932",
        "31,4159; 89,7932",
        "31.4159 N 89.7932 E",
        "31.4159° N, 89.7932° E",
        "lat: 31.4159 lon: 89.7932",
        "latitude=31.4159&longitude=89.7932",
        "31°24'57.2\"N 89°47'35.5\"E",
        "31° 24′ 57″ N",
        "N-less 31d24m57sN",
        "geo:31.4159,89.7932;u=20",
        "8FVC9G8F+6X",
        "///stream.paddle.reed",
        "https://maps.app.goo.gl/AbCdEf",
        "https://www.google.com/maps/@31.4,89.8,15z",
        "https://www.openstreetmap.org/#map=5/31/89",
    ],
)
def test_coordinates_are_masked_and_nothing_else(text: str) -> None:
    shown = masked(f"We stood at {text} in the rain")
    assert MASK in shown
    for digits in ("4159", "7932", "24'57", "AbCdEf", "paddle", "3124"):
        assert digits not in shown
    assert shown.startswith(("We stood at ", "We stood at N-less "))
    assert shown.endswith(" in the rain")


@pytest.mark.parametrize(
    "text",
    [
        "VID_20260901_101112.mp4",
        "20260901-101112-001.jpg",
        "IMG_4021 51-0.heic",
        "2026-09-01 10.11.12",
        "call +63 912 345 6789",
        "+1-202-555-0143",
        "1,200 people and 3,500 signs",
        "at 10:11:12 in the morning",
        "Here is 1.25 MB, 12.5 seconds",
        "version 2.29 now",
    ],
)
def test_names_times_and_numbers_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../../tmp/escape.jpg", "escape.jpg"),
        ("C:\\Users\\me\\clip.mp4", "clip.mp4"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\0b\r\n.mp4", "ab .mp4"),
        ("<img src=x>.png", "_img src=x_.png"),
        ("..", "unnamed"),
        ("", "unnamed"),
        ("मेरा वीडियो.mp4", "मेरा वीडियो.mp4"),
        ("👩\u200d👩\u200d👧 family.mov", "👩\u200d👩\u200d👧 family.mov"),
        ("at 31.4159, 89.7932.mp4", f"at {MASK}.mp4"),
    ],
)
def test_names_are_made_safe_to_show(name: str, shown: str) -> None:
    assert display_name(name) == shown


def test_long_names_keep_their_ending() -> None:
    shown = display_name("x" * 5000 + ".mp4")
    assert len(shown) <= 120
    assert shown.endswith(".mp4")


def test_stacked_marks_are_cut() -> None:
    assert len(plain("Z" + "\u0300" * 500 + "algo", 100)) < 12


def test_lines_stay_only_where_they_are_wanted() -> None:
    assert plain("a\nb", 10) == "a b"
    assert plain("a\nb", 10, lines=True) == "a\nb"
    assert plain("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ana@example.org", "a…@e….org"), ("", ""), ("nobody", "n…"), ("a@b@c.net", "a…@c….net")],
)
def test_senders_are_masked(address: str, shown: str) -> None:
    assert masked_sender(address) == shown


def test_place_in_an_address_is_shown_to_nobody() -> None:
    for style in ("full", "masked"):
        shown = shown_sender("31.4159,89.7932@a.48°31'12\"N-11°5'2\"E", style, 7)
        assert masked(shown) == shown
    assert shown_sender("ana@example.org", "full") == "ana@example.org"


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "piece",
    [" ", "\n", "1", "1.2345 ", "1.2345,", "+11", "/", "a.", "geo:", "lat ", "1:1:1 ", "8FVC"],
)
def test_no_text_is_slow_to_mask(piece: str) -> None:
    """Work that grows faster than the text would make these take hours, not an instant.

    ``test_places`` has the pieces alone.
    """
    for text in ("1.2345" + piece * 20_000, "lat" + piece * 20_000 + "!"):
        assert len(masked(text)) > 0
