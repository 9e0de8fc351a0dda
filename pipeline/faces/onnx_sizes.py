"""Let a model take pictures of any size.

CenterFace is published for ten pictures of 32 x 32 points, although it looks at each place of a
picture by itself.  Only the sizes that the file names have to be replaced by names of sizes
(https://onnx.ai/onnx/repo-docs/IR.html, "Static tensor shapes").  The package ``onnx`` would do
that, and would be one more package.  The file is a message of protobuf
(https://protobuf.dev/programming-guides/encoding/): a list of fields, each with a number, a type
and a value, which may be a message again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

# numbers of fields in onnx.proto
_MODEL_GRAPH = 7
_GRAPH_INPUT, _GRAPH_OUTPUT = 11, 12
_VALUE_NAME, _VALUE_TYPE = 1, 2
_TYPE_TENSOR = 1
_TENSOR_SHAPE = 2
_SHAPE_SIDE = 1
_SIDE_NAME = 2

# by the name of an input or output: a name for each of its sides, None where it stays as it is
SideNames = Mapping[str, Sequence[str | None]]
_Change = Callable[[bytes], bytes]


def renamed(model: bytes, sides: SideNames) -> bytes:
    """Return a model in which some sides of its inputs and outputs may have any size.

    :raises ValueError: it is not a model of this kind.
    """

    def graph(data: bytes) -> bytes:
        return _changed(data, {_GRAPH_INPUT: value, _GRAPH_OUTPUT: value})

    def value(data: bytes) -> bytes:
        name = next((v for number, _, v in _fields(data) if number == _VALUE_NAME), b"").decode()
        if name not in sides:
            return data

        def shape(old: bytes) -> bytes:
            names = iter(sides[name])
            return _changed(old, {_SHAPE_SIDE: lambda side: _named(side, next(names))})

        def tensor(old: bytes) -> bytes:
            return _changed(old, {_TENSOR_SHAPE: shape})

        return _changed(data, {_VALUE_TYPE: lambda old: _changed(old, {_TYPE_TENSOR: tensor})})

    try:
        return _changed(model, {_MODEL_GRAPH: graph})
    except (IndexError, StopIteration) as error:
        raise ValueError("not a model that can be read") from error


def _named(side: bytes, name: str | None) -> bytes:
    return side if name is None else _field(_SIDE_NAME, name.encode())


def _changed(message: bytes, changes: Mapping[int, _Change]) -> bytes:
    """Return a message in which the fields of some numbers are changed."""
    return b"".join(
        _field(number, changes[number](value)) if number in changes else whole
        for number, whole, value in _fields(message)
    )


def _fields(message: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each field of a message: its number, all its bytes, and its value if it is a message."""
    position = 0
    while position < len(message):
        begin = position
        key, position = _number(message, position)
        value = b""
        match key & 7:
            case 0:
                _, position = _number(message, position)
            case 1:
                position += 8
            case 2:
                length, position = _number(message, position)
                value = message[position : position + length]
                position += length
            case 5:
                position += 4
            case _:
                raise ValueError("not a message of protobuf")
        if position > len(message):
            raise ValueError("a message that is cut off")
        yield key >> 3, message[begin:position], value


def _number(message: bytes, position: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, least first; return it and the position behind it."""
    number = shift = 0
    while True:
        byte = message[position]
        position += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, position


def _field(number: int, value: bytes) -> bytes:
    """Write a field whose value is text or a message."""
    return _written(number << 3 | 2) + _written(len(value)) + value


def _written(number: int) -> bytes:
    data = bytearray()
    while number >= 0x80:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*data, number])
