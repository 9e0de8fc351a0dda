"""How a scheduler is reached, and which settings of Dask hold for all our work.

Nothing of Dask is imported unless a cluster is used.

Dask's messages are pickles, which run code.  So everybody with a certificate of the cluster can run
code on all of its machines, and beyond loopback nobody gets in without one.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from pipeline.errors import StageError

if TYPE_CHECKING:
    from distributed import Security

_LOOPBACK = ("tcp://127.0.0.1:", "tcp://localhost:", "tcp://[::1]:")

# each has a level of its own
_LOGGERS = ("distributed", "distributed.client", "distributed.gc", "tornado.application")


@dataclass(frozen=True)
class ClusterAccess:
    """The address of a scheduler; for ``tls://`` the paths of the authority, certificate and key.

    ``lost_after_s``: a worker that says nothing for so long is lost.
    """

    address: str
    ca: str = ""
    certificate: str = ""
    key: str = ""
    lost_after_s: float = 1800.0

    def security(self) -> Security | None:
        """The certificates for Dask; None for loopback.

        :raises StageError: the address is beyond loopback, and there is no certificate.
        """
        files = {"ca_file": self.ca}
        for role in ("client", "scheduler", "worker"):
            files |= {f"{role}_cert": self.certificate, f"{role}_key": self.key}
        if self.address.startswith("tls://") and all(files.values()):
            tls = {f"tls_{name}": path for name, path in files.items()}
            made: Security = distributed().Security(require_encryption=True, **tls)
            return made
        if not self.address.startswith(_LOOPBACK):
            raise StageError(
                f"{self.address} is not used without certificates: set ca, certificate and key in "
                "[cluster] (docs/cluster.md)"
            )
        return None

    def settings(self) -> dict[str, object]:
        """The access as JSON can hold it."""
        return asdict(self)


def distributed(access: ClusterAccess | None = None) -> ModuleType:
    """Import Dask, and set what holds for all our work.

    :raises StageError: it is not installed.
    """
    try:
        dask = import_module("dask")
    except ModuleNotFoundError as error:
        raise StageError(
            "[cluster] needs the package distributed, which is not installed; install the optional "
            "parts with: make extras"
        ) from error
    dask.config.set(
        {
            # the ledger counts the attempts, so a lost worker is reported and nothing is repeated
            "distributed.scheduler.allowed-failures": 0,
            # a worker gets a job when it has a free slot, and keeps it
            "distributed.scheduler.work-stealing": False,
            "distributed.scheduler.worker-saturation": 1.0,
            "distributed.scheduler.active-memory-manager.start": False,
            "distributed.worker.profile.enabled": False,
            # no pages: anybody on the machine could read them, and use them as a proxy
            "distributed.scheduler.http.routes": [],
            "distributed.worker.http.routes": [],
            "distributed.admin.log-length": 100,
            "distributed.admin.low-level-log-length": 100,
        }
    )
    if access is not None:
        ttl = f"{access.lost_after_s:.3f} s"
        dask.config.set({"distributed.scheduler.worker-ttl": ttl})
    loaded = import_module("distributed")
    # what it logs repeats jobs, also what it calls critical; what a person needs is said by us
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return loaded
