"""System calls by their names, for attacks that have no function in Python."""

from __future__ import annotations

import ctypes
import errno
import os
import platform

# fmt: off
_X86_64 = {
    "open": 2, "ioctl": 16, "shmget": 29, "shmat": 30, "shmctl": 31, "socketpair": 53, "clone": 56,
    "vfork": 58, "semctl": 66, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "fcntl": 72,
    "truncate": 76, "chmod": 90, "lchown": 94, "syslog": 103, "ptrace": 101, "setuid": 105,
    "setgid": 106, "setgroups": 116, "personality": 135, "setpriority": 141, "prctl": 157,
    "arch_prctl": 158, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166,
    "swapon": 167, "sethostname": 170, "iopl": 172, "init_module": 175, "quotactl": 179,
    "tkill": 200, "sched_setscheduler": 144, "sched_setaffinity": 203, "timer_create": 222,
    "tgkill": 234, "mq_open": 240, "kexec_load": 246, "add_key": 248, "keyctl": 250,
    "ioprio_set": 251, "inotify_init1": 294, "inotify_add_watch": 254, "migrate_pages": 256,
    "unshare": 272, "move_pages": 279, "vmsplice": 278, "perf_event_open": 298,
    "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297, "fanotify_init": 300, "prlimit64": 302,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313,
    "sched_setattr": 314, "seccomp": 317, "memfd_create": 319, "bpf": 321, "userfaultfd": 323,
    "capset": 126, "futimens": 280, "mknodat": 259, "fchownat": 260,
}
_AARCH64 = {
    "ioctl": 29, "shmget": 194, "shmat": 196, "shmctl": 195, "socketpair": 199, "clone": 220,
    "semctl": 191, "msgsnd": 189, "msgrcv": 188, "msgctl": 187, "fcntl": 25, "truncate": 45,
    "syslog": 116, "ptrace": 117, "setuid": 146, "setgid": 144, "setgroups": 159,
    "personality": 92, "setpriority": 140, "prctl": 167, "acct": 89, "settimeofday": 170,
    "mount": 40, "umount2": 39, "swapon": 224, "sethostname": 161, "init_module": 105,
    "quotactl": 60, "tkill": 130, "sched_setscheduler": 119, "sched_setaffinity": 122,
    "timer_create": 107, "tgkill": 131, "mq_open": 180, "kexec_load": 104, "add_key": 217,
    "keyctl": 219, "ioprio_set": 30, "inotify_init1": 26, "inotify_add_watch": 27,
    "migrate_pages": 238, "unshare": 97, "move_pages": 239, "vmsplice": 75,
    "perf_event_open": 241, "rt_sigqueueinfo": 138, "rt_tgsigqueueinfo": 240,
    "fanotify_init": 262, "prlimit64": 261, "name_to_handle_at": 264, "open_by_handle_at": 265,
    "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "kcmp": 272, "finit_module": 273, "sched_setattr": 274, "seccomp": 277, "memfd_create": 279,
    "bpf": 280, "userfaultfd": 282, "capset": 91, "futimens": 88, "mknodat": 33, "fchownat": 54,
}
_BOTH = {
    "pidfd_send_signal": 424, "io_uring_setup": 425, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "pidfd_open": 434, "clone3": 435, "openat2": 437, "pidfd_getfd": 438,
    "process_madvise": 440, "mount_setattr": 442, "memfd_secret": 447, "fchmodat2": 452,
}
# fmt: on
NUMBERS = {**(_X86_64 if platform.machine() == "x86_64" else _AARCH64), **_BOTH}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a system call.

    :raises OSError: it failed.
    """
    return by_number(NUMBERS[name], *arguments)


def by_number(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make a system call by its number on this processor."""
    words = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *words))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def passes(name: str, *arguments: int | bytes | None) -> str:
    """Say that the kernel looked at a call's arguments, which are harmless and may be wrong.

    A refusal is an empty text.  It is not enough that the call fails: it must be refused.
    """
    try:
        return f"{name} gave {call(name, *arguments)}"
    except OSError as error:
        return "" if error.errno in REFUSALS else f"{name} gave {errno.errorcode[error.errno or 0]}"
