"""The plan of a montage, tested without FFmpeg: order, limits, fades, what is copied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.render_scene import CONFIG, sha

from pipeline import config as configuration
from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.render import cuts, sidecars, timeline
from pipeline.render.cuts import Bridge, Joints
from pipeline.render.timeline import Segment, Timeline


def configured(folder: Path, montage: str) -> Config:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(montage=montage, fps=30, quality="draft", size="160x90"))
    return configuration.load(path)


def clip(name: str, frames: int, start: int = 0, stop: int | None = None) -> Segment:
    return Segment(
        title=name,
        path=f"clips/{name}.mp4",
        content=sha(name),
        frames=frames,
        extradata="x",
        start=start,
        stop=frames if stop is None else stop,
        sha256=sha(f"original of {name}"),
        caption=f"#{name}",
    )


def film(config: Config, *segments: Segment) -> Timeline:
    plan = timeline.ChosenClips(config.output[0], segments, ())
    return timeline.film(config, plan, segments)


def test_a_fade_is_half_of_the_shorter_neighbour_at_most() -> None:
    assert timeline.fades([90, 90, 20, 5, 1, 90], 15) == (15, 10, 2, 0, 0)
    assert timeline.fades([90], 15) == ()
    assert timeline.fades([90, 90], 0) == (0,)


def test_a_film_is_as_long_as_its_clips_without_their_fades(tmp_path: Path) -> None:
    config = configured(tmp_path, "transition_seconds = 0.5")
    whole = film(config, clip("a", 90), clip("b", 60, 10, 50), clip("c", 90))
    assert whole.fades == (15, 15)
    assert whole.frames == 90 + 40 + 90 - 30
    assert whole.starts == (0, 75, 100)
    assert [fades for _, _, *fades in whole.placed()][1] == [15, 15]


def test_hard_cuts_are_copies_and_nothing_needs_to_be_known(tmp_path: Path) -> None:
    whole = film(configured(tmp_path, ""), clip("a", 90), clip("b", 2))
    assert cuts.plan(whole, {}) == tuple(
        cuts.Stretch(segment, 0, segment.frames) for segment in whole.segments
    )


def test_a_clip_made_for_the_fade_is_copied_between_its_fades(tmp_path: Path) -> None:
    config = configured(tmp_path, "transition_seconds = 0.5")
    whole = film(config, clip("a", 90), clip("b", 90))
    joints = {segment.path: Joints((0, 15, 75), 2) for segment in whole.segments}
    a, b = whole.segments
    assert cuts.plan(whole, joints) == (
        cuts.Stretch(a, 0, 75),
        Bridge(cuts.Stretch(a, 75, 90), cuts.Stretch(b, 0, 15), 15),
        cuts.Stretch(b, 15, 90),
    )


def test_an_in_point_costs_the_rest_of_its_group_of_pictures(tmp_path: Path) -> None:
    whole = film(configured(tmp_path, ""), clip("a", 200, 10, 130))
    pieces = cuts.plan(whole, {whole.segments[0].path: Joints((0, 60, 120, 180), 2)})
    a = whole.segments[0]
    assert pieces == (
        Bridge(None, cuts.Stretch(a, 10, 60), 0),
        cuts.Stretch(a, 60, 120),
        Bridge(cuts.Stretch(a, 120, 130), None, 0),
    )


def test_a_stretch_within_a_group_of_pictures_is_encoded_as_a_whole(tmp_path: Path) -> None:
    whole = film(configured(tmp_path, ""), clip("a", 200, 70, 80))
    pieces = cuts.plan(whole, {whole.segments[0].path: Joints((0, 60, 120, 180), 2)})
    assert pieces == (Bridge(cuts.Stretch(whole.segments[0], 70, 80), None, 0),)


@st.composite
def clips(draw: st.DrawFn) -> tuple[Segment, Joints]:
    frames = draw(st.integers(1, 200))
    start = draw(st.integers(0, frames - 1))
    stop = draw(st.integers(start + 1, frames))
    if draw(st.booleans()):
        start, stop = 0, frames
    keys = draw(st.sets(st.integers(0, frames - 1), max_size=8)) | {0}
    name = str(draw(st.integers(0, 10**9)))
    return clip(name, frames, start, stop), Joints(tuple(sorted(keys)), 2)


@settings(max_examples=150)
@given(st.lists(clips(), min_size=1, max_size=6, unique_by=lambda c: c[0].path), st.integers(0, 60))
def test_whatever_the_clips_the_pieces_show_each_picture_once(
    found: list[tuple[Segment, Joints]], longest: int
) -> None:
    segments = tuple(segment for segment, _ in found)
    joints = {segment.path: known for segment, known in found}
    fades = timeline.fades([segment.length for segment in segments], longest)
    whole = Timeline(configuration.Output(size="160x90"), segments, fades, "fade")
    pieces = cuts.plan(whole, joints)
    assert sum(piece.frames for piece in pieces) == whole.frames
    shown: dict[str, list[int]] = {segment.path: [] for segment in segments}
    for piece in pieces:
        assert piece.frames > 0
        if isinstance(piece, cuts.Stretch):
            known = joints[piece.segment.path].keyframes
            assert piece.start in known
            assert piece.stop in (*known, piece.segment.frames)
        sides = piece.sides if isinstance(piece, Bridge) else (piece,)
        for side in sides:
            shown[side.segment.path] += range(side.start, side.stop)
        if isinstance(piece, Bridge) and piece.fade:
            assert len(sides) == 2
            assert min(side.frames for side in sides) >= piece.fade
    for segment in segments:
        assert shown[segment.path] == list(range(segment.start, segment.stop))


def test_the_limits_say_whom_they_keep_out_and_why(tmp_path: Path) -> None:
    config = configured(
        tmp_path, "max_seconds = 10\nmax_per_sender = 2\ntransition_seconds = 1.0\n"
    )
    given_ = [
        replace(clip("a", 90), sender="ann"),
        replace(clip("b", 90), sender="ann"),
        replace(clip("c", 30), sender="ann"),
        replace(clip("d", 200), sender="bob"),
        replace(clip("e", 60), sender="cyd"),
    ]
    within, beyond = timeline.limited(config, config.output[0], given_, beside=60)
    # 60 for the cards, 90, 90 less a fade of 30, 60 less a fade of 30
    assert [segment.title for segment in within] == ["a", "b", "e"]
    assert [(out.sha256, out.why) for out in beyond] == [
        (sha("original of c"), "max_per_sender: 2 clips of this sender are in already"),
        (sha("original of d"), "max_seconds: the whole would be longer than 10 s"),
    ]


def test_subtitles_meet_in_the_middle_of_a_fade(tmp_path: Path) -> None:
    config = configured(tmp_path, "transition_seconds = 1.0")
    whole = film(config, clip("a", 90), clip("b<", 90))
    assert sidecars.subtitles(whole) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:02.500\n#a\n\n00:00:02.500 --> 00:00:05.000\n#b&lt;\n"
    )
    assert sidecars.chapters(whole) == "00:00 a\n00:02 b<\n"


@pytest.mark.parametrize(
    ("montage", "problem"),
    [
        ("transition_seconds = -1", "montage.transition_seconds"),
        ("transition_seconds = 11", "montage.transition_seconds"),
        ('transition = "explode"', "montage.transition"),
        ("max_per_sender = -1", "montage.max_per_sender"),
        ("max_seconds = -0.1", "montage.max_seconds"),
        ("music_lufs = 0", "montage.music_lufs"),
        ('style = { ink = "white" }', "montage.style.ink"),
        ('style = { paint = "#FFFFFF" }', "montage.style.paint"),
    ],
)
def test_impossible_values_are_named(tmp_path: Path, montage: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        configured(tmp_path, montage)
