"""Whatever is planted in a clip or a montage, the judge sees it; what we make, it lets pass."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from support.mp4_made import BOTH, CLEAN, encode, ffmpeg
from support.mp4_plants import PLANTS, SECRET, unit
from support.mp4_surgery import Part, Surgery

from pipeline.errors import NotClean
from pipeline.judge import AudioFacts, Mp4Facts, Mp4Kind, judge_mp4, walk
from pipeline.judge.walk import BoxError, BoxExtent


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verify")


@pytest.fixture(scope="session")
def clip(folder: Path) -> Path:
    return encode(folder / "clip.mp4")


@pytest.fixture(scope="session")
def montage(folder: Path, clip: Path) -> Path:
    """Three clips joined by copy, one of them of a single frame."""
    short, listed, joined = folder / "short.mp4", folder / "list.txt", folder / "montage.mp4"
    encode(short, frames=1)
    listed.write_text("ffconcat version 1.0\nfile clip.mp4\nfile short.mp4\nfile clip.mp4\n")
    steps = "setts=pts=round(PTS/1000)*1000:dts=(N-2)*1000"
    maps = ("-map", "0:v:0", "-map", "0:a:1", "-c:v", "copy", "-bsf:v", steps, "-c:a", "aac")
    ffmpeg("-copyts", "-f", "concat", "-i", listed, *maps, "-af", "asetpts=N", *CLEAN, joined)
    return joined


@pytest.fixture
def judge(tmp_path: Path) -> Callable[[bytes], Mp4Facts]:
    def write_and_judge(data: bytes) -> Mp4Facts:
        path = tmp_path / "judged.mp4"
        path.write_bytes(data)
        return judge_mp4(path, Mp4Kind.CLIP)

    return write_and_judge


# What passes, and what it says


def test_a_clip_as_we_make_it_is_clean(clip: Path) -> None:
    facts = judge_mp4(clip, Mp4Kind.CLIP)
    assert (facts.video.width, facts.video.height) == (64, 48)
    assert (facts.video.frames, facts.video.ticks_per_frame, facts.video.timescale) == (
        20,
        1000,
        30000,
    )
    assert facts.video.keyframes == (0, 8, 16)
    assert facts.video.start_s == 0
    assert facts.audio == (
        AudioFacts("aac", 48000, 2, 32000, enabled=True),
        AudioFacts("alac", 48000, 2, 32000, enabled=False),
    )


@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
def test_every_rate_size_and_length_passes(folder: Path, fps: int) -> None:
    size = f"{32 + fps * 2}x{160 - fps * 2}"
    frames = fps // 2 + 1 + fps % 7
    facts = judge_mp4(
        encode(folder / f"{fps}.mp4", frames=frames, fps=fps, size=size), Mp4Kind.CLIP
    )
    assert f"{facts.video.width}x{facts.video.height}" == size
    assert facts.video.ticks_per_frame * fps == facts.video.timescale
    assert facts.video.frames == frames
    assert [track.samples for track in facts.audio] == [48000 * frames // fps] * 2


def test_a_montage_is_clean_and_exact(montage: Path) -> None:
    facts = judge_mp4(montage, Mp4Kind.MONTAGE)
    assert facts.video.frames == 41
    assert facts.video.keyframes == (0, 8, 16, 20, 21, 29, 37)
    assert facts.audio == (AudioFacts("aac", 48000, 2, 41 * 1600, enabled=True),)
    assert facts.video.start_s == 0


def test_extradata_is_equal_where_clips_can_be_joined(folder: Path, clip: Path) -> None:
    other = judge_mp4(encode(folder / "other.mp4", frames=9), Mp4Kind.CLIP).video
    medium = judge_mp4(encode(folder / "medium.mp4", "-preset", "medium"), Mp4Kind.CLIP).video
    assert other.extradata == judge_mp4(clip, Mp4Kind.CLIP).video.extradata
    assert medium.extradata != other.extradata


def test_each_judge_wants_its_own_tracks(clip: Path, montage: Path, folder: Path) -> None:
    with pytest.raises(NotClean, match="other tracks than h264, aac"):
        judge_mp4(clip, Mp4Kind.MONTAGE)
    with pytest.raises(NotClean, match="other tracks than h264, aac, alac"):
        judge_mp4(montage, Mp4Kind.CLIP)
    loud = encode(folder / "loud.mp4", "-disposition:a:1", "default")
    with pytest.raises(NotClean, match="other tracks"):
        judge_mp4(loud, Mp4Kind.CLIP)


def test_the_forms_of_very_large_files_pass(clip: Path, judge: Callable[[bytes], Mp4Facts]) -> None:
    """64-bit chunk offsets, 64-bit times, and a 64-bit size of the media data."""
    file = Surgery(clip.read_bytes())
    for track in file.tracks:
        head = track["tkhd"]
        flags, number, length = head.get(">I", 0)[0], *head.get(">I4xI", 12)
        head.data = struct.pack(">IQQI4xQ", flags | 1 << 24, 0, 0, number, length) + head.data[24:]
        stco = track["mdia/minf/stbl/stco"]
        (count,) = stco.get(">I", 4)
        stco.data = stco.data[:8] + struct.pack(f">{2 * count}I", *([0] * 2 * count))
    grown = len(b"".join(map(bytes, file.inner))) - clip.stat().st_size + 8
    shifted = Surgery(clip.read_bytes())
    for track, old in zip(file.tracks, shifted.tracks, strict=True):
        source, stco = old["mdia/minf/stbl/stco"], track["mdia/minf/stbl/stco"]
        (count,) = source.get(">I", 4)
        offsets = [offset + grown for offset in source.get(f">{count}I", 8)]
        stco.kind, stco.data = b"co64", struct.pack(f">II{count}Q", 0, count, *offsets)
    data = b"".join(map(bytes, file.inner))
    small = struct.pack(">I4s", len(file["mdat"].data) + 8, b"mdat")
    large = struct.pack(">I4sQ", 1, b"mdat", len(file["mdat"].data) + 16)
    assert judge(data.replace(small, large)) == judge_mp4(clip, Mp4Kind.CLIP)


def test_parameter_sets_and_delimiters_among_the_pictures_pass(
    clip: Path, judge: Callable[[bytes], Mp4Facts]
) -> None:
    file = Surgery(clip.read_bytes())
    avc = file["moov/trak/mdia/minf/stbl/stsd/avc1/avcC"].data
    sps = avc[8 : 8 + avc[7]]
    file["moov/trak/mdia/minf/stbl/stsd/avc1"].inner.pop()  # btrt, which counts all bytes
    file.replace(1, 0, unit(b"\x09\x10") + unit(sps) + file.samples(1)[0])
    facts = judge(file.close())
    assert facts == judge_mp4(clip, Mp4Kind.CLIP)


# One thing more


@pytest.mark.parametrize("name", PLANTS)
def test_one_thing_more_is_not_clean(
    clip: Path, judge: Callable[[bytes], Mp4Facts], name: str
) -> None:
    plant, problem = PLANTS[name]
    file = Surgery(clip.read_bytes())
    plant(file)
    with pytest.raises(NotClean, match=problem) as caught:
        judge(file.close())
    assert "52" not in str(caught.value)


def test_every_level_is_closed_to_further_boxes(
    clip: Path, judge: Callable[[bytes], Mp4Facts]
) -> None:
    containers = [path for path, part in Surgery(clip.read_bytes()).walk() if part.inner]
    assert len(containers) == 28
    for path in containers:
        for kind in (b"uuid", b"udta", b"free", b"meta", b"\xa9xyz", b"skip", b"Xtra", b"ilst"):
            file = Surgery(clip.read_bytes())
            file[path].inner.append(Part(kind, SECRET))
            with pytest.raises(NotClean, match=r"a box|more than one box|another number") as caught:
                judge(file.close())
            assert "52.5" not in str(caught.value)


def test_every_box_is_closed_to_further_bytes(
    clip: Path, judge: Callable[[bytes], Mp4Facts]
) -> None:
    leaves = [path for path, part in Surgery(clip.read_bytes()).walk("") if not part.inner]
    for path in leaves:
        file = Surgery(clip.read_bytes())
        file[path].data += b"\0"
        with pytest.raises(NotClean):
            judge(file.close())


def test_every_box_stands_once_and_the_needed_ones_are_there(
    clip: Path, judge: Callable[[bytes], Mp4Facts]
) -> None:
    spared = set()
    for path, _ in list(Surgery(clip.read_bytes()).walk()):
        above, _, _ = path.rpartition("/")
        for twice in (True, False):
            file = Surgery(clip.read_bytes())
            row = (file[above] if above else file).inner
            place = row.index(file[path])
            row[place : place + 1] = [row[place]] * 2 if twice else []
            try:
                data = file.close()
            except IndexError:  # it has no chunk table or no media data any more
                data = b"".join(map(bytes, file.inner))
            try:
                judge(data)
            except NotClean:
                continue
            assert not twice, path
            spared.add(path.rpartition("/")[2])
    assert spared == {"free", "udta", "edts", "colr", "pasp", "btrt"}


@pytest.mark.no_cover
def test_no_byte_of_the_headers_goes_unjudged(
    folder: Path, judge: Callable[[bytes], Mp4Facts]
) -> None:
    data = encode(folder / "three.mp4", frames=3).read_bytes()
    clean = judge(data)
    quiet = []
    for place in range(data.index(b"mdat") + 4):
        bad = bytearray(data)
        bad[place] ^= 0x10
        try:
            if judge(bytes(bad)) == clean:
                quiet.append(place)
        except NotClean:
            continue
    assert quiet == []


def test_a_broken_file_is_not_clean_and_nothing_worse(
    clip: Path, judge: Callable[[bytes], Mp4Facts]
) -> None:
    whole = clip.read_bytes()
    for length in [*range(0, 4000, 61), *range(4000, len(whole), 2003), len(whole) - 1]:
        with pytest.raises(NotClean):
            judge(whole[:length])
    chance = random.Random(14496)
    clean = judge_mp4(clip, Mp4Kind.CLIP).video
    for _ in range(300):
        bad = bytearray(whole)
        for _change in range(chance.randrange(1, 5)):
            bad[chance.randrange(4000)] = chance.randrange(256)
        try:
            found = judge(bytes(bad)).video
        except NotClean:
            continue
        assert replace(found, extradata="") == replace(clean, extradata="")


# What FFmpeg itself would add if it were not told otherwise

REMUXED: dict[str, tuple[list[str], str]] = {
    "a title": (["-metadata", "title=River"], "user data"),
    "a position": (["-metadata", "location=+52.5200+013.4050/"], "user data"),
    "a date": (["-metadata", "creation_time=2026-09-01T10:00:00Z"], "a date"),
    "keys of one's own": (
        ["-movflags", "+faststart+use_metadata_tags", "-metadata", "com.x.place=here"],
        "user data",
    ),
    "a handler name": (["-metadata:s:v:0", "handler_name=Phone"], "handler name"),
    "a language": (["-metadata:s:a:0", "language=deu"], "a language"),
    "a track title": (["-metadata:s:a:0", "title=Anna"], "a box udta in moov/trak"),
    "a timecode": (["-write_tmcd", "1", "-timecode", "10:00:00:00"], "moov/trak"),
    "fragments": (["-movflags", "+frag_keyframe+empty_moov"], "a box mvex|a box moof"),
    "QuickTime": (["-f", "mov"], "a box wide|brands"),
    "another brand": (["-brand", "mp42"], "brands"),
    "3GP": (["-map", "-0:a:1", "-f", "3gp"], "brands"),
    "room for more": (["-movflags", "0", "-moov_size", "9000"], "free"),
}


@pytest.mark.parametrize("name", REMUXED)
def test_what_ffmpeg_writes_when_told_otherwise(clip: Path, tmp_path: Path, name: str) -> None:
    options, problem = REMUXED[name]
    ffmpeg("-i", clip, *BOTH, *CLEAN, *options, tmp_path / "judged.mp4")
    with pytest.raises(NotClean, match=problem):
        judge_mp4(tmp_path / "judged.mp4", Mp4Kind.CLIP)


def test_a_plain_copy_is_clean(clip: Path, tmp_path: Path) -> None:
    ffmpeg("-i", clip, *BOTH, *CLEAN, tmp_path / "judged.mp4")
    assert judge_mp4(tmp_path / "judged.mp4", Mp4Kind.CLIP) == judge_mp4(clip, Mp4Kind.CLIP)


def test_chapters_subtitles_covers_and_turned_pictures(clip: Path, tmp_path: Path) -> None:
    words, marks, cover = tmp_path / "a.srt", tmp_path / "a.txt", tmp_path / "a.jpg"
    words.write_text("1\n00:00:00,000 --> 00:00:00,500\nwords\n")
    marks.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=Here\n")
    ffmpeg("-i", clip, "-frames:v", "1", "-update", "1", cover)
    second: dict[str, tuple[list[str | Path], str]] = {
        "words": (["-i", words, "-map", "0", "-map", "1", "-c:s", "mov_text"], "moov/trak"),
        "marks": (["-i", marks, "-map", "0", "-map_chapters", "1"], "moov/trak"),
        "cover": (
            ["-i", cover, "-map", "0", "-map", "1", "-disposition:v:1", "attached_pic"],
            "user data",
        ),
    }
    chapters = [option for option in CLEAN if option != "-map_chapters"]
    chapters.remove("-1")
    for name, (options, problem) in second.items():
        clean = chapters if name == "marks" else CLEAN
        copy = ("-c:v", "copy", "-c:a", "copy", "-disposition:a:1", "0")
        ffmpeg("-i", clip, *options, *copy, *clean, tmp_path / f"{name}.mp4")
        with pytest.raises(NotClean, match=problem):
            judge_mp4(tmp_path / f"{name}.mp4", Mp4Kind.CLIP)
    ffmpeg("-display_rotation", "90", "-i", clip, *BOTH, *CLEAN, tmp_path / "turned.mp4")
    with pytest.raises(NotClean, match="values in tkhd"):
        judge_mp4(tmp_path / "turned.mp4", Mp4Kind.CLIP)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param(["-bsf:v", "null"], "an SEI message", id="x264's option string"),
        pytest.param(
            ["-fflags", "-bitexact", "-flags:v", "-bitexact"],
            "user data",
            id="the encoder's version",
        ),
        pytest.param(["-flags:a", "-bitexact"], "at the start of aac", id="a comment in AAC"),
        pytest.param(["-c:a:0", "mp2"], "values in mp4a|values in esds", id="another sound"),
        pytest.param(["-c:v", "mpeg4"], "a box mp4v", id="another picture"),
    ],
)
def test_what_encoders_write_when_told_otherwise(
    tmp_path: Path, options: list[str], problem: str
) -> None:
    if "mpeg4" in options:
        options = [*options, "-bsf:v", "null"]
    with pytest.raises(NotClean, match=problem):
        judge_mp4(encode(tmp_path / "judged.mp4", *options), Mp4Kind.CLIP)


@pytest.mark.parametrize(("most", "average"), [(900, 900), (0, 900), (10**7, 0)])
def test_a_montage_keeps_at_most_the_highest_rate_of_its_first_clip(
    montage: Path, tmp_path: Path, most: int, average: int
) -> None:
    path = tmp_path / "judged.mp4"
    file = Surgery(montage.read_bytes())
    rates = file["moov/trak/mdia/minf/stbl/stsd/avc1/btrt"]
    _, highest, mean = rates.get(">III")
    rates.put(4, ">I", highest + 900)
    path.write_bytes(file.close())
    assert judge_mp4(path, Mp4Kind.MONTAGE) == judge_mp4(montage, Mp4Kind.MONTAGE)
    rates.put(4, ">II", highest + most, mean + average)
    path.write_bytes(file.close())
    with pytest.raises(NotClean, match="a bit rate"):
        judge_mp4(path, Mp4Kind.MONTAGE)


def test_the_montage_that_a_plain_concat_gives_is_late_and_uneven(
    folder: Path, montage: Path, tmp_path: Path
) -> None:
    maps = ("-map", "0:v:0", "-map", "0:a:1", "-c:v", "copy", "-c:a", "aac")
    listed = montage.with_name("list.txt")
    ffmpeg("-f", "concat", "-i", listed, *maps, *CLEAN, tmp_path / "late.mp4")
    with pytest.raises(NotClean, match="more than one entry in elst"):
        judge_mp4(tmp_path / "late.mp4", Mp4Kind.MONTAGE)
    ffmpeg("-copyts", "-f", "concat", "-i", listed, *maps, *CLEAN, tmp_path / "uneven.mp4")
    with pytest.raises(NotClean, match="uneven"):
        judge_mp4(tmp_path / "uneven.mp4", Mp4Kind.MONTAGE)


# The walk over boxes


def test_a_size_of_nought_reaches_to_the_end() -> None:
    data = struct.pack(">I4s", 8, b"free") + struct.pack(">I4s", 0, b"mdat") + b"media"
    assert list(walk.boxes(data, 0, len(data)))[1] == BoxExtent(b"mdat", 16, len(data))


def test_boxes_before_a_fault_come_first() -> None:
    data = struct.pack(">I4s", 9, b"free") + b"1" + b"\0\0\0"
    row = walk.boxes(data, 0, len(data))
    assert next(row).type == b"free"
    with pytest.raises(BoxError, match="not a box"):
        next(row)


def test_boxes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MAX_BOXES", 50)
    row = struct.pack(">I4s", 8, b"free") * 51
    with pytest.raises(BoxError, match="more than"):
        list(walk.boxes(row, 0, len(row)))


def test_a_body_over_the_limit_and_a_file_that_ends_early_are_not_read() -> None:
    data = struct.pack(">I4s", 13, b"free") + b"12345"
    with pytest.raises(BoxError, match="larger"):
        walk.read(data, 8, 13, limit=4)
    with pytest.raises(BoxError, match="ends"):
        walk.read(data, 8, 14)
    with pytest.raises(BoxError, match="not a box"):
        next(walk.boxes(data, 14, 13))
