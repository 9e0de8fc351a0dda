"""Look for faces in small pictures; runs in the sandbox.

    python -I detector_child.py MODEL WIDTH HEIGHT LOOKS

MODEL is CenterFace, or YuNet as OpenCV publishes it.  Standard input has pictures of WIDTH x HEIGHT
points, three bytes a point: red, green, blue.  For each picture, standard output gets one byte, the
number of faces, and ten bytes a face: score, left, top, width and height.  Each is a number of two
bytes (little-endian), in which 65535 stands for 1, for the whole width, or for the whole height.

LOOKS is "all" or "half".  With "half", every second picture is looked at only if the faces of the
pictures around it differ: otherwise they hardly moved, and half of the work is saved.  Its answer
is then the byte 255 alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np
import onnxruntime  # type: ignore[import-untyped] # it has no types
from numpy.typing import NDArray

_Floats = NDArray[np.float32]
_Bytes = NDArray[np.uint8]

_LEAST = 0.25  # score; what is less sure is never used
_MOST = 200  # faces of a picture
_NOT_LOOKED = bytes([255])
_HARDLY_MOVED = 0.6  # overlap from which a face is where it was
_SEEN = 0.3  # score from which a face counts in this comparison
_CANDIDATES = 1000  # boxes of a picture that are compared with each other
_SAME = 0.3  # overlap from which two boxes are one face
_STEP = 4  # points of the picture between two places that CenterFace looks at
_STRIDES = (8, 16, 32)  # the same of YuNet
_MULTIPLE = 32  # of which both models need the sides of a picture
_WHOLE = 65535


def main(model: str, width: int, height: int, looks: str) -> None:
    """Answer for each picture until there are no more."""
    detector = _Detector(model, width, height)
    answer = sys.stdout.buffer.write
    before: _Floats | None = None
    waiting: _Bytes | None = None
    for picture in _pictures(sys.stdin.buffer, width, height):
        if before is not None and waiting is None:
            waiting = picture
            continue
        boxes = detector.boxes(picture)
        if before is not None and waiting is not None:
            moved = not (_all_within(before, boxes) and _all_within(boxes, before))
            answer(_packed(detector.boxes(waiting), detector.size) if moved else _NOT_LOOKED)
        answer(_packed(boxes, detector.size))
        before, waiting = (boxes if looks == "half" else None), None
    if waiting is not None:
        answer(_packed(detector.boxes(waiting), detector.size))
    sys.stdout.buffer.flush()


class _Detector:
    """A model with the size of the pictures that it gets; ``size`` is that of its boxes."""

    def __init__(self, model: str, width: int, height: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._session = session
        self._names = [output.name for output in session.get_outputs()]
        self._is_yunet = "cls_8" in self._names
        entry = session.get_inputs()[0]
        self._input = entry.name
        # a model may take pictures of any size, or of one size only
        self._sides = [
            side if isinstance(side, int) else -(-own // _MULTIPLE) * _MULTIPLE
            for side, own in zip(entry.shape[2:], (height, width), strict=True)
        ]
        self._smaller = max(1, -(-height // self._sides[0]), -(-width // self._sides[1]))
        self.size = np.array([width, height], np.float32) / np.float32(self._smaller)

    def boxes(self, picture: _Bytes) -> _Floats:
        """The faces as rows of score, left, top, width, height, in points of ``size``."""
        part = picture[:: self._smaller, :: self._smaller]
        if self._is_yunet:
            part = part[:, :, ::-1]  # blue comes first
        canvas = np.zeros((*self._sides, 3), np.uint8)
        canvas[: part.shape[0], : part.shape[1]] = part
        pixels = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        given = self._session.run(self._names, {self._input: pixels})
        answers = dict(zip(self._names, given, strict=True))
        found = _yunet(answers, self._sides) if self._is_yunet else _centerface(answers)
        if not np.isfinite(found).all():
            raise ValueError("a model that answers with something else than numbers")
        return _distinct(found)


def _all_within(boxes: _Floats, others: _Floats) -> bool:
    """Whether each face of a picture is in another picture, at nearly the same place."""
    return all(
        bool((_overlap(box, others) >= _HARDLY_MOVED).any()) for box in boxes if box[0] >= _SEEN
    )


def _pictures(stream: BinaryIO, width: int, height: int) -> Iterator[_Bytes]:
    """The pictures of a stream; one that is not whole is ignored."""
    while len(data := stream.read(width * height * 3)) == width * height * 3:
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _centerface(answers: Mapping[str, _Floats]) -> _Floats:
    """Return boxes as rows of score, left, top, width, height, in points of the picture."""
    score, size, shift = (answers[name][0] for name in ("537", "538", "539"))
    rows, columns = np.nonzero(~(score[0] <= _LEAST))  # a score that is not a number counts too
    height, width = np.exp(size[:, rows, columns]) * _STEP
    down, right = shift[:, rows, columns]
    left = (columns + right + 0.5) * _STEP - width / 2
    top = (rows + down + 0.5) * _STEP - height / 2
    return np.stack([score[0, rows, columns], left, top, width, height], 1)


def _yunet(answers: Mapping[str, _Floats], sides: list[int]) -> _Floats:
    """Return boxes in the same form; its answers are lists, row by row, for three strides."""
    found = []
    for stride in _STRIDES:
        kind, thing, box = (answers[f"{name}_{stride}"][0] for name in ("cls", "obj", "bbox"))
        score = np.sqrt(np.clip(kind[:, 0], 0, 1) * np.clip(thing[:, 0], 0, 1))
        places = np.flatnonzero(~(score <= _LEAST))
        rows, columns = np.divmod(places, sides[1] // stride)
        right, down = box[places, :2].T
        width, height = np.exp(box[places, 2:4].T) * stride
        left, top = (columns + right) * stride - width / 2, (rows + down) * stride - height / 2
        found.append(np.stack([score[places], left, top, width, height], 1))
    return np.concatenate(found)


def _distinct(boxes: _Floats) -> _Floats:
    """Keep the box that is surest of all that lie on one face, the surest first."""
    left = boxes[np.argsort(-boxes[:, 0], kind="stable")][:_CANDIDATES]
    kept: list[_Floats] = []
    while len(left) and len(kept) < _MOST:
        first, left = left[0], left[1:]
        kept.append(first)
        left = left[_overlap(first, left) < _SAME]
    return np.array(kept, np.float32).reshape(-1, 5)


def _overlap(box: _Floats, others: _Floats) -> _Floats:
    """Return the shared area of a box and each of some others, by the area of both together."""
    near = np.maximum(others[:, 1:3], box[1:3])
    far = np.minimum(others[:, 1:3] + others[:, 3:5], box[1:3] + box[3:5])
    both = np.maximum(far - near, 0).prod(1)
    either = others[:, 3:5].prod(1) + box[3:5].prod() - both
    return np.asarray(both / np.maximum(either, 1e-9), np.float32)


def _packed(boxes: _Floats, size: _Floats) -> bytes:
    """Write boxes as the answer for a picture of *size*; what lies outside of it is cut off."""
    near = np.clip(boxes[:, 1:3] / size, 0, 1)
    far = np.clip((boxes[:, 1:3] + boxes[:, 3:5]) / size, 0, 1)
    values = np.concatenate([np.clip(boxes[:, :1], 0, 1), near, far - near], 1)
    whole: bytes = np.rint(values * _WHOLE).astype("<u2").tobytes()
    return bytes([len(boxes)]) + whole


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
