"""A program that attacks, in FFmpeg's place in a real run, reaches nothing (``bench.attacks``)."""

from __future__ import annotations

import os
import re
import signal
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.attacks.harness import Place, attacked, not_held
from bench.attacks.inside.all import ATTACKS
from pipeline.ffmpeg import calls, seccomp

IS_ROOT = os.geteuid() == 0
TOGETHER = [name for name, each in ATTACKS.items() if not each.gives_up]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that another user can enter; nobody else can enter those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.mark.parametrize(("wall", "abi"), [("bubblewrap", 0), ("landlock", 0), ("landlock", 2)])
def test_attacks_reach_nothing(wall: str, abi: int, folder: Path) -> None:
    """As root, if it is root that tests; on a new kernel and on one of Debian 12."""
    place = Place(wall, IS_ROOT, abi)
    result = attacked(place, TOGETHER, folder)
    reached = {name: outcome for name, outcome in result.outcomes.items() if not outcome.held}
    assert set(reached) == not_held(place) & set(TOGETHER), reached
    assert result.innocent == "accepted"
    assert len(result.outcomes) > 120


@pytest.mark.parametrize("wall", ["bubblewrap", "landlock"])
def test_attacks_of_an_ordinary_user_reach_nothing(wall: str, folder: Path) -> None:
    names = ["start-too-many-threads", "use-memory-of-a-file", "write-more-than-allowed"]
    result = attacked(Place(wall, is_root=False), names, folder)
    assert {name: outcome.reached for name, outcome in result.outcomes.items()} == dict.fromkeys(
        names, ""
    )
    assert result.innocent == "accepted"


def test_without_walls_attacks_reach_something(folder: Path) -> None:
    """The harness sees what is reached, by what the attack says and by its effects."""
    names = ["read-secret", "end-victim-by-queue", "change-mode-of-input", "outlive-the-parent"]
    result = attacked(Place("none", IS_ROOT), names, folder)
    assert not any(outcome.held for outcome in result.outcomes.values())
    assert result.outcomes["read-secret"].reached.startswith("secret")
    assert "victim lives" in result.outcomes["end-victim-by-queue"].effects
    assert "mode of original" in result.outcomes["change-mode-of-input"].effects


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# by processor: clone3, kill, chmod (fchmodat on ARM64), mount, memfd_create, ptrace, prctl, openat
NUMBERS = {
    "x86_64": (435, 62, 90, 165, 319, 101, 157, 257),
    "aarch64": (435, 129, 53, 40, 279, 117, 167, 56),
}


def verdict(machine: str, number: int, *arguments: int, architecture: int = 0) -> int:
    """What the filter says of a call: it is run as the kernel would run it."""
    code = list(struct.iter_unpack("<HBBI", seccomp.program(machine)))
    words = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    architecture = architecture or ARCHITECTURES[machine]
    data = struct.pack("<iIQ6Q", number, architecture, 0, *words)
    place = value = 0
    while True:
        operation, if_true, if_false, k = code[place]
        place += 1
        match operation:
            case 0x20:
                (value,) = struct.unpack_from("<I", data, k)
            case 0x54:
                value &= k
            case 0x15 | 0x45:
                holds = value == k if operation == 0x15 else bool(value & k)
                place += if_true if holds else if_false
            case 0x06:
                return int(k)


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_refuses_everything_else(machine: str) -> None:
    clone3, kill, chmod, mount, memfd, ptrace, prctl, openat = NUMBERS[machine]
    for number in (clone3, kill, chmod, mount, memfd, ptrace, 424, 425, 428, 434, 437, 452, 999):
        assert verdict(machine, number) == ENOSYS, number
    assert verdict(machine, prctl, 15) == ALLOW
    assert verdict(machine, prctl, 1) == EPERM  # the signal of the parent's death
    sigaction = calls.LIMITED["rt_sigaction"].numbers[list(ARCHITECTURES).index(machine)]
    assert sigaction is not None
    assert verdict(machine, sigaction, signal.SIGPIPE) == ALLOW
    for number in (signal.SIGXCPU, signal.SIGTERM, signal.SIGINT):  # each ends a program at once
        assert verdict(machine, sigaction, number) == EPERM
    assert verdict(machine, openat, 0, 0, os.O_RDONLY) == ALLOW
    assert verdict(machine, openat, 0, 0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) == ALLOW
    assert verdict(machine, openat, 0, 0, os.O_RDONLY | os.O_TRUNC) == EPERM
    assert verdict(machine, openat, 0, 0, 3) == EPERM
    allowed = [number for number in range(1024) if verdict(machine, number) == ALLOW]
    assert 60 < len(allowed) < 120
    assert verdict(machine, openat, architecture=0x40000003) == KILL
    if machine == "x86_64":
        assert verdict(machine, 0x40000000 | 39) == KILL


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_lets_only_threads_begin(machine: str) -> None:
    clone = calls.CLONE[list(ARCHITECTURES).index(machine)]
    assert clone is not None
    thread = 0x3D0F00
    assert verdict(machine, clone, thread) == ALLOW
    assert verdict(machine, clone, 17) == EPERM  # a process
    for shift in (17, 25, 26, 27, 28, 29, 30):
        assert verdict(machine, clone, thread | 1 << shift) == EPERM, shift


def test_the_filter_allows_what_was_traced() -> None:
    """The tables of docs/system-calls.md, which ``bench.trace`` found, agree with the list."""
    page = (Path(__file__).parents[1] / "docs" / "system-calls.md").read_text("utf-8")
    allowed, refused = (
        set(re.findall(r"(?m)^\| `(\w+)", part)) for part in page.split("\nSeen, and not allowed")
    )
    known = {*calls.FREE, *calls.LIMITED, "open", "openat", "clone"}
    assert len(allowed) > 40
    assert allowed <= known
    assert "clone3" in refused
    assert not refused & known
