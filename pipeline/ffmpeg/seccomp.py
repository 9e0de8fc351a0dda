"""The system-call filter: what ``calls`` allows, as a program for the kernel.

Written as classic BPF (Linux ``Documentation/userspace-api/seccomp_filter.rst``), so that no
library is needed; bubblewrap and ``launcher`` both load it.  A call that is not allowed fails, and
a decoder that tries it fails like one that met a broken file.  Only calls by the doors of other
architectures (32-bit, x32), whose numbers mean something else, end the program.
"""

import platform
import struct
from functools import cache

from pipeline.ffmpeg import calls
from pipeline.ffmpeg.calls import OneOf

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06  # BPF_LD|W|ABS, BPF_ALU|AND|K, BPF_RET|K
_EQUAL, _SET = 0x15, 0x45  # BPF_JMP|JEQ|K, BPF_JMP|JSET|K
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000
# by processor: its AUDIT_ARCH, and its place in the table of numbers
_PROCESSORS = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


@cache
def program(machine: str = platform.machine()) -> bytes:
    """The filter as an array of ``struct sock_filter``; empty on a processor we don't know."""
    if machine not in _PROCESSORS:
        return b""
    audit_arch, place = _PROCESSORS[machine]
    code = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, audit_arch, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
    ]
    if machine == "x86_64":
        code += [_op(_SET, _X32, 0, 1), _op(_RETURN, _KILL)]
    for numbers in calls.FREE.values():
        code += _when(numbers[place], [_op(_RETURN, _ALLOW)])
    for rule in calls.LIMITED.values():
        code += _when(rule.numbers[place], _one_of(rule))
    for numbers, argument in calls.OPEN:
        code += _when(numbers[place], _opening(argument))
    code += _when(calls.CLONE[place], _starting())
    code.append(_op(_RETURN, _ENOSYS))
    return b"".join(code)


def _when(number: int | None, then: list[bytes]) -> list[bytes]:
    """Code for one call, which ends with a verdict; nothing if the processor has no such call."""
    return [] if number is None else [_op(_EQUAL, number, 0, len(then)), *then]


def _one_of(rule: OneOf) -> list[bytes]:
    count = len(rule.values)
    tests = [
        _op(_EQUAL, value, count - index, 0)  # over the other tests and the refusal
        for index, value in enumerate(rule.values)
    ]
    return [_argument(rule.argument), *tests, _op(_RETURN, _EPERM), _op(_RETURN, _ALLOW)]


def _opening(argument: int) -> list[bytes]:
    return [
        _argument(argument),
        _op(_AND, calls.ACCESS_MODE),
        _op(_EQUAL, calls.ACCESS_MODE, 3, 0),
        _op(_EQUAL, 0, 0, 3),
        _argument(argument),
        _op(_SET, calls.TRUNCATE, 0, 1),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _starting() -> list[bytes]:
    return [
        _argument(0),
        _op(_SET, calls.NAMESPACES, 1, 0),
        _op(_SET, calls.THREAD, 1, 0),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]


def _argument(place: int) -> bytes:
    """Load the lower 32 bits of an argument; both processors are little-endian."""
    return _op(_LOAD, _ARGUMENT + 8 * place)


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, k)
