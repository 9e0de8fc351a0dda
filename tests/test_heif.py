"""The picture in a HEIF file is found, and a hostile file ends in HeifError or in nothing."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pipeline.carriers import Window
from pipeline.carriers.containers.heif import HeifError, HeifPicture, picture
from pipeline.carriers.containers.heif_links import ItemMask
from pipeline.carriers.containers.turning import Crop, Turn

Read = Callable[[bytes], HeifPicture | None]


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def size(width: int, height: int) -> bytes:
    return full(b"ispe", struct.pack(">II", width, height))


def turn(quarters: int) -> bytes:
    return box(b"irot", bytes([quarters]))


def mirror(axis: int) -> bytes:
    return box(b"imir", bytes([axis]))


def item(number: int, kind: bytes, *, large: bool) -> bytes:
    head = struct.pack(">IH" if large else ">HH", number, 0)
    return full(b"infe", head, kind, b"\0", version=3 if large else 2)


def heif(
    *properties: bytes,
    items: tuple[tuple[int, bytes], ...] = ((1, b"hvc1"),),
    primary: int = 1,
    row: tuple[int, ...] | None = None,
    rows: int = 1,
    large: bool = False,
) -> bytes:
    """A HEIF file of nothing but a description, whose primary item has *properties*."""
    number = ">I" if large else ">H"
    row = tuple(range(1, len(properties) + 1)) if row is None else row
    associations = struct.pack(f">B{len(row)}{'H' if large else 'B'}", len(row), *row)
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + full(
        b"meta",
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(number, primary), version=large),
        full(
            b"iinf",
            struct.pack(number, len(items)),
            *(item(number, kind, large=large) for number, kind in items),
            version=large,
        ),
        box(
            b"iprp",
            box(b"ipco", *properties),
            full(
                b"ipma",
                struct.pack(">I", rows),
                struct.pack(number, primary),
                associations,
                version=large,
                flags=large,
            ),
        ),
    )


def composed(
    items: Mapping[int, tuple[bytes, tuple[bytes, ...]]], *links: tuple[bytes, int, tuple[int, ...]]
) -> bytes:
    """A HEIF file of several items, each with its kind and its properties; the first is primary."""
    known = [data for _kind, properties in items.values() for data in properties]
    rows, at = b"", 1
    for number, (_kind, properties) in items.items():
        places = range(at, at + len(properties))
        rows += struct.pack(f">HB{len(places)}B", number, len(places), *places)
        at += len(places)
    return box(b"ftyp", b"heic\0\0\0\0mif1heic") + full(
        b"meta",
        full(b"pitm", struct.pack(">H", next(iter(items)))),
        full(
            b"iinf",
            struct.pack(">H", len(items)),
            *(item(number, kind, large=False) for number, (kind, _) in items.items()),
        ),
        full(
            b"iref",
            *(
                box(kind, struct.pack(f">HH{len(to)}H", origin, len(to), *to))
                for kind, origin, to in links
            ),
        ),
        box(b"iprp", box(b"ipco", *known), full(b"ipma", struct.pack(">I", len(items)), rows)),
    )


def aperture(*values: int) -> bytes:
    return box(b"clap", struct.pack(">8i", *values))


ALPHA = full(b"auxC", b"urn:mpeg:hevc:2015:auxid:1\0")
DEPTH = full(b"auxC", b"urn:mpeg:hevc:2015:auxid:2\0")


def test_a_derived_picture_is_cut_and_turned(read: Read) -> None:
    found = read(
        composed(
            {
                5: (b"iden", (aperture(100, 1, 80, 1, 10, 1, -20, 1), turn(1))),
                2: (b"hvc1", (size(640, 400), turn(2))),
            },
            (b"dimg", 5, (2,)),
        )
    )
    assert found is not None
    assert (found.item, found.rotation) == (2, 180)
    assert found.steps == (Crop(280, 140, 100, 80), Turn(8))


@pytest.mark.parametrize(
    "values", [(99, 1, 80, 1, 0, 1, 0, 1), (100, 0, 80, 1, 0, 1, 0, 1), (700, 1, 80, 1, 0, 1, 0, 1)]
)
def test_an_aperture_between_pixels_or_outside_is_left_out(
    read: Read, values: tuple[int, ...]
) -> None:
    items = {5: (b"iden", (aperture(*values),)), 2: (b"hvc1", (size(640, 400),))}
    found = read(composed(items, (b"dimg", 5, (2,))))
    assert found is not None
    assert found.steps == ()


def test_derived_pictures_in_a_circle_are_an_error(read: Read) -> None:
    items = {5: (b"iden", (turn(1),)), 6: (b"iden", (turn(1),))}
    with pytest.raises(HeifError):
        read(composed(items, (b"dimg", 5, (6,)), (b"dimg", 6, (5,))))


def test_transparency_is_found_among_auxiliary_pictures(read: Read) -> None:
    items = {
        1: (b"hvc1", (size(640, 400), turn(1))),
        2: (b"hvc1", (size(320, 200), DEPTH)),
        3: (b"hvc1", (size(640, 400), ALPHA, turn(1))),
    }
    found = read(composed(items, (b"auxl", 2, (1,)), (b"auxl", 3, (1,))))
    assert found is not None
    assert found.mask == ItemMask((3,), 1, 640, 400, turned=True)
    assert found.orientation == 8


def test_transparency_in_tiles(read: Read) -> None:
    tiles = {number: (b"av01", (size(64, 64),)) for number in (2, 3, 4, 6, 7, 8)}
    items = {1: (b"grid", (size(180, 64),)), 5: (b"grid", (size(180, 64), ALPHA)), **tiles}
    links = ((b"dimg", 1, (2, 3, 4)), (b"dimg", 5, (6, 7, 8)), (b"auxl", 5, (1,)))
    found = read(composed(items, *links))
    assert found is not None
    assert found.grid
    assert found.mask == ItemMask((6, 7, 8), 3, 180, 64, turned=False)
    short = read(composed(items, links[0], (b"dimg", 5, (6, 7)), links[2]))
    assert short is not None
    assert short.mask is None


def test_tiles_may_have_their_transparency_each(read: Read) -> None:
    tiles = {number: (b"av01", (size(64, 64),)) for number in (2, 3)}
    masks = {number: (b"av01", (size(64, 64), ALPHA)) for number in (6, 7)}
    items = {1: (b"grid", (size(64, 100),)), **tiles, **masks}
    links = ((b"dimg", 1, (2, 3)), (b"auxl", 6, (2,)), (b"auxl", 7, (3,)))
    found = read(composed(items, *links))
    assert found is not None
    assert found.mask == ItemMask((6, 7), 1, 64, 100, turned=False)
    half = read(composed(items, *links[:2]))
    assert half is not None
    assert half.mask is None


def test_any_byte_of_the_links_changed_it_ends_in_a_picture_none_or_error(read: Read) -> None:
    items = {
        5: (b"iden", (aperture(100, 1, 80, 1, 10, 1, -20, 1), turn(1))),
        1: (b"hvc1", (size(640, 400), turn(1))),
        3: (b"hvc1", (size(640, 400), ALPHA, turn(1))),
    }
    whole = composed(items, (b"dimg", 5, (1,)), (b"auxl", 3, (1, 5)))
    chance = random.Random(14496)
    for _ in range(400):
        bad = bytearray(whole)
        for _change in range(chance.randrange(1, 4)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            read(bytes(bad))
        except HeifError:
            continue


@pytest.fixture
def read() -> Read:
    def parse(data: bytes) -> HeifPicture | None:
        return picture(Window.over(data))

    return parse


def test_a_plain_picture(read: Read) -> None:
    assert read(heif(size(640, 400))) == HeifPicture(640, 400, 0, grid=False)


def test_the_large_forms_of_the_boxes(read: Read) -> None:
    still = heif(size(70000, 400), items=((70000, b"av01"),), primary=70000, large=True)
    assert read(still) == HeifPicture(70000, 400, 0, grid=False, codec="av1")


def test_an_essential_property_has_its_top_bit_set(read: Read) -> None:
    assert read(heif(size(640, 400), turn(1), row=(0x81, 0x82))) == HeifPicture(
        400, 640, 270, grid=False
    )


@pytest.mark.parametrize(
    ("quarters", "rotation", "upright"),
    [(0, 0, (640, 400)), (1, 270, (400, 640)), (2, 180, (640, 400)), (3, 90, (400, 640))],
)
def test_quarter_turns_are_anticlockwise_in_the_file(
    read: Read, quarters: int, rotation: int, upright: tuple[int, int]
) -> None:
    assert read(heif(size(640, 400), turn(quarters))) == HeifPicture(*upright, rotation, grid=False)


@pytest.mark.parametrize(
    ("steps", "rotation"),
    [
        ((mirror(1),), 0),
        ((mirror(0),), 180),
        ((mirror(0), mirror(1)), 180),
        ((turn(3), mirror(1)), 90),
        ((mirror(1), turn(3)), 270),
        ((mirror(1), turn(3), mirror(1)), 270),
        ((mirror(0), turn(1)), 270),
    ],
)
def test_every_order_of_turns_and_mirrors_has_one_form(
    read: Read, steps: tuple[bytes, ...], rotation: int
) -> None:
    found = read(heif(size(640, 400), *steps))
    assert found is not None
    assert found.rotation == rotation


def test_the_form_says_where_each_corner_goes(read: Read) -> None:
    """Against the definition: apply the file's steps and the reader's answer to a small grid."""
    grid = [[1, 2, 3], [4, 5, 6]]

    def anticlockwise(rows: list[list[int]]) -> list[list[int]]:
        return [list(row) for row in zip(*rows, strict=True)][::-1]

    def sideways(rows: list[list[int]]) -> list[list[int]]:
        return [row[::-1] for row in rows]

    do = {turn(1): anticlockwise, mirror(0): lambda rows: rows[::-1], mirror(1): sideways}
    chance = random.Random(4)
    for _ in range(50):
        steps = chance.choices(list(do), k=chance.randrange(6))
        wanted = grid
        for step in steps:
            wanted = do[step](wanted)
        found = read(heif(size(3, 2), *steps))
        assert found is not None
        answer = grid
        for _quarter in range((360 - found.rotation) // 90):
            answer = anticlockwise(answer)
        mirrored = sum(step != turn(1) for step in steps) % 2
        assert (sideways(answer) if mirrored else answer) == wanted
        assert (found.width, found.height) == (len(wanted[0]), len(wanted))


def test_a_picture_of_tiles(read: Read) -> None:
    items = ((1, b"hvc1"), (2, b"hvc1"), (3, b"Exif"), (9, b"grid"), (10, b"hvc1"))
    assert read(heif(size(640, 400), items=items, primary=9)) == HeifPicture(640, 400, 0, grid=True)


def test_properties_of_other_kinds_and_of_number_nought_are_passed_over(read: Read) -> None:
    still = heif(full(b"pixi", b"\3\x08\x08\x08"), size(640, 400), row=(0, 1, 2))
    assert read(still) == HeifPicture(640, 400, 0, grid=False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(box(b"ftyp", b"isom\0\0\2\0isom"), id="no description"),
        pytest.param(full(b"meta", full(b"hdlr", bytes(21))), id="no items"),
        pytest.param(box(b"mdat", b"meta" * 20), id="only a word in the media data"),
    ],
)
def test_what_holds_no_picture_gives_none(read: Read, data: bytes) -> None:
    assert read(data) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xff\xd8\xff\xe0JFIF and so on", id="a jpeg"),
        pytest.param(heif(), id="no size"),
        pytest.param(heif(size(0, 400)), id="no width"),
        pytest.param(heif(size(640, 400), primary=2), id="primary item that is none"),
        pytest.param(heif(size(640, 400), row=(1, 9)), id="property that is none"),
        pytest.param(heif(size(640, 400), row=()), id="no properties"),
        pytest.param(heif(size(640, 400)).replace(b"ipco", b"free"), id="no list of properties"),
        pytest.param(heif(full(b"ispe", b"\0\0")), id="short size"),
        pytest.param(heif(size(640, 400), box(b"irot")), id="empty turn"),
        pytest.param(heif(size(640, 400), box(b"imir")), id="empty mirror"),
        pytest.param(heif(full(b"ispe", bytes(100))), id="long size"),
        pytest.param(
            full(b"meta", box(b"pitm", bytes(6)), full(b"iinf"), box(b"iprp")), id="no items"
        ),
        pytest.param(full(b"meta", box(b"pitm"), box(b"iinf"), box(b"iprp")), id="empty boxes"),
        pytest.param(struct.pack(">I4s", 1 << 31, b"meta"), id="giant description, cut off"),
        pytest.param(struct.pack(">I4sQ", 1, b"meta", 1 << 63), id="64-bit size beyond the file"),
        pytest.param(struct.pack(">I4sQ", 1, b"meta", 3), id="64-bit size below the header"),
        pytest.param(struct.pack(">I4s", 3, b"meta"), id="size below the header"),
    ],
)
def test_nonsense_is_an_error(read: Read, data: bytes) -> None:
    with pytest.raises(HeifError):
        read(data)


def test_a_description_of_many_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.heic"
    with path.open("wb") as file:
        file.write(struct.pack(">I4s", 32 << 20, b"meta"))
        file.truncate(32 << 20)
    with path.open("rb") as opened, pytest.raises(HeifError, match="larger than"):
        picture(Window.whole(opened))


def test_a_count_of_four_thousand_million_rows_ends_with_the_data(read: Read) -> None:
    other = heif(size(640, 400), items=((1, b"hvc1"), (2, b"hvc1")), rows=0xFFFFFFFF)
    with pytest.raises(HeifError, match="cut off"):
        read(other.replace(b"pitm\0\0\0\0\0\1", b"pitm\0\0\0\0\0\2"))


def test_cut_anywhere_it_ends_in_a_picture_none_or_error(read: Read) -> None:
    whole = heif(size(640, 400), turn(1), mirror(0), large=True)
    for length in range(len(whole)):
        try:
            found = read(whole[:length])
        except HeifError:
            continue
        assert found is None


def test_any_byte_changed_it_ends_in_a_picture_none_or_error(read: Read) -> None:
    whole = heif(size(640, 400), turn(1), mirror(0))
    chance = random.Random(23008)
    endings: set[type] = set()
    for _ in range(400):
        bad = bytearray(whole)
        for _change in range(chance.randrange(1, 4)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            endings.add(type(read(bytes(bad))))
        except HeifError as error:
            endings.add(type(error))
    assert endings == {HeifPicture, type(None), HeifError}
