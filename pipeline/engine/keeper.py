"""A program that cleans up behind this process, also if this process is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

_END_S = 10.0
_UNHEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Keeper:
    """Waits for the end of this process, however that comes, and then cleans up.

    It is in a session of its own and hears no signal but SIGKILL, so what ends this process and its
    group does not end it.  A keeper that was killed is started again.
    """

    def __init__(self, module: str, folder: Path) -> None:
        """Start it.

        :param module: is run with *folder* as its argument, and reads its standard input.  If that
            ends with nothing in it, this process was killed.
        """
        self._command = [sys.executable, "-m", module, str(folder)]
        self._is_over, self._lock = False, threading.Lock()
        self._program = self._start()
        self._tending = threading.Thread(target=self._tend, name="keeper", daemon=True)
        self._tending.start()

    def close(self) -> None:
        """End it: there is nothing to clean up."""
        with self._lock:
            self._is_over = True
        try:
            self._program.communicate(b"done", _END_S)
        except subprocess.TimeoutExpired:
            self._program.kill()
        self._tending.join()

    def _start(self) -> subprocess.Popen[bytes]:
        # a program begins with the signals blocked that are blocked here
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _UNHEARD)
        try:
            return subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _tend(self) -> None:
        """Start it again as often as it is killed."""
        while self._program.wait() < 0:
            with self._lock:
                if self._is_over:
                    return
                if self._program.stdin is not None:
                    self._program.stdin.close()
                self._program = self._start()
