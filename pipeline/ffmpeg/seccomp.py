"""A system-call filter: no sockets, no new processes, no tracing, no kernel doors.

Written as classic BPF (Linux ``Documentation/userspace-api/seccomp_filter.rst``), so that no
library is needed; bubblewrap and ``launcher`` both load it.  What is denied fails with
EPERM, and a decoder that tries it fails like one that met a broken file.  Threads stay
allowed: a ``clone`` must carry CLONE_THREAD.
"""

import platform
import struct
from functools import cache

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, JEQ|K, JSET|K, RET|K
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_CLONE_THREAD = 0x00010000
_NUMBER, _ARCH, _ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_X32 = 0x40000000

# In order: socket, connect, accept, bind, listen, socketpair; fork, vfork; ptrace and the
# memory of others; mount, umount, pivot_root, chroot, unshare, setns; modules and kexec; keys,
# bpf, perf; userfaultfd, io_uring; kill, tkill, tgkill.  From arch/x86/entry/syscalls/
# syscall_64.tbl and include/uapi/asm-generic/unistd.h.
# fmt: off
_X86_64 = (
    41, 42, 43, 49, 50, 53, 57, 58, 101, 310, 311, 165, 166, 155, 161, 272, 308, 175, 176, 313,
    246, 320, 248, 249, 250, 321, 298, 323, 425, 426, 427, 62, 200, 234,
)
_AARCH64 = (
    198, 203, 202, 200, 201, 199, 117, 270, 271, 40, 39, 41, 51, 97, 268, 105, 106, 273, 104,
    294, 217, 218, 219, 280, 241, 282, 425, 426, 427, 129, 130, 131,
)
# fmt: on
_CLONE3 = 435


# by processor: its AUDIT_ARCH, the number of clone, and what is denied
_PROCESSORS = {"x86_64": (0xC000003E, 56, _X86_64), "aarch64": (0xC00000B7, 220, _AARCH64)}


@cache
def program() -> bytes:
    """The filter as an array of ``struct sock_filter``; empty on a processor we don't know."""
    if platform.machine() not in _PROCESSORS:
        return b""
    audit_arch, clone, denied = _PROCESSORS[platform.machine()]
    code = [
        _op(_LOAD, _ARCH),
        _op(_EQUAL, audit_arch, 1, 0),
        _op(_RETURN, _KILL),
        _op(_LOAD, _NUMBER),
        _op(_SET, _X32, 0, 1),  # the numbers of x32 are not in the list below, so they would pass
        _op(_RETURN, _KILL),
    ]
    for number in denied:
        code += [_op(_EQUAL, number, 0, 1), _op(_RETURN, _EPERM)]
    code += [
        _op(_EQUAL, _CLONE3, 0, 1),
        _op(_RETURN, _ENOSYS),  # the C library falls back to clone
        _op(_EQUAL, clone, 0, 3),
        _op(_LOAD, _ARGUMENT),
        _op(_SET, _CLONE_THREAD, 1, 0),
        _op(_RETURN, _EPERM),
        _op(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, k)
