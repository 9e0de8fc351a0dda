"""Attacks that use up the machine."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import threading

from . import World, attack, calls

_MEGABYTE = 1 << 20
_F_SETPIPE_SZ = 1031
_MANY_THREADS = 6000


@attack(gives_up=True)
def use_too_much_memory(world: World) -> str:
    """Take more memory than allowed."""
    if world.control:
        return "not tried"
    with mmap.mmap(-1, world.memory):
        return "taken"


@attack(gives_up=True)
def use_memory_of_a_file(_world: World) -> str:
    """Put memory into a file without a name, which no limit counts."""
    handle = calls.call("memfd_create", b"attack", 0)
    os.ftruncate(handle, 64 * _MEGABYTE)
    return f"wrote {os.pwrite(handle, b'x' * _MEGABYTE, 0)}"


@attack(gives_up=True)
def use_secret_memory(_world: World) -> str:
    """Take memory that the kernel cannot move."""
    return f"descriptor {calls.call('memfd_secret', 0)}"


@attack(gives_up=True)
def use_memory_of_pipes(_world: World) -> str:
    """Put memory into large pipes, which no limit counts."""
    reader, _ = os.pipe()
    fcntl.fcntl(reader, _F_SETPIPE_SZ, _MEGABYTE)
    return "one megabyte a pipe"


@attack(gives_up=True)
def open_too_many_files(world: World) -> str:
    """Open more files than allowed."""
    handles: list[int] = []
    with contextlib.suppress(OSError):
        while len(handles) < 5000:
            handles.append(os.open(world.given, os.O_RDONLY))
    for handle in handles:
        os.close(handle)
    return f"{len(handles)} files" if len(handles) > 2000 else ""


@attack(gives_up=True)
def start_too_many_threads(_world: World) -> str:
    """Start so many threads that other programs can start none."""
    threading.stack_size(64 << 10)
    end = threading.Event()
    threads: list[threading.Thread] = []
    with contextlib.suppress(RuntimeError, MemoryError):
        while len(threads) < _MANY_THREADS:
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            threads.append(thread)
    end.set()
    print(f"{len(threads)} threads")
    return f"{len(threads)} threads" if len(threads) >= _MANY_THREADS else ""
