"""Tiny models with the outputs of YuNet, whose answers are always the same numbers.

They are written as protobuf by hand (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 64  # points of the pictures that the models take
_FLOAT = 1
_OUTPUTS = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
Answers = dict[str, NDArray[np.float32]]


def nothing_seen() -> Answers:
    """What YuNet answers where it sees no face."""
    return {
        f"{name}_{stride}": np.zeros((1, (SIDE // stride) ** 2, count), np.float32)
        for stride in (8, 16, 32)
        for name, count in _OUTPUTS.items()
    }


def write(path: Path, answers: Mapping[str, NDArray[np.float32]], elsewhere: str = "") -> Path:
    """Write a model that gives *answers*; with *elsewhere* its numbers are in that file."""
    opset, entry = _number(2, 13), _value("input", (1, 3, SIDE, SIDE))
    graph = _field(2, b"tiny") + _field(11, entry)
    for name, numbers in answers.items():
        tensor = b"".join(_number(1, side) for side in numbers.shape)
        tensor += _number(2, _FLOAT) + _field(8, name.encode())
        if elsewhere:
            place = _field(1, b"location") + _field(2, elsewhere.encode())
            tensor += _field(13, place) + _number(14, 1)
        else:
            tensor += _field(9, numbers.astype("<f4").tobytes())
        graph += _field(5, tensor) + _field(12, _value(name, numbers.shape))
    path.write_bytes(_number(1, 8) + _field(8, opset) + _field(7, graph))
    return path


def _value(name: str, shape: tuple[int, ...]) -> bytes:
    sides = b"".join(_field(1, _number(1, side)) for side in shape)
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, _FLOAT) + _field(2, sides)))


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, more = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(more) if more else bytes([low])
