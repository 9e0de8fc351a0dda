"""Whatever is planted in a still or in a text beside a montage, the judge sees it."""

from __future__ import annotations

import json
import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import NotClean
from pipeline.judge import TextKind, judge_still, judge_text

Judge = Callable[[bytes], tuple[int, int]]
Change = Callable[[bytes], bytes]


def painted(mode: str = "RGB") -> Image.Image:
    return Image.radial_gradient("L").resize((97, 61)).convert(mode)


def saved(form: str, mode: str = "RGB", **options: object) -> bytes:
    file = BytesIO()
    painted(mode).save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def jpeg(tmp_path: Path) -> Judge:
    def judge(data: bytes) -> tuple[int, int]:
        (tmp_path / "still.jpg").write_bytes(data)
        return judge_still(tmp_path / "still.jpg")

    return judge


@pytest.fixture
def png(tmp_path: Path) -> Judge:
    def judge(data: bytes) -> tuple[int, int]:
        (tmp_path / "still.png").write_bytes(data)
        return judge_still(tmp_path / "still.png")

    return judge


# JPEG


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(saved("JPEG"), id="colours"),
        pytest.param(saved("JPEG", "L"), id="grey"),
        pytest.param(saved("JPEG", progressive=True, optimize=True), id="progressive"),
        pytest.param(saved("JPEG", restart_marker_blocks=3), id="restarts"),
    ],
)
def test_a_still_as_we_make_it_is_clean(jpeg: Judge, data: bytes) -> None:
    assert jpeg(data) == (97, 61)


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(data)) + data


def behind_app0(part: bytes) -> Change:
    return lambda jpeg: jpeg[:20] + part + jpeg[20:]


def before_scan(part: bytes) -> Change:
    return lambda jpeg: jpeg[: jpeg.index(b"\xff\xda")] + part + jpeg[jpeg.index(b"\xff\xda") :]


def first(old: bytes, new: bytes) -> Change:
    return lambda data: data.replace(old, new, 1)


def named(marker: bytes, change: Change) -> Change:
    """Change the first segment of a kind."""

    def apply(jpeg: bytes) -> bytes:
        start = jpeg.index(marker)
        end = start + 2 + int.from_bytes(jpeg[start + 2 : start + 4], "big")
        return jpeg[:start] + change(jpeg[start:end]) + jpeg[end:]

    return apply


def longer(part: bytes) -> Change:
    return lambda old: old[:2] + struct.pack(">H", len(old) - 2 + len(part)) + old[4:] + part


JPEGS: dict[str, tuple[Change, str]] = {
    "a comment": (behind_app0(segment(0xFE, b"52.5 13.4")), "a segment a comment"),
    "Exif": (behind_app0(segment(0xE1, b"Exif\0\0II*\0")), "a segment APP1"),
    "a profile": (behind_app0(segment(0xE2, b"ICC_PROFILE\0")), "a segment APP2"),
    "IPTC": (behind_app0(segment(0xED, b"Photoshop 3.0\0")), "a segment APP13"),
    "Adobe": (behind_app0(segment(0xEE, b"Adobe")), "a segment APP14"),
    "a JFIF extension": (behind_app0(segment(0xE0, b"JFXX\0\x10")), "APP0 with another value"),
    "a second APP0": (lambda data: data[:20] + data[2:], "occurs twice"),
    "a thumbnail": (named(b"\xff\xe0", lambda old: longer(b"\1\1\1")(old[:-2] + b"\1\1")), "APP0"),
    "a density": (first(b"JFIF\0\1\1\0", b"JFIF\0\1\1\1"), "APP0 with another value"),
    "an unknown segment": (behind_app0(segment(0xF7, b"x")), "a segment 0xf7"),
    "an extension segment": (behind_app0(segment(0xF0, b"x")), "a segment an extension"),
    "arithmetic coding": (first(b"\xff\xc0", b"\xff\xc9"), "a segment 0xc9"),
    "a number of lines": (before_scan(segment(0xDC, b"\0\7")), "a number of lines"),
    "a comment before the scan": (before_scan(segment(0xFE, b"x")), "a comment"),
    "bytes between segments": (behind_app0(b"52.5"), "bytes between the segments"),
    "fill bytes": (behind_app0(b"\xff"), "a segment 0xff"),
    "bytes after the end": (lambda data: data + b"52.5", "after the end"),
    "a nought after the end": (lambda data: data + b"\0", "after the end"),
    "a second image": (lambda data: data + data, "after the end"),
    "no end": (lambda data: data[:-2], "no end of the picture"),
    "no scan": (lambda data: data[: data.index(b"\xff\xda")] + b"\xff\xd9", "without a picture"),
    "no frame": (named(b"\xff\xc0", lambda _: b""), "a scan before its frame"),
    "two frames": (named(b"\xff\xc0", lambda old: old + old), "frame header"),
    "a longer frame": (named(b"\xff\xc0", longer(b"5")), "frame header"),
    "four colours": (named(b"\xff\xc0", lambda old: old[:9] + b"\4" + old[10:]), "frame header"),
    "no width": (named(b"\xff\xc0", lambda old: old[:7] + b"\0\0" + old[9:]), "without a size"),
    "a longer scan header": (named(b"\xff\xda", longer(b"5")), "a broken SOS"),
    "a table of quantizers more": (behind_app0(segment(0xDB, b"\0" + bytes(64))), "twice"),
    "a table nobody uses": (behind_app0(segment(0xDB, b"\4" + bytes(64))), "can use"),
    "a longer table": (named(b"\xff\xdb", longer(b"\2")), "bytes after a table"),
    "a code table twice": (named(b"\xff\xc4", lambda old: old + old), "twice"),
    "a longer code table": (named(b"\xff\xc4", longer(b"\3")), "bytes after a table"),
    "a restart interval of four bytes": (behind_app0(segment(0xDD, b"\0\0\0\1")), "DRI"),
    "two restart intervals": (behind_app0(segment(0xDD, b"\0\1") * 2), "twice"),
    "a restart that is not due": (lambda data: data[:-2] + b"\xff\xd0" + data[-2:], "restart"),
    "a segment that reaches too far": (behind_app0(b"\xff\xdb\xff\xff"), "impossible size"),
    "a segment below its own size": (behind_app0(b"\xff\xdb\0\1"), "impossible size"),
    "no JPEG": (lambda data: data[1:], "neither a JPEG"),
    "nothing": (lambda _: b"", "neither a JPEG"),
}


@pytest.mark.parametrize("name", JPEGS)
def test_one_thing_more_in_a_jpeg_is_not_clean(jpeg: Judge, name: str) -> None:
    change, problem = JPEGS[name]
    with pytest.raises(NotClean, match=problem) as caught:
        jpeg(change(saved("JPEG")))
    assert "52" not in str(caught.value)


def test_what_pillow_adds_when_it_is_told_to(jpeg: Judge) -> None:
    exif = painted().getexif()
    exif[0x010F] = "maker"
    for options in ({"exif": exif}, {"comment": b"x"}, {"icc_profile": b"x"}, {"dpi": (72, 72)}):
        with pytest.raises(NotClean):
            jpeg(saved("JPEG", **options))


def test_a_broken_jpeg_is_not_clean_and_nothing_worse(jpeg: Judge) -> None:
    whole = saved("JPEG", progressive=True)
    for length in range(len(whole)):
        with pytest.raises(NotClean):
            jpeg(whole[:length])
    chance = random.Random(10918)
    kept = 0
    for _ in range(300):
        bad = bytearray(whole)
        bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            assert min(jpeg(bytes(bad))) > 0
        except NotClean:
            continue
        kept += 1
    assert 0 < kept < 300  # coefficients are not read, segments are


# PNG


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def handmade(*, pixels: bytes = bytes(4 * (1 + 3 * 5)), after: bytes = b"", **more: bytes) -> bytes:
    """A black PNG of 5 by 4, with chunks *more* before the picture data."""
    head = more.pop("IHDR", struct.pack(">IIBBBBB", 5, 4, 8, 2, 0, 0, 0))
    parts = [chunk(name.encode(), data) for name, data in more.items()]
    data = zlib.compress(pixels) + after
    row = [chunk(b"IDAT", data[:9]), chunk(b"IDAT", data[9:])]
    return b"".join((b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), *parts, *row, chunk(b"IEND")))


SRGB = {
    "sRGB": b"\0",
    "gAMA": struct.pack(">I", 45455),
    "cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
}


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1", "I;16"])
def test_a_png_as_we_make_it_is_clean(png: Judge, mode: str) -> None:
    if mode == "I;16":
        file = BytesIO()
        Image.new("I;16", (97, 61)).save(file, "PNG")
        assert png(file.getvalue()) == (97, 61)
    else:
        assert png(saved("PNG", mode)) == (97, 61)


def test_a_png_may_say_srgb_in_three_ways_and_name_one_colour_clear(png: Judge) -> None:
    assert png(handmade(**SRGB)) == (5, 4)
    assert png(handmade(tRNS=bytes(6))) == (5, 4)


GREY = struct.pack(">IIBBBBB", 5, 4, 8, 0, 0, 0, 0)
PNGS: dict[str, tuple[bytes, str]] = {
    "text": (handmade(tEXt=b"Comment\x0052.5"), "a chunk tEXt"),
    "compressed text": (handmade(zTXt=b"Comment\0\0"), "a chunk zTXt"),
    "Unicode text": (handmade(iTXt=b"XML:com.adobe.xmp\0"), "a chunk iTXt"),
    "Exif": (handmade(eXIf=b"II*\0"), "a chunk eXIf"),
    "a time": (handmade(tIME=bytes(7)), "a chunk tIME"),
    "a profile": (handmade(iCCP=b"x\0\0"), "a chunk iCCP"),
    "a density": (handmade(pHYs=bytes(9)), "a chunk pHYs"),
    "an animation": (handmade(acTL=bytes(8)), "a chunk acTL"),
    "an unknown chunk": (handmade(prVt=b"52.5"), "a chunk prVt"),
    "a chunk without a name": (handmade().replace(b"IEND", b"\0\1\2\3"), "a chunk 0x00010203"),
    "sRGB with more": (handmade(sRGB=b"\x0052.5"), "a value in sRGB"),
    "another gamma": (handmade(gAMA=b"52.5"), "another gamma"),
    "other primaries": (handmade(cHRM=b"52.5" * 8), "other primaries"),
    "clear colours too many": (handmade(tRNS=bytes(8)), "transparency"),
    "an unused palette": (handmade(PLTE=bytes(3)), "a palette that is not used"),
    "a palette cut off": (
        handmade(
            IHDR=struct.pack(">IIBBBBB", 5, 4, 8, 3, 0, 0, 0), PLTE=bytes(4), pixels=bytes(24)
        ),
        "a palette of impossible size",
    ),
    "no palette": (
        handmade(IHDR=struct.pack(">IIBBBBB", 5, 4, 8, 3, 0, 0, 0), pixels=bytes(24)),
        "a palette that is not used",
    ),
    "a second head": (
        handmade().replace(chunk(b"IEND"), chunk(b"IHDR", GREY) + chunk(b"IEND")),
        "twice",
    ),
    "a head of another size": (handmade(IHDR=GREY + b"5"), "IHDR of another size"),
    "an odd depth": (handmade(IHDR=struct.pack(">IIBBBBB", 5, 4, 5, 2, 0, 0, 0)), "IHDR"),
    "interlaced": (handmade(IHDR=struct.pack(">IIBBBBB", 5, 4, 8, 2, 0, 0, 1)), "IHDR"),
    "bytes after IEND": (handmade() + b"52.5", "after the end"),
    "a second image": (handmade() + handmade(), "after the end"),
    "bytes in IEND": (
        handmade().replace(chunk(b"IEND"), chunk(b"IEND", b"52.5")),
        "bytes in the end",
    ),
    "a wrong checksum": (handmade()[:-1] + b"\0", "wrong checksum"),
    "bytes after the packed data": (handmade(after=b"52.5"), "bytes after the picture data"),
    "a row too many": (handmade(pixels=bytes(5 * 16)), "more picture data|another size"),
    "a row too few": (handmade(pixels=bytes(3 * 16)), "another size"),
    "broken data": (handmade().replace(zlib.compress(bytes(64))[:2], b"\x78\x00"), "checksum"),
    "no data": (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", GREY) + chunk(b"IEND"),
        "not in one row",
    ),
    "data in two places": (
        handmade().replace(
            chunk(b"IEND"), chunk(b"gAMA", SRGB["gAMA"]) + chunk(b"IDAT") + chunk(b"IEND")
        ),
        "not in one row",
    ),
    "garbage for data": (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", GREY) + chunk(b"IDAT", b"52.5") + chunk(b"IEND"),
        "broken",
    ),
    "no head": (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b"x") + chunk(b"IEND"), "without head"),
    "no end": (handmade()[:-12], "cut off"),
    "no PNG": (b"\x89PNG\n" + handmade()[8:], "neither a JPEG"),
    "nothing": (b"", "neither a JPEG"),
}


@pytest.mark.parametrize("name", PNGS)
def test_one_thing_more_in_a_png_is_not_clean(png: Judge, name: str) -> None:
    data, problem = PNGS[name]
    with pytest.raises(NotClean, match=problem) as caught:
        png(data)
    assert "52" not in str(caught.value)


def test_a_bomb_in_a_png_is_not_clean(png: Judge) -> None:
    with pytest.raises(NotClean, match="more picture data"):
        png(handmade(pixels=bytes(50 << 20)))


def test_every_byte_of_a_png_is_judged(png: Judge) -> None:
    whole = handmade(**SRGB)
    assert png(whole) == (5, 4)
    for place in range(len(whole)):
        bad = bytearray(whole)
        bad[place] ^= 0x10
        with pytest.raises(NotClean):
            png(bytes(bad))
        with pytest.raises(NotClean):
            png(whole[:place])


# Texts

VTT = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:05.000\nNice weather\n\n"
    "00:00:05.000 --> 00:01:10.125\nبالعربية\n"
)
CHAPTERS = "00:00 Opening\n01:05 Nice place\n1:02:03 East end\n"
# the 12 digits of the first SHA-256 are a square of a map, too
CREDITS = "00:03 Clip 1 · ana@example.org · 5dfe40935518\n01:05 Clip 2 · 0123456789ab\n"
LISTED = json.dumps(
    {
        "at": "2026-09-01T10:00:00Z",
        "clips": [{"sha256": "0f" * 32, "start_s": 1.234, "end_s": 5.678}],
    }
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [(VTT, "vtt"), (CHAPTERS, "chapters"), (CREDITS, "credits"), (LISTED, "json")],
)
def test_a_text_as_we_make_it_is_clean(tmp_path: Path, text: str, kind: TextKind) -> None:
    path = tmp_path / "beside.part"
    path.write_text(text, "utf-8")
    judge_text(path, kind)
    judge_text(path)
    judge_text(text)


TEXTS: dict[str, tuple[str, TextKind, str]] = {
    "a pair of degrees": (
        VTT + "\n00:02.000 --> 00:03.000\n52.5200, 13.4050\n",
        "vtt",
        "a place in",
    ),
    "minutes and seconds": (VTT.replace("Nice", "52°31'12\"N"), "vtt", "a place in"),
    "a link to a map": (VTT.replace("Nice", "https://maps.google.com/x"), "vtt", "a place in"),
    "a name of a cue": (
        VTT.replace("\n00:00:01", "\ngeo:52.5,13.4\n00:00:01"),
        "vtt",
        "a place in",
    ),
    "a pair in two lines": (VTT.replace("Nice weather", "52.5200\n13.4050"), "vtt", "a place in"),
    "a comment in vtt": (VTT + "\nNOTE 52.5 13.4\n", "vtt", "something else than cues"),
    "a style": (VTT + "\nSTYLE\n::cue {}\n", "vtt", "something else than cues"),
    "words in the head": (VTT.replace("WEBVTT", "WEBVTT here"), "vtt", "in the head"),
    "settings of a cue": (VTT.replace("5.000\n", "5.000 here:52\n"), "vtt", "something else than"),
    "not vtt": ("1\n" + VTT, "vtt", "in the head"),
    "a place in a title": (CHAPTERS + "2:00:00 +52.5200+013.4050/\n", "chapters", "a place in"),
    "a line without a time": (CHAPTERS + "here\n", "chapters", "something else than times"),
    "an empty line": (CHAPTERS + "\n", "chapters", "something else than times"),
    "a place in a credit": (CREDITS.replace("ana@", "52.5200,13.4050 "), "credits", "a place in"),
    "a place behind a credit": (
        CREDITS + "05:00 a · 5dfe40935519 33UUU1234567890\n",
        "credits",
        "without a SHA-256",
    ),
    "a place in two credits": (
        CREDITS.replace("ana@example.org", "52.5200").replace("Clip 2", "13.4050"),
        "credits",
        "a place in",
    ),
    "a string": ('{"a": [{"b": "52.5200 13.4050"}]}', "json", "a place in"),
    "an escaped string": ('{"a": "\\u0035\\u0032.5200 13.4050"}', "json", "a place in"),
    "a key": ('{"52.5200 13.4050": 1}', "json", "a place in"),
    "numbers in a row": ('{"a": [52.5200, 13.4050]}', "json", "a row of decimals"),
    "numbers by name": ('{"gps_lat": 52.5}', "json", "names a place"),
    "numbers by a longer name": ('{"GPSLongitude": 52.5}', "json", "names a place"),
    "a key twice": ('{"a": "52.5200 13.4050", "a": ""}', "json", "a place in"),
    "more than a document": (LISTED + LISTED, "json", "not JSON"),
    "a deep document": ("[" * 200_000, "json", "not JSON"),
    "a control character": (VTT + "\0", "vtt", "control characters"),
    "a carriage return": (CHAPTERS.replace("\n", "\r\n"), "chapters", "control characters"),
    "a byte order mark": ("\ufeff" + CHAPTERS, "chapters", "byte order mark"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_one_thing_more_in_a_text_is_not_clean(name: str) -> None:
    text, kind, problem = TEXTS[name]
    with pytest.raises(NotClean, match=problem) as caught:
        judge_text(text, kind)
    assert "52" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.vtt").write_bytes(VTT.encode("utf-16"))
    with pytest.raises(NotClean, match="not UTF-8"):
        judge_text(tmp_path / "a.vtt", "vtt")
