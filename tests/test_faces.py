"""Faces are found in the sandbox and followed through a film; a mask covers more, never less."""

from __future__ import annotations

import json
import math
import struct
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image
from support import clip_scene, command_scene, moving_faces, tiny_models
from support.clip_scene import ClipScene, end_from_outside
from support.command_scene import CommandScene

from pipeline import formats
from pipeline.caution import Caution
from pipeline.config import Output
from pipeline.console import Console, Verbosity
from pipeline.errors import ConfigError
from pipeline.faces import looking, model_file, onnx_sizes, tracks
from pipeline.faces.looking import Look, SeenFace, SmallPictures
from pipeline.ffmpeg.faults import ProgramFailed, ProgramLied
from pipeline.ffmpeg.graph import Graph, Options, read, write
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ffmpeg.sandbox import Permissions
from pipeline.media.probed import Picture, Probe
from pipeline.model import ClipOutput, Reason
from pipeline.process import cautions, face_search, second_look
from pipeline.process.recipe import Recipe
from pipeline.process.second_look import MaskedClip
from pipeline.protection import MOST_MASKS, MOST_POINTS, Mask, MaskOrigin, MaskPoint
from pipeline.review import protecting

STEP = 1 / 6
WIDE = 16 / 9


def face(x: float, y: float, *, size: float = 0.1, score: float = 0.8) -> SeenFace:
    """A square face of a wide picture by its middle; *size* is its width."""
    return SeenFace(score, x - size / 2, y - size * WIDE / 2, size, size * WIDE)


def covered_at(mask: Mask, at_s: float) -> tuple[float, float, float, float]:
    """The sides of a mask at a moment."""
    area = mask.area(at_s)
    return area.x, area.y, area.x + area.width, area.y + area.height


def assert_covers(mask: Mask, seen: SeenFace, at_s: float, margin: float = 1.15) -> None:
    assert mask.is_shown(at_s)
    left, top, right, bottom = covered_at(mask, at_s)
    x, y = seen.x + seen.width / 2, seen.y + seen.height / 2
    wide, high = seen.width * margin / 2, seen.height * margin / 2
    assert left <= x - wide
    assert right >= x + wide
    assert top <= y - high
    assert bottom >= y + high


def test_a_mask_covers_a_face_at_every_moment_of_a_crooked_walk() -> None:
    def walker(at_s: float) -> SeenFace:
        return face(0.1 + 0.08 * at_s, 0.5 + 0.05 * math.sin(3 * at_s), size=0.1 + 0.01 * at_s)

    looks = [Look(step * STEP, (walker(step * STEP),)) for step in range(60)]
    (track,) = tracks.link(looks, WIDE)
    (mask,) = face_search.masks([track], 59 * STEP)
    for number in range(590):
        assert_covers(mask, walker(number * STEP / 10), number * STEP / 10)
    assert mask.origin is MaskOrigin.FACE
    assert len(mask.points) < 40, "points that lie on the way of others are left out"


def test_a_gap_in_a_track_is_filled_and_its_ends_are_longer() -> None:
    looks = [
        Look(step * STEP, () if step in (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 29)
             else (face(0.2 + 0.02 * step, 0.5),))
        for step in range(36)
    ]  # fmt: skip
    (track,) = tracks.link(looks, WIDE)
    (mask,) = face_search.masks([track], 6.0)
    assert mask.from_s == pytest.approx(6 * STEP - 0.5, abs=0.001)
    assert mask.to_s is None
    for step in range(3, 36):
        assert_covers(mask, face(0.2 + 0.02 * step, 0.5), step * STEP)
    assert_covers(mask, face(0.2 + 0.02 * 6, 0.5), 3 * STEP)  # it may also have stood still


def test_faces_that_cross_keep_a_mask_each() -> None:
    looks = []
    for step in range(40):
        one, other = face(0.1 + 0.02 * step, 0.5), face(0.9 - 0.02 * step, 0.55, size=0.12)
        hidden = abs(one.x - other.x) < 0.06  # the one behind is not seen while they cross
        looks.append(Look(step * STEP, (other,) if hidden else (one, other)))
    found = tracks.link(looks, WIDE)
    assert len(found) == 2
    made = face_search.masks(found, 40 * STEP)
    for step in range(40):
        for seen in (face(0.1 + 0.02 * step, 0.5), face(0.9 - 0.02 * step, 0.55, size=0.12)):
            at_s = step * STEP
            assert any(
                covered_at(mask, at_s)[0] <= seen.x
                and covered_at(mask, at_s)[2] >= seen.x + seen.width
                for mask in made
                if mask.is_shown(at_s)
            )


def test_a_face_that_was_seen_once_may_have_gone_anywhere() -> None:
    """As one that comes in at the end of a film: how fast it moves is not known."""
    (track,) = tracks.link([Look(2.0, (face(0.9, 0.5),))], WIDE)
    (mask,) = face_search.masks([track], 2.2)
    assert_covers(mask, face(0.9 - 0.05, 0.5), 2.2)
    assert_covers(mask, face(0.9, 0.5 + 0.05), 2.2)
    assert mask.area(2.0).width < 0.16


def test_a_face_that_runs_out_of_the_picture_has_a_mask_that_can_be() -> None:
    looks = [Look(step * STEP, (face(0.5 - 0.3 * step, 0.5, size=0.5),)) for step in range(3)]
    (track,) = tracks.link(looks, WIDE)
    (mask,) = face_search.masks([track], 5.0)
    assert min(covered_at(mask, 2 * STEP)) < 0


def test_in_a_long_film_masks_get_fewer_and_larger_areas_and_none_is_left_out() -> None:
    """Minutes of three people who never sit still have more points than a clip may have."""

    def talker(number: int, step: int) -> SeenFace:
        return face(0.2 + 0.3 * number + 0.02 * math.sin(5 * step), 0.5, size=0.1 + 0.01 * number)

    looks = [
        Look(step * STEP, tuple(talker(number, step) for number in range(3)))
        for step in range(1800)
    ]
    made = face_search.masks(tracks.link(looks, WIDE), 300.0)
    assert len(made) == 3
    assert sum(len(mask.points) for mask in made) <= MOST_POINTS
    by_place = sorted(made, key=lambda mask: mask.points[0].x)
    for step in range(0, 1800, 7):
        for number, mask in enumerate(by_place):
            assert_covers(mask, talker(number, step), step * STEP)


def test_what_was_seen_once_and_not_surely_is_no_face() -> None:
    looks = [
        Look(step * STEP, (face(0.5, 0.5, score=0.55),) if step == 3 else ()) for step in range(9)
    ]
    assert tracks.link(looks, WIDE) == ()
    looks[3] = Look(3 * STEP, (face(0.5, 0.5, score=0.7),))
    assert len(tracks.link(looks, WIDE)) == 1


def test_a_face_goes_on_also_where_it_is_hardly_seen() -> None:
    scores = (0.8, 0.35, 0.32, 0.4, 0.8)
    looks = [Look(step * STEP, (face(0.5, 0.5, score=score),)) for step, score in enumerate(scores)]
    (track,) = tracks.link(looks, WIDE)
    assert len(track.sightings) == 5


def test_a_face_that_vanishes_inside_of_the_picture_is_lost() -> None:
    def walk(speed: float, steps: int) -> tracks.FaceTrack:
        looks = [
            Look(step * STEP, (face(0.5 + speed * step, 0.5),) if step < steps else ())
            for step in range(30)
        ]
        (track,) = tracks.link(looks, WIDE)
        return track

    assert tracks.is_lost(walk(0.0, 12), 29 * STEP)
    assert not tracks.is_lost(walk(0.04, 11), 29 * STEP), "it walked out of the picture"
    assert not tracks.is_lost(walk(0.0, 30), 29 * STEP), "it was there until the end"


def test_the_masks_of_a_crowd_stay_within_what_a_clip_may_have() -> None:
    def member(number: int, step: int) -> SeenFace:
        y = 0.1 + 0.3 * (number // 50) + 0.01 * math.sin(step * number)
        return face(0.05 + 0.018 * (number % 50), y, size=0.01 + number * 2e-5)

    many = [
        Look(step * STEP, tuple(member(number, step) for number in range(120)))
        for step in range(80)
    ]
    found = tracks.link(many, WIDE)
    made = face_search.masks(found, 20.0)
    assert 0 < len(made) <= MOST_MASKS
    assert sum(len(mask.points) for mask in made) <= MOST_POINTS


def test_answers_that_no_model_gives_are_refused() -> None:
    one = bytes([1]) + struct.pack("<5H", 40000, 100, 200, 300, 400)
    looks = looking.read(bytes([0]) + bytes([255]) + one, 3, STEP)
    assert [look.at_s for look in looks] == [0, 2 * STEP]
    assert looks[1].faces[0].score == pytest.approx(0.61, abs=0.01)
    for untrusted, count in ((one, 2), (one + one, 1), (one[:-1], 1), (b"", 1)):
        with pytest.raises(ProgramLied):
            looking.read(untrusted, count, STEP)


def test_a_model_that_is_cut_off_is_no_model() -> None:
    side = b"\x0a\x02\x08\x20"  # a side of 32 points
    shape = b"\x12\x08" + side * 2
    value = b"\x0a\x02in\x12" + bytes([len(shape) + 2]) + b"\x0a" + bytes([len(shape)]) + shape
    graph = b"\x5a" + bytes([len(value)]) + value
    model = b"\x08\x07\x3a" + bytes([len(graph)]) + graph
    renamed = onnx_sizes.renamed(model, {"in": (None, "wide")})
    assert side[2:] in renamed
    assert b"\x12\x04wide" in renamed
    assert onnx_sizes.renamed(model, {"other": (None, None)}) == model
    for end in range(1, len(model)):
        if end != 2:  # the first field alone is a message too
            with pytest.raises(ValueError, match=r"model|message"):
                onnx_sizes.renamed(model[:end], {"in": (None, "wide")})


def test_without_the_packages_an_error_names_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model_file.check("")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match="make extras"):
        model_file.check("")


def runner() -> FfmpegRunner:
    return FfmpegRunner("auto", Console(Verbosity.QUIET))


def test_the_answers_of_yunet_become_boxes(tmp_path: Path) -> None:
    answers = tiny_models.nothing_seen()

    def sees(stride: int, place: int, score: float, box: tuple[float, ...]) -> None:
        answers[f"cls_{stride}"][0, place] = score**2
        answers[f"obj_{stride}"][0, place] = 1.0
        answers[f"bbox_{stride}"][0, place] = box

    # the middle is (2 + 0.5, 1 + 0.25) steps of 16 points from the corner, the sides are 32 and 24
    sees(16, 4 + 2, 0.9, (0.5, 0.25, math.log(2), math.log(1.5)))
    sees(8, 2 * 8 + 5, 0.8, (0.0, 0.5, math.log(4), math.log(3)))  # the same face, less surely
    sees(8, 7 * 8, 0.6, (0.0, 0.5, 0.0, 0.0))  # 8 points wide; the left half is outside
    sees(32, 3, 0.2, (0.5, 0.5, 0.0, 0.0))  # not sure enough
    model = tiny_models.write(tmp_path / "yunet.onnx", answers)
    child, side = Path(looking.__file__).with_name("detector_child.py"), str(tiny_models.SIDE)
    argv = [sys.executable, "-I", str(child), str(model), side, side, "half"]
    black = bytes(tiny_models.SIDE**2 * 3)
    ended = runner().run("faces", argv, Permissions((child, model)), [black])
    (look,) = looking.read(ended.stdout, 1, STEP)
    seen = [(each.score, each.x, each.y, each.width, each.height) for each in look.faces]
    assert seen == [
        pytest.approx((0.9, 24 / 64, 8 / 64, 32 / 64, 24 / 64), abs=1e-4),
        pytest.approx((0.6, 0, 56 / 64, 4 / 64, 8 / 64), abs=1e-4),
    ]


def test_a_file_that_is_not_a_model_of_faces_is_a_plain_error(tmp_path: Path) -> None:
    def check(path: Path) -> None:
        model_file.check_answers(str(path), runner())

    answers, own = tiny_models.nothing_seen(), tmp_path / "own.onnx"
    check(tiny_models.write(own, answers))
    numbers = tmp_path / "numbers"
    numbers.write_bytes(bytes(1 << 20))
    with pytest.raises(ConfigError, match="one file of YuNet"):
        check(tiny_models.write(own, answers, elsewhere="numbers"))
    with pytest.raises(ConfigError, match="one file of YuNet"):
        check(tiny_models.write(own, answers | {"cls_16": answers["cls_16"] + math.nan}))
    with pytest.raises(ConfigError, match="not a file"):
        check(tmp_path)


def test_a_model_that_fails_is_not_the_fault_of_the_file(tmp_path: Path) -> None:
    """A clip that is rejected is not tried again, so it would be lost."""
    picture, wrong = tmp_path / "picture.png", tmp_path / "wrong.onnx"
    Image.new("RGB", (64, 64)).save(picture)
    wrong.write_bytes(b"no model")
    stream = read(picture, {"f": "png_pipe"}).video("0").filter("format", "rgb24")
    options: Options = {"c:v": "rawvideo", "f": "rawvideo"}
    graph = Graph((write("pipe:1", options, stream),), filter_threads=1)
    with pytest.raises(ProgramFailed) as caught:
        looking.look(runner(), SmallPictures(graph, (picture,), 64, 64, 1.0, 1, 60.0), wrong)
    assert caught.value.refusal.reason is Reason.INTERNAL


def test_small_faces_are_found_in_a_photo_of_a_group(tmp_path: Path) -> None:
    """Each face is a ninetieth of the photo's width, as where a whole group stands in a street."""
    whole = moving_faces.portrait()
    shown = whole.resize((whole.width // 4, whole.height // 4))
    photo = Image.new("RGB", (1920, 1080), (120, 140, 110))
    for number in range(60):
        photo.paste(shown, (30 + number % 10 * 187, 30 + number // 10 * 175))
    path = tmp_path / "group.jpg"
    photo.save(path)
    scene = replace(ClipScene(tmp_path).to(still_seconds=0.2), faces="propose")
    result = scene.make(path)
    assert result.source is not None
    assert result.source.faces is not None
    assert len(result.source.faces.masks) == 60


SIZE, SCALE, FPS = (384, 224), 0.45, 12
ENCODED = ("-c:v", "libx264", "-crf", "20")
WALK = [(-60 + 12 * step, 40 + step) for step in range(24)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> CommandScene:
    """A campaign to which somebody sent a film of a face that walks; its clip is made."""
    folder = tmp_path_factory.mktemp("faces")
    pictures, _ = moving_faces.moving(SIZE, WALK, SCALE)
    film = ClipScene(folder).painted("walk.mp4", pictures, str(FPS), *ENCODED)
    made = command_scene.begin(folder, {"Walk": {"walk.mp4": film.read_bytes()}})
    assert made.footage("ingest").code == 0
    assert made.footage("process").code == 0
    return made


def with_faces(scene: CommandScene, mode: str) -> CommandScene:
    """The same campaign with another way to treat faces."""
    more = f'[review]\nrequired = false\n[protect]\nfaces = "{mode}"\n'
    (scene.folder / "config.toml").write_text(command_scene.config(more))
    return scene


def test_faces_are_proposed_for_a_clip_that_was_made_before(
    scene: CommandScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the programs of the first search are ended from outside."""
    ended = ["faces", "survey"]
    end_from_outside(ended, monkeypatch.setattr)
    copy = with_faces(scene.copy(tmp_path), "propose")
    films = {path: path.stat().st_mtime_ns for path in copy.work.glob("clips/*/*")}
    assert copy.footage("process").code == 0
    assert copy.footage("report").code == 0
    assert films == {path: path.stat().st_mtime_ns for path in copy.work.glob("clips/*/*")}
    row = copy.rows["walk.mp4"]
    (proposed,) = row["faces"]
    mask = protecting.read_masks("masks", [proposed])[0]
    for number, place in enumerate(WALK):
        face = moving_faces.face_in(*place, SCALE)
        if face.left > 0:
            left, top, right, bottom = covered_at(mask, number / FPS)
            assert mask.is_shown(number / FPS)
            assert left * SIZE[0] <= face.left
            assert right * SIZE[0] >= face.right
            assert top * SIZE[1] <= face.top
            assert bottom * SIZE[1] >= face.bottom
    assert row["review"].get("masks") is None, "a reviewer has to take it"
    searches = [event for event in copy.programs() if event["purpose"] == "faces"]
    assert (len(searches), ended) == (2, [])
    assert copy.footage("process").code == 0
    assert [e for e in copy.programs() if e["purpose"] == "faces"] == searches, "once is enough"


def test_what_is_seen_outside_of_masks_is_told_and_with_always_all_is_masked(
    scene: CommandScene, tmp_path: Path
) -> None:
    copy = with_faces(scene.copy(tmp_path), "propose")
    assert copy.footage("report").code == 0
    row = copy.rows["walk.mp4"]
    corner = {"at_s": 0, "x": 0.9, "y": 0.8, "width": 0.1, "height": 0.2}
    decided = {"sha256": row["sha256"], "decision": "approved", "masks": [{"points": [corner]}]}
    file = tmp_path / "decisions.json"
    file.write_text(
        json.dumps({"schema": 1, "campaign": "River Week 2026", "decisions": [decided]})
    )
    assert copy.footage("decide", str(file)).code == 0
    assert copy.footage("process").code == 0
    assert copy.footage("report").code == 0
    assert "face-unmasked" in copy.rows["walk.mp4"]["warnings"]
    assert "withheld" not in copy.rows["walk.mp4"]["warnings"]

    with_faces(copy, "always")
    assert copy.footage("render").code == 0
    assert copy.footage("report").code == 0
    row = copy.rows["walk.mp4"]
    assert not {"face-unmasked", "withheld"} & set(row["warnings"])
    (output,) = row["outputs"]
    shown = clip_scene.pictures(copy.work / output["path"])
    wide, high = output["width"] * 1.0, output["height"] * 1.0
    scale = min(wide / SIZE[0], high / SIZE[1])
    left, top = (wide - SIZE[0] * scale) / 2, (high - SIZE[1] * scale) / 2
    for number, place in enumerate(WALK):
        face = moving_faces.face_in(*place, SCALE)
        if face.left > 0:
            picture = shown[round((number + 0.5) / FPS * output["fps"])]
            sides = [left + face.left * scale, left + face.right * scale]
            sides += [top + face.top * scale, top + face.bottom * scale]
            x0, x1, y0, y1 = map(round, sides)
            assert picture[y0:y1, x0:x1].max() < 16, "nothing of the face is seen"


def test_a_mask_follows_a_face_into_a_later_part_of_another_size(tmp_path: Path) -> None:
    """The search and the film place pictures of each size in the same frame.

    Whatever the first part is like, each part is in the middle of the frame.
    """
    scene, parts, faces = ClipScene(tmp_path).to(still_seconds=0.2), [], []
    for size, place in (((240, 320), (60, 120)), ((320, 240), (150, 20))):
        pictures, (seen, *_) = moving_faces.moving(size, [place] * FPS, SCALE)
        part = scene.painted(f"{size[0]}.ts", pictures, str(FPS), *ENCODED)
        parts.append(part.read_bytes())
        assert seen is not None
        scale = 90 / size[1]
        left = (160 - size[0] * scale) / 2
        across, down = (seen.left, seen.right), (seen.top, seen.bottom)
        faces.append([*(left + side * scale for side in across), *(side * scale for side in down)])
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(parts))
    source = replace(scene, faces="propose").make(path).source
    assert source is not None
    assert source.faces is not None
    frame = scene.outputs[0].frame
    for at_s, (left, right, top, bottom) in ((0.5, faces[0]), (1.5, faces[1])):
        shown = [covered_at(mask, at_s) for mask in source.faces.masks if mask.is_shown(at_s)]
        assert any(
            x0 * 160 <= left and x1 * 160 >= right and y0 * 90 <= top and y1 * 90 >= bottom
            for x0, y0, x1, y1 in shown
        )
        assert all((x1 - x0) * (y1 - y0) < 0.3 for x0, y0, x1, y1 in shown)
    assert {mask.frame for mask in source.faces.masks} == {frame}


def figures(scene: CommandScene) -> dict[str, Any]:
    """What ``footage status`` says."""
    told: dict[str, Any] = json.loads(scene.footage("status", "--json").out)
    return told


def test_a_clip_in_which_a_face_is_still_seen_is_withheld_until_somebody_watched_it(
    tmp_path: Path,
) -> None:
    # a face that is there for one picture, which the search leaves out, and which is the middle one
    # of the three that the second look has
    places = [(100, 40) if number == 6 else None for number in range(12)]
    pictures, _ = moving_faces.moving(SIZE, places, SCALE)
    film = ClipScene(tmp_path).painted("flash.mp4", pictures, str(FPS), *ENCODED)
    text = command_scene.config('[review]\nrequired = false\n[protect]\nfaces = "always"\n')
    made = command_scene.begin(tmp_path, {"Flash": {"flash.mp4": film.read_bytes()}}, text)
    for step in ("ingest", "process", "report"):
        assert made.footage(step).code == 0
    row = made.rows["flash.mp4"]
    assert {"face-unmasked", "withheld"} <= set(row["warnings"])
    said = "1 clip withheld, because a face may be seen"
    assert said in made.footage("status").out
    facts = figures(made)
    assert (facts["withheld"], facts["admitted"]) == (1, 0)
    assert made.footage("render").code == 1

    def decided(**entry: object) -> dict[str, Any]:
        file, entries = tmp_path / "decisions.json", [{"sha256": row["sha256"], **entry}]
        data = {"schema": 1, "campaign": "River Week 2026", "decisions": entries}
        file.write_text(json.dumps(data))
        assert made.footage("decide", str(file)).code == 0
        return figures(made)

    facts = decided(decision="approved", by="Ada")
    assert (facts["withheld"], facts["admitted"]) == (1, 0), "approved, but nobody watched it"
    corner = {"at_s": 0, "x": 0.9, "y": 0.9, "width": 0.1, "height": 0.1}
    decided(decision="approved", by="Ada", masks=[{"points": [corner], "origin": "face"}])
    assert made.footage("process").code == 0
    assert (figures(made)["withheld"], figures(made)["admitted"]) == (1, 0), "it is still seen"
    facts = decided(decision="approved", by="Ada", watched=True)
    assert (facts["withheld"], facts["admitted"]) == (0, 1)
    facts = decided(decision="rejected", by="Ada")
    assert (facts["withheld"], facts["admitted"]) == (0, 0)


def test_a_face_beside_a_mask_is_seen_and_one_under_it_is_not() -> None:
    picture = Picture("0", "h264", 1920, 1080, Fraction(16, 9), fps=30.0, packets=90, end_s=3.0)
    mp4 = next(row for row in formats.FORMATS if row.name == "mp4")
    film = Probe(mp4, picture, None, still=False)
    for output in (
        Output(name="wide", size="1920x1080"),
        Output(name="tall", size="1080x1920"),
        Output(name="cut", size="1080x1080", fit="crop"),
    ):
        area = MaskPoint(0.0, 0.4, 0.3, 0.2, 0.4)
        masks = (Mask((area,)),)
        wanted = Recipe("", None, (output,), 4.0, "drift", -16.0, 1800, masks=masks)
        made = ClipOutput(output.name, "", "", output.width, output.height, 30, 90, 3.0, None, "")
        clip = MaskedClip(Path("a.mp4"), made, film, wanted)
        under = SeenFace(0.9, 0.46, 0.46, 0.06, 0.08)
        beside = SeenFace(0.9, 0.05, 0.45, 0.06, 0.1)
        assert second_look.faces_outside(Look(1.0, (under, beside)), clip) == (beside,)


@pytest.mark.parametrize(("faces", "withheld"), [("always", True), ("propose", False)])
def test_a_film_whose_pictures_change_their_size_is_withheld(
    faces: Literal["always", "propose"], withheld: bool
) -> None:
    picture = Picture("0", "h264", 1920, 1080, Fraction(16, 9), fps=30.0, packets=90, end_s=3.0)
    mp4 = next(row for row in formats.FORMATS if row.name == "mp4")
    film = Probe(mp4, replace(picture, changes=True), None, still=False)
    output = Output(name="wide", size="1920x1080")
    wanted = Recipe("", None, (output,), 4.0, "drift", -16.0, 1800, faces=faces)
    assert (Caution.WITHHELD in cautions.of_picture(film, wanted, 3.0)) is withheld
    steady = Probe(mp4, picture, None, still=False)
    assert Caution.WITHHELD not in cautions.of_picture(steady, wanted, 3.0)


def test_small_pictures_have_the_shape_and_a_size_that_the_model_takes() -> None:
    for aspect in (Fraction(16, 9), Fraction(9, 16), Fraction(1), Fraction(4, 3), Fraction(50)):
        width, height = face_search.small_size(aspect, 640 * 352)
        assert width % 32 == height % 32 == 0
        assert width * height <= 1.15 * 640 * 352
    assert face_search.small_size(Fraction(16, 9), 640 * 352) == (640, 352)
