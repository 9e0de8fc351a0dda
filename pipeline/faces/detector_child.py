"""Look for faces in small pictures; runs in the sandbox.

    python -I detector_child.py MODEL WIDTH HEIGHT

MODEL is CenterFace, or YuNet as OpenCV publishes it.  Standard input has pictures of WIDTH x HEIGHT
points, three bytes a point: red, green, blue.  For each picture, standard output gets one byte, the
number of faces, and ten bytes a face: score, left, top, width and height.  Each is a number of two
bytes (little-endian), in which 65535 stands for 1, for the whole width, or for the whole height.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_Floats = NDArray[np.float32]
_Bytes = NDArray[np.uint8]

_LEAST = 0.25  # score; what is less sure is never used
_MOST = 200  # faces of a picture; fewer than a byte can count
_CANDIDATES = 1000  # boxes of a picture that are compared with each other
_SAME = 0.3  # overlap from which two boxes are one face
_STEP = 4  # points of the picture between two places that CenterFace looks at
_STRIDES = (8, 16, 32)  # the same of YuNet
_MULTIPLE = 32  # of which both models need the sides of a picture
_WHOLE = 65535


def main(model: str, width: int, height: int) -> None:
    """Answer for each picture until there are no more."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    entry = session.get_inputs()[0]
    # a model may take pictures of any size, or of one size only
    sides = [
        int(side) if isinstance(side, int) else -(-own // _MULTIPLE) * _MULTIPLE
        for side, own in zip(entry.shape[2:], (height, width), strict=True)
    ]
    smaller = max(1, -(-height // sides[0]), -(-width // sides[1]))
    size = np.array([width, height, width, height], np.float32) / smaller
    is_yunet = "cls_8" in names
    for picture in _pictures(sys.stdin.buffer, width, height):
        part = picture[::smaller, ::smaller]
        canvas = np.zeros((*sides, 3), np.uint8)
        canvas[: part.shape[0], : part.shape[1]] = part[:, :, ::-1] if is_yunet else part
        pixels = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32)
        answers = dict(zip(names, session.run(names, {entry.name: pixels}), strict=True))
        boxes = _yunet(answers, sides) if is_yunet else _centerface(answers)
        sys.stdout.buffer.write(_packed(_distinct(boxes), size))
    sys.stdout.buffer.flush()


def _pictures(stream: BinaryIO, width: int, height: int) -> Iterator[_Bytes]:
    """The pictures of a stream; one that is not whole is ignored."""
    while len(data := stream.read(width * height * 3)) == width * height * 3:
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


def _centerface(answers: Mapping[str, _Floats]) -> _Floats:
    """Return boxes as rows of score, left, top, width, height, in points of the picture."""
    score, size, shift = (answers[name][0] for name in ("537", "538", "539"))
    rows, columns = np.nonzero(score[0] > _LEAST)
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
        places = np.flatnonzero(score > _LEAST)
        rows, columns = np.divmod(places, sides[1] // stride)
        right, down = box[places, :2].T
        width, height = np.exp(box[places, 2:4].T) * stride
        left, top = (columns + right) * stride - width / 2, (rows + down) * stride - height / 2
        found.append(np.stack([score[places], left, top, width, height], 1))
    return np.concatenate(found)


def _distinct(boxes: _Floats) -> _Floats:
    """Keep the box that is surest of all that lie on one face, the surest first."""
    boxes = boxes[np.isfinite(boxes).all(1)]
    left = boxes[np.argsort(-boxes[:, 0], kind="stable")][:_CANDIDATES]
    kept: list[_Floats] = []
    while len(left) and len(kept) < _MOST:
        first, left = left[0], left[1:]
        kept.append(first)
        near = np.maximum(left[:, 1:3], first[1:3])
        far = np.minimum(left[:, 1:3] + left[:, 3:5], first[1:3] + first[3:5])
        both = np.maximum(far - near, 0).prod(1)
        either = left[:, 3:5].prod(1) + first[3:5].prod() - both
        left = left[both < _SAME * np.maximum(either, 1e-9)]
    return np.array(kept, np.float32).reshape(-1, 5)


def _packed(boxes: _Floats, size: _Floats) -> bytes:
    """Write boxes as the answer for a picture of *size*; what lies outside of it is cut off."""
    near = np.clip(boxes[:, 1:3] / size[:2], 0, 1)
    far = np.clip((boxes[:, 1:3] + boxes[:, 3:5]) / size[2:], 0, 1)
    values = np.concatenate([np.clip(boxes[:, :1], 0, 1), near, far - near], 1)
    return bytes([len(boxes)]) + np.rint(values * _WHOLE).astype("<u2").tobytes()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
