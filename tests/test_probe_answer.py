"""The probe's answer is data of a stranger: whatever can't be is a lie, and never a crash."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clip_scene import ClipScene

from pipeline.ffmpeg.faults import ProgramLied
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.media import probe_answer
from pipeline.model import Reason, Status
from pipeline.texts import Detail

SPAN = {"packets": 10, "start_s": 0, "latest_s": 0.9, "end_s": 1.0, "last_has_length": True}
FRAME = {
    "width": 320, "height": 180, "sar": [1, 1], "rotation": -90, "format": "yuv420p", "depth": 8,
    "range": 1, "matrix": 1, "transfer": 1, "primaries": 1, "interlaced": False,
}  # fmt: skip
TRUE: dict[str, Any] = {
    "container": "mov",
    "encrypted": False,
    "clock_breaks": False,
    "too_much": False,
    "video": {
        **SPAN,
        "index": 0, "codec": "h264", "fps": 10.0, "alpha_beside": False, "frame": FRAME,
        "sizes_change": False,
    },
    "sounds": [{**SPAN, "index": 1, "codec": "aac", "layout": "5.1(side)"}],
    "parts": [{"index": 0, "kind": "track", "number": 1, "limited": True}],
}  # fmt: skip


def changed(way: tuple[str | int, ...], value: object) -> bytes:
    answer = deepcopy(TRUE)
    place = answer
    for step in way[:-1]:
        place = place[step]  # type: ignore[index] # a way leads through tables and lists
    place[way[-1]] = value  # type: ignore[index] # as above
    return json.dumps(answer).encode()


def test_a_true_answer_is_read() -> None:
    assert probe_answer.read(json.dumps(TRUE).encode()) == TRUE
    assert probe_answer.read(b"null") is None


VIDEO, SOUND, PART = ("video",), ("sounds", 0), ("parts", 0)


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (("container",), "mov,mp4"),
        (("container",), "<script>"),
        (("container",), "m" * 100),
        (("container",), None),
        (("encrypted",), 0),
        (("video",), []),
        (("sounds",), [TRUE["sounds"][0]] * 17),
        (("parts",), [TRUE["parts"][0]] * 1001),
        (("more",), 1),
        ((*VIDEO, "index"), -1),
        ((*VIDEO, "index"), 1.5),
        ((*VIDEO, "index"), True),
        ((*VIDEO, "codec"), "h264\n47.318, 18.951"),
        ((*VIDEO, "codec"), "h264 at 47"),
        ((*VIDEO, "packets"), 1 << 40),
        ((*VIDEO, "packets"), "10"),
        ((*VIDEO, "fps"), 0),
        ((*VIDEO, "fps"), math.inf),
        ((*VIDEO, "fps"), math.nan),
        ((*VIDEO, "end_s"), -math.inf),
        ((*VIDEO, "end_s"), 1e300),
        ((*VIDEO, "end_s"), 10**400),
        ((*VIDEO, "frame", "width"), 0),
        ((*VIDEO, "frame", "height"), 1 << 40),
        ((*VIDEO, "frame", "sar"), [1]),
        ((*VIDEO, "frame", "sar"), [1, 1, 1]),
        ((*VIDEO, "frame", "rotation"), 1e9),
        ((*VIDEO, "frame", "format"), ["yuv420p"]),
        ((*VIDEO, "frame", "matrix"), 256),
        ((*SOUND, "layout"), "stereo; volume=9"),
        ((*SOUND, "layout"), "x" * 300),
        ((*SOUND, "start_s"), "0"),
        ((*PART, "kind"), "picture"),
        ((*PART, "number"), 1 << 40),
    ],
)
def test_an_answer_that_can_not_be_is_a_lie(way: tuple[str | int, ...], value: object) -> None:
    with pytest.raises(ProgramLied) as caught:
        probe_answer.read(changed(way, value))
    assert caught.value.refusal.reason is Reason.INTERNAL
    assert caught.value.refusal.code is Detail.UNTRUE_RESULT


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b"9" * 100_000,
        b" " * (1 << 21) + b"null",
        json.dumps({**TRUE, "video": {}}).encode(),
    ],
)
def test_what_is_no_answer_at_all_is_a_lie(data: bytes) -> None:
    with pytest.raises(ProgramLied):
        probe_answer.read(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
WAYS = [
    *((name,) for name in TRUE),
    *((*VIDEO, name) for name in TRUE["video"]),
    *((*VIDEO, "frame", name) for name in FRAME),
    *((*SOUND, name) for name in TRUE["sounds"][0]),
    *((*PART, name) for name in TRUE["parts"][0]),
]


@given(st.sampled_from(WAYS), JSON)
def test_no_answer_is_a_crash(way: tuple[str | int, ...], value: object) -> None:
    try:
        read = probe_answer.read(changed(way, value))
    except ProgramLied:
        return
    assert isinstance(read, Mapping)


def test_a_lie_fails_its_clip_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way from the program to the row."""
    scene = ClipScene(tmp_path).to()
    photo = scene.film("photo.png", "-f", "lavfi", "-i", "testsrc=s=64x48", "-frames:v", "1")
    real = FfmpegRunner.run

    def lying(self: FfmpegRunner, purpose: str, argv: list[str], *rest: Any, **more: Any) -> Any:
        if purpose == "probe":
            argv = [argv[0], "-I", "-c", "print('{\"container\": 1e999}')"]
        return real(self, purpose, argv, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(FfmpegRunner, "run", lying)
        result = scene.make(photo)
    assert result.status is Status.FAILED
    assert result.refusal is not None
    assert result.refusal.code is Detail.UNTRUE_RESULT
    assert scene.make(photo).status is Status.ACCEPTED
