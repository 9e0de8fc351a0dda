"""Run a program that dies with its parent, with limits and, if asked, behind Landlock.

    python -I -S launcher.py --parent PID --limits CPU_S MEMORY FILE_SIZE TASKS
        [--stay | --wall FILTER --abi NEWEST --read PATH… --write FOLDER…] -- PROGRAM ARGUMENT…

The launcher dies with its parent PID, even if that was killed before the launcher began.  It sets
the limits, gives up what Landlock can take away (Linux
``Documentation/userspace-api/landlock.rst``: files and, from ABI 4, TCP; from ABI 6 signals and
abstract sockets) and all powers of root, loads the system-call filter from descriptor FILTER, and
becomes the program.  NEWEST is the newest version of Landlock that is used.

bubblewrap builds its own wall.  It starts a process that waits for a word of the first one before
it requests the parent-death signal, so it would wait for ever if the first one was killed in
between.  With ``--stay`` the launcher therefore lives as long as the program, which it starts in
its own process group, and kills the whole group as soon as its parent is gone.
Standard library only, since it runs without site-packages to start quickly.
Exit 125: the wall could not be built, and the program was not started.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # it has no types of its own
import ctypes
import os
import resource
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER_MODE = 1, 22, 38, 2
_PR_CAPBSET_DROP, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _CLEAR_ALL = 24, 28, 47, 4
# this holds for root too, and nothing of it can be changed again; see capabilities(7)
_SECUREBITS = 0xEF
_CAPABILITIES = 64  # as many bits as the kernel has for them
_FILES = 1024  # that can be open
_SIGKILL = 9
# a program counts as if it used half of all memory more; see proc_pid_oom_score_adj(5)
_BEFORE_OTHERS = "500"
# the module `signal` takes a third of the time until a program begins, so its inner part is used
_END = frozenset((_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT))
_AWAITED = _END | {_signal.SIGCHLD}
_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same on every architecture
_CAPSET = {"x86_64": 126, "aarch64": 91}
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REMOVE_FILE, _MAKE_REGULAR, _TRUNCATE = 0x20, 0x100, 0x4000
# In a folder: regular files are made and deleted.  Folders, links, FIFOs, sockets and devices are
# not, and nothing is moved out of it.
_IN_FOLDER = _WRITE_FILE | _READ_FILE | _READ_DIR | _REMOVE_FILE | _MAKE_REGULAR | _TRUNCATE
_OF_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
# handled rights by ABI: all file rights that the kernel knows, so that all others are denied
_FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
_TCP = 3  # bind and connect
_SCOPES = 3  # abstract sockets and signals
_PATH_BENEATH = 1
_O_PATH = 0o10000000

_libc = ctypes.CDLL(None, use_errno=True)


def main(argv: list[str]) -> None:
    """Build the wall that *argv* describes and become the program after ``--``."""
    split = argv.index("--")
    options, program = argv[:split], argv[split + 1 :]
    if "--stay" in options:
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _AWAITED)
        _die_with(int(options[1]), _signal.SIGTERM)
        _stay()
    else:
        _die_with(int(options[1]), _SIGKILL)
    _be_ended_first()
    _limit(*map(int, options[3:7]))
    _leave_groups()
    if "--wall" in options:
        reads, writes = _values(options, "--read"), _values(options, "--write")
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _landlock(int(_values(options, "--abi")[0]), reads, writes)
        _give_up_powers()
        _check(reads, writes)
        _seccomp(_values(options, "--wall")[0])
    os.execv(program[0], program)  # noqa: S606 - there is no shell in it


def _die_with(parent: int, number: int) -> None:
    """Request a signal for when the parent is gone."""
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise OSError("the parent is gone")


def _stay() -> None:
    """Go on in a child that dies with this process, and end as the child ends.

    If this process is to end, all processes of its group are killed, itself too.
    """
    launcher = os.getpid()
    child = os.fork()
    if child == 0:
        _die_with(launcher, _SIGKILL)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _AWAITED)
        return
    os.closerange(0, _FILES)  # a pipe ends when the program has closed it
    while _signal.sigwait(_AWAITED) not in _END:
        ended, status = os.waitpid(child, os.WNOHANG)
        if not ended:
            continue
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, _AWAITED)
            os.killpg(0, number)  # what the program started may hold its pipes open
        os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 125)
    os.killpg(0, _SIGKILL)


def _be_ended_first() -> None:
    """Have the kernel end the program, and not the run that started it, if memory is short."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123 - pathlib is slow here
            file.write(_BEFORE_OTHERS)
    except OSError:  # a container may show no /proc, or one that can't be written
        return


def _leave_groups() -> None:
    """Leave the supplementary groups, which only root may do, and not in every container."""
    if os.geteuid() == 0:
        try:
            os.setgroups([])
        except PermissionError:
            return


def _limit(cpu_s: int, memory: int, file_size: int, tasks: int) -> None:
    """Set the limits; *tasks*: processes and threads of the whole user, 0 for no limit."""
    _lower(resource.RLIMIT_NOFILE, _FILES)
    _lower(resource.RLIMIT_CORE, 0)
    # the soft limit ends a program with its own signal; the hard limit ends one that ignores it
    _lower(resource.RLIMIT_CPU, cpu_s, cpu_s + 1)
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_FSIZE, file_size)
    if tasks:
        _lower(resource.RLIMIT_NPROC, tasks)


def _lower(kind: int, soft: int, hard: int = -1) -> None:
    """Set a limit; a lower one of the shell or of systemd stays, as only root could raise it."""
    most = resource.getrlimit(kind)[1]
    hard = soft if hard < 0 else hard
    if most != resource.RLIM_INFINITY:
        soft, hard = min(soft, most), min(hard, most)
    resource.setrlimit(kind, (soft, hard))


def _give_up_powers() -> None:
    """Drop all capabilities, also those that root gets by starting a program.

    Without the right to do so, no bounding set is dropped; PR_SET_NO_NEW_PRIVS then keeps a program
    from getting any.
    """
    zero = ctypes.c_ulong(0)
    for capability in range(_CAPABILITIES):
        _libc.prctl(ctypes.c_int(_PR_CAPBSET_DROP), ctypes.c_ulong(capability), zero, zero, zero)
    _libc.prctl(ctypes.c_int(_PR_SET_SECUREBITS), ctypes.c_ulong(_SECUREBITS), zero, zero, zero)
    _libc.prctl(ctypes.c_int(_PR_CAP_AMBIENT), ctypes.c_ulong(_CLEAR_ALL), zero, zero, zero)
    if (number := _CAPSET.get(os.uname().machine)) is not None:
        version_3 = struct.pack("=Ii", 0x20080522, 0)
        _call(number, version_3, bytes(24))


def _check(reads: list[str], writes: list[str]) -> None:
    """Make sure that root can read and write its files also without its powers."""
    for path in reads:
        if not os.access(path, os.R_OK):
            raise OSError(f"{path} can't be read without the powers of root")
    for path in writes:
        if not os.access(path, os.R_OK | os.W_OK):
            raise OSError(f"{path} can't be written without the powers of root")


def _values(options: list[str], name: str) -> list[str]:
    return [options[index + 1] for index, option in enumerate(options) if option == name]


def _landlock(newest: int, reads: list[str], writes: list[str]) -> None:
    abi = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if abi < 1:
        raise OSError("this kernel has no Landlock")
    abi = min(abi, newest)
    rights = _FILE_RIGHTS[min(abi, 5)]
    attributes = struct.pack("=QQQ", rights, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _call(_CREATE, attributes[:size], ctypes.c_size_t(size), ctypes.c_uint32(0))
    for path in reads:
        _allow(ruleset, path, _EXECUTE | _READ_FILE | _READ_DIR)
    for path in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
        _allow(ruleset, path, _READ_FILE | _WRITE_FILE)
    for path in writes:
        _allow(ruleset, path, rights & _IN_FOLDER)
    _call(_RESTRICT, ruleset, ctypes.c_uint32(0))


def _allow(ruleset: int, path: str, rights: int) -> None:
    handle = os.open(path, _O_PATH | os.O_CLOEXEC)
    if not os.path.isdir(path):  # noqa: PTH112 - pathlib is a slow import here
        rights &= _OF_FILE
    rule = struct.pack("=Qi", rights, handle)
    _call(_ADD, ruleset, ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
    os.close(handle)


def _seccomp(descriptor: str) -> None:
    if not descriptor.isdecimal():  # a processor for which there is no filter
        return
    code = os.read(int(descriptor), 65536)
    os.close(int(descriptor))
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a count of eight-byte instructions and a pointer to them
    fprog = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    _prctl(_PR_SET_SECCOMP, _FILTER_MODE, fprog)


def _prctl(option: int, *values: int | bytes) -> None:
    arguments = [ctypes.c_char_p(v) if isinstance(v, bytes) else ctypes.c_ulong(v) for v in values]
    padding = [ctypes.c_ulong(0)] * (4 - len(arguments))
    if _libc.prctl(ctypes.c_int(option), *arguments, *padding) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")


def _call(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number} was refused")
    return result


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except OSError as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(125)
