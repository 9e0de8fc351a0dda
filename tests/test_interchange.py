"""Timelines for editing programs, read back by the adapters of OpenTimelineIO and by melt."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import av
import opentimelineio as otio
import pytest
from support import render_scene
from support.render_scene import Drawn, RenderScene

from pipeline.comments import Comment
from pipeline.config import Output
from pipeline.render import interchange
from pipeline.render.interchange import Labels
from pipeline.render.timeline import Segment, Timeline

CLIPS = {"a": Drawn(0, 90), "b": Drawn(1, 75), "c": Drawn(3, 64), "d": Drawn(2, 20)}
FADES = "transition_seconds = 0.5\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> RenderScene:
    """Crossfades of an odd length, a shortened one, and a clip with an in point."""
    scene = render_scene.begin(tmp_path_factory.mktemp("export"), CLIPS, FADES)
    comments = (
        Comment("0" * 12, "a street sign", 1.0, 1.5, by="Ana"),
        Comment("1" * 12, "before it\nbegins", 0.1, by="Ana"),  # cut away by the in point
        Comment("2" * 12, "= good <end>", 2.0, by="Ben"),
        Comment("3" * 12, "done", 2.2, by="Ana", resolved_by="Ben"),
        Comment("4" * 12, "all of it"),
    )
    scene.review("b", in_s=0.5, comments=comments)
    scene.render()
    return scene


def exported(scene: RenderScene, kind: str) -> Path:
    said = scene.footage("export", "--format", kind, "--json")
    assert said.code == 0, said.err
    (path,) = said.data["export"]
    return scene.work / str(path)


def track(timeline: Any) -> list[Any]:
    """The picture track of what an adapter read."""
    if isinstance(timeline, otio.schema.SerializableCollection):
        timeline = timeline[0]
    (found,) = [each for each in timeline.tracks if each.kind == otio.schema.TrackKind.Video]
    return list(found)


def shown(items: list[Any]) -> list[tuple[str, int, int]]:
    """Name, first picture and number of pictures of each clip."""
    clips = [item for item in items if isinstance(item, otio.schema.Clip)]
    ranges = [(clip.name, clip.source_range) for clip in clips]
    return [
        (name, round(span.start_time.value), round(span.duration.value)) for name, span in ranges
    ]


def media(items: list[Any]) -> list[Path]:
    clips = [item for item in items if isinstance(item, otio.schema.Clip)]
    return [Path(unquote(urlsplit(c.media_reference.target_url).path)) for c in clips]


def wanted(scene: RenderScene) -> list[tuple[str, int, int]]:
    """What the montage says it holds, cut in the middle of its fades."""
    segments = scene.contents["segments"]
    fades = [segment["fade_in_frames"] for segment in segments] + [0]
    found = []
    for index, segment in enumerate(segments):
        before, after = fades[index], fades[index + 1]
        start = segment["in_frame"] + before // 2
        found.append((segment["title"], start, segment["out_frame"] - (after - after // 2) - start))
    return found


def test_otio_holds_the_same_clips_and_transitions(scene: RenderScene) -> None:
    timeline = otio.adapters.read_from_file(str(exported(scene, "otio")))
    items = track(timeline)
    segments = scene.contents["segments"]
    assert shown(items) == wanted(scene)
    assert sum(frames for _, _, frames in shown(items)) == scene.contents["frames"]
    assert media(items) == [scene.work / segment["path"] for segment in segments]
    fades = [item for item in items if isinstance(item, otio.schema.Transition)]
    lengths = [round(fade.in_offset.value + fade.out_offset.value) for fade in fades]
    assert (
        lengths == [segment["fade_in_frames"] for segment in segments[1:]] == [15, 15, 15, 10, 10]
    )
    for clip in timeline.find_clips():
        whole = clip.media_reference.available_range
        assert whole.start_time <= clip.source_range.start_time
        assert clip.source_range.end_time_exclusive() <= whole.end_time_exclusive()
    assert len(timeline.tracks) == 2
    assert shown(list(timeline.tracks[1])) == wanted(scene)


def test_fcpxml_holds_the_same_clips_and_transitions(scene: RenderScene) -> None:
    path = exported(scene, "fcpxml")
    items = track(otio.adapters.read_from_file(str(path)))
    assert shown(items) == wanted(scene)
    assert media(items) == [scene.work / s["path"] for s in scene.contents["segments"]]
    assert path.read_text().count("<transition ") == 5


def test_edl_holds_the_same_clips_and_dissolves(scene: RenderScene) -> None:
    text = exported(scene, "edl").read_text()
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=30)
    items = track(timeline)
    assert sum(frames for _, _, frames in shown(items)) == scene.contents["frames"]
    assert [name for name, _, _ in shown(items)] == [name for name, _, _ in wanted(scene)]
    for segment in scene.contents["segments"][1:]:
        assert f"* TO CLIP: {(scene.work / segment['path']).as_uri()}\n" in text
    fades = [item for item in items if isinstance(item, otio.schema.Transition)]
    assert [round(f.in_offset.value + f.out_offset.value) for f in fades] == [15, 15, 15, 10, 10]
    # where the clips meet, each shows the pictures that the film shows there
    for (name, start, _), (other, begin, _) in zip(shown(items), wanted(scene), strict=True):
        fade = next(s for s in scene.contents["segments"] if s["title"] == other)["fade_in_frames"]
        assert (name, start) in {(other, begin), (other, begin - fade // 2), (other, begin + fade)}


def test_comments_that_are_open_are_markers_on_their_clip(scene: RenderScene) -> None:
    read = otio.adapters.read_from_file(str(exported(scene, "otio")))
    (otio_clip,) = [clip for clip in read.find_clips() if clip.markers]
    assert otio_clip.metadata["footage"]["sha256"] == render_scene.sha("b")
    begins = round(otio_clip.source_range.start_time.value)
    expected = [
        ("Ana: a street sign", 30, 15),
        ("Ben: = good <end>", 60, 1),
        ("all of it", begins, 1),
    ]
    assert [
        (each.name, round(each.marked_range.start_time.value), each.marked_range.duration.value)
        for each in otio_clip.markers
    ] == expected
    document = ET.parse(exported(scene, "fcpxml"))
    found = [
        (mark.get("value"), mark.get("start"), mark.get("duration"))
        for mark in document.iter("marker")
    ]
    assert found == [(text, f"{at * 100}/3000s", f"{n * 100}/3000s") for text, at, n in expected]
    text = exported(scene, "edl").read_text()
    lines = [line.split(maxsplit=4)[2:] for line in text.splitlines() if line.startswith("* LOC:")]
    assert [words for _, _, words in lines] == [words for words, _, _ in expected]
    items = track(otio.adapters.read_from_string(text, "cmx_3600", rate=30))
    clips = [item for item in items if isinstance(item, otio.schema.Clip)]
    assert {mark.name for clip in clips for mark in clip.markers} == {w for w, _, _ in expected}
    assert "done" not in exported(scene, "mlt").read_text()


def test_an_edl_of_hard_cuts_is_the_film_itself() -> None:
    def segment(title: str, frames: int, start: int, stop: int) -> Segment:
        return Segment(title, f"clips/{title}.mp4", "0", frames, "x", start, stop)

    segments = (segment("one", 90, 0, 90), segment("two", 200, 10, 130))
    output = Output(size="160x90")
    film = Timeline(output, segments, (0,), "fade")
    text = interchange.written(
        film, Labels("film", Path("/campaign")), interchange.TimelineFormat.EDL
    )
    items = track(otio.adapters.read_from_string(text, "cmx_3600", rate=30))
    assert shown(items) == [("one", 0, 90), ("two", 10, 120)]
    assert media(items) == [Path("/campaign/clips/one.mp4"), Path("/campaign/clips/two.mp4")]


def test_melt_renders_the_same_number_of_pictures(scene: RenderScene, tmp_path: Path) -> None:
    project = exported(scene, "mlt")
    film = tmp_path / "film.mkv"
    melt = shutil.which("melt")
    assert melt, "tests/install-system-packages installs it"
    command = [melt, str(project), "-consumer", f"avformat:{film}"]
    command += ["vcodec=mpeg4", "an=1", "real_time=-1"]
    subprocess.run(command, check=True, capture_output=True)
    with av.open(str(film)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    assert frames == scene.contents["frames"]


def test_nothing_admitted_is_nothing_exported(tmp_path: Path) -> None:
    scene = render_scene.begin(tmp_path, {})
    said = scene.footage("export", "--format", "otio")
    assert said.code == 1
    assert "no clip is admitted" in said.err
    assert scene.footage("export", "--format", "avi").code == 2
