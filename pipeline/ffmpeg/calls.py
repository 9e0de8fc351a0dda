"""The system calls that a program in the sandbox may make, on x86-64 and ARM64.

The list was made by tracing FFmpeg, the probe and the process that takes mails apart over all
footage of the tests (``bench.trace`` makes it again; docs/system-calls.md has its result).  Calls
that a C library of another age makes in their place were added: a newer one looks at files by
statx, an older one by stat.  Everything else does not exist for the program, as on a kernel that is
too old for it (ENOSYS), so that a library falls back to an older call where it can.

Numbers: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
"""

from __future__ import annotations

from dataclasses import dataclass

# by processor: x86-64, ARM64; None where it has no such call
_Numbers = tuple[int, int | None]

# fmt: off
# the program starts and ends; the loader and the C library set themselves up
_START_AND_END: dict[str, _Numbers] = {
    "execve": (59, 221), "brk": (12, 214), "arch_prctl": (158, None),
    "set_tid_address": (218, 96), "set_robust_list": (273, 99), "rseq": (334, 293),
    "getrandom": (318, 278), "uname": (63, 160), "sysinfo": (99, 179), "exit": (60, 93),
    "exit_group": (231, 94),
}
# its own memory, which RLIMIT_AS counts
_MEMORY: dict[str, _Numbers] = {
    "mmap": (9, 222), "munmap": (11, 215), "mprotect": (10, 226), "mremap": (25, 216),
    "madvise": (28, 233), "msync": (26, 227), "membarrier": (324, 283),
}
# its own threads wait for each other
_THREADS: dict[str, _Numbers] = {
    "futex": (202, 98), "futex_waitv": (449, 449), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "getcpu": (309, 168), "gettid": (186, 178),
    "getpid": (39, 172),
}
# what it does when a signal comes; it can send none
_SIGNALS: dict[str, _Numbers] = {
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128), "pause": (34, None),
}
# clocks are read and waited for
_TIME: dict[str, _Numbers] = {
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101), "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    "getrusage": (98, 165),
}
# who it is
_IDENTITY: dict[str, _Numbers] = {
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "getppid": (110, 173), "getpgrp": (111, None), "getresuid": (118, 148),
    "getresgid": (120, 150),
}
# files are looked for and read; which, is decided by the wall
_READING: dict[str, _Numbers] = {
    "close": (3, 57), "close_range": (436, 436), "read": (0, 63), "pread64": (17, 67),
    "readv": (19, 65), "preadv": (295, 69), "preadv2": (327, 286), "lseek": (8, 62),
    "fstat": (5, 80), "newfstatat": (262, 79), "stat": (4, None), "lstat": (6, None),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getcwd": (79, 17), "getdents64": (217, 61),
    "fadvise64": (221, 223), "fstatfs": (138, 44), "statfs": (137, 43), "dup": (32, 23),
    "dup2": (33, None), "dup3": (292, 24), "poll": (7, None), "ppoll": (271, 73),
    "select": (23, None), "pselect6": (270, 72),
}
# files that it may write are written; the wall and RLIMIT_FSIZE decide which, and how much
_WRITING: dict[str, _Numbers] = {
    "write": (1, 64), "pwrite64": (18, 68), "writev": (20, 66), "pwritev": (296, 70),
    "pwritev2": (328, 287), "ftruncate": (77, 46), "fallocate": (285, 47), "fsync": (74, 82),
    "fdatasync": (75, 83),
}
# the process that takes mails apart deletes its own files, and speaks with the run by the one
# socket that it was given; none can be made
_TAKING: dict[str, _Numbers] = {
    "unlink": (87, None), "unlinkat": (263, 35), "sendmsg": (46, 211), "recvmsg": (47, 212),
    "sendto": (44, 206), "recvfrom": (45, 207), "getsockname": (51, 204),
    "getpeername": (52, 205), "getsockopt": (55, 209),
}
# bubblewrap waits for the program
_BUBBLEWRAP: dict[str, _Numbers] = {
    "wait4": (61, 260),
}
# fmt: on

FREE = {
    **_START_AND_END, **_MEMORY, **_THREADS, **_SIGNALS, **_TIME, **_IDENTITY, **_READING,
    **_WRITING, **_TAKING, **_BUBBLEWRAP,
}  # fmt: skip


@dataclass(frozen=True)
class OneOf:
    """A call that is allowed if an argument is one of some values.

    ``argument``: its place; its lower 32 bits count, because the kernel looks at no others.
    """

    numbers: _Numbers
    argument: int
    values: tuple[int, ...]


# Threads are started by clone, since clone3 hides its flags from the filter: it does not exist.
CLONE: _Numbers = (56, 220)
THREAD = 0x00010000  # CLONE_THREAD, which every clone must carry
NAMESPACES = 0x7E020000  # all CLONE_NEW… flags, which no clone may carry

# Opening for reading with O_TRUNC empties a file that Landlock before ABI 3 takes for read-only.
# The access mode 3, neither reading nor writing, is nothing that Landlock asks a right for.
OPEN: tuple[tuple[_Numbers, int], ...] = (((2, None), 1), ((257, 56), 2))  # with the flags' place
ACCESS_MODE, TRUNCATE = 3, 0o1000  # O_ACCMODE, O_TRUNC

_F_DUPFD_CLOEXEC, _F_GETPIPE_SZ = 1030, 1032
_PR_SET_VMA = 0x53564D41  # gives memory a name
_UNCAUGHT = (2, 3, 15, 24)  # SIGINT, SIGQUIT, SIGTERM, SIGXCPU
_MOST_SIGNALS = 64
LIMITED = {
    # what it does when a signal comes; not when somebody ends it, or at its limit of CPU time:
    # FFmpeg would then end itself as if its file were broken
    "rt_sigaction": OneOf(
        (13, 134), 0, tuple(each for each in range(1, _MOST_SIGNALS + 1) if each not in _UNCAUGHT)
    ),
    # its own limits only
    "prlimit64": OneOf((302, 261), 0, (0,)),
    # a thread's name; not the signal of the parent's death, tracing, capabilities, filters
    "prctl": OneOf((157, 167), 0, (15, 16, _PR_SET_VMA)),
    # a descriptor's flags and copies; not who gets a signal about it, leases, sizes of pipes
    "fcntl": OneOf((72, 25), 1, (0, 1, 2, 3, 4, _F_DUPFD_CLOEXEC, _F_GETPIPE_SZ)),
    # whether it is a terminal (TCGETS, TIOCGWINSZ), and flags (FIONREAD, FIONBIO, FIO(N)CLEX)
    "ioctl": OneOf((16, 29), 1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
}  # fmt: skip
