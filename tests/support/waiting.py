"""The limit of every wait, a start that lets Ctrl-C through, and what programs still run."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

# A guard against hanging, for every wait in the tests.  What a test waits for comes much sooner;
# no test passes or fails because of the time it took.
HANG_S = 120.0

# A shell may start a background job with SIGINT ignored, and children inherit that.  A program
# that is started behind these words has the default back, so SIGINT reaches it.
INTERRUPTIBLE = ("env", "--default-signal=INT")


def below(process: int) -> list[int]:
    """All processes that a process has started, and those that they have."""
    found = list[int]()
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return [each for child in found for each in (child, *below(child))]


def still_running(folder: Path) -> list[str]:
    """The programs that work on files of *folder*."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in command and process.name != str(os.getpid()):
            found.append(command)
    return found
