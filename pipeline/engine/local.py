"""Workers on this machine, for trying a cluster: they end with the process that started them."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.engine import certificates
from pipeline.engine.access import ClusterAccess, distributed
from pipeline.errors import StageError
from pipeline.removal import removed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from distributed import LocalCluster

_PR_SET_PDEATHSIG = 1
_END_S = 10.0


@dataclass(frozen=True)
class WorkerProgram:
    """A module that is a worker when it is run; *settings* are its standard input, as JSON."""

    module: str
    settings: Mapping[str, object]


class LocalWorkers:
    """A scheduler in this process, and workers of one slot each in processes of their own.

    A worker that was killed is started again.
    """

    def __init__(self, program: WorkerProgram, count: int, folder: Path) -> None:
        """Start them; the certificates of the cluster are made anew, in *folder*.

        :raises StageError: the optional parts are not installed.
        """
        self._folder, self._numbers = folder, itertools.count()
        self._one_ended: Callable[[], object] = lambda: None
        ca, certificate, key = map(str, certificates.write(folder / "certificates", days=30))
        access = ClusterAccess("tls://127.0.0.1:0", ca, certificate, key)
        loaded = distributed(access)
        self._cluster: LocalCluster = loaded.LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            protocol="tls://",
            security=access.security(),
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False},
            set_as_default=False,
        )
        self.access = ClusterAccess(self._cluster.scheduler_address, ca, certificate, key)
        self._settings = {**program.settings, **self.access.settings(), "parent": os.getpid()}
        self._command = [sys.executable, "-m", program.module]
        self._running = [self._start() for _ in range(count)]

    def call_when_one_ends(self, call: Callable[[], object]) -> None:
        """Have *call* called, in a thread, each time that a worker ends."""
        self._one_ended = call

    def tend(self) -> None:
        """Start each worker again that was killed.

        :raises StageError: one could not begin; it has said why.
        """
        for place, worker in enumerate(self._running):
            code = worker.poll()
            if code is not None and code > 0:
                raise StageError("a worker of this machine can't work; it says why above")
            if code is not None:
                self._running[place] = self._start()

    def close(self) -> None:
        """End them all."""
        for worker in self._running:
            worker.terminate()
        for worker in self._running:
            try:
                worker.wait(_END_S)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._cluster.close(timeout=_END_S)
        removed(self._folder)

    def _start(self) -> subprocess.Popen[bytes]:
        scratch = str(self._folder / f"worker-{next(self._numbers)}")
        settings = json.dumps({**self._settings, "scratch": scratch}).encode()
        worker = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
        assert worker.stdin is not None
        # a few hundred bytes, far below what a pipe holds: this can't block
        with worker.stdin:
            worker.stdin.write(settings)
        threading.Thread(target=self._watch, args=(worker,), daemon=True).start()
        return worker

    def _watch(self, worker: subprocess.Popen[bytes]) -> None:
        worker.wait()
        self._one_ended()


def die_with(parent: int) -> None:
    """Have the kernel end this process when the thread that started it ends.

    :raises StageError: it has ended already.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise StageError("the run that started this worker is gone")
