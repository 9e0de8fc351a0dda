"""The table ``[cluster]``: whether other machines make the clips."""

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipeline.config.section import Located
from pipeline.config.server import LOOPBACK

_LOCAL = re.compile(r"local:([1-9][0-9]{0,2})")


class ClusterSection(Located):
    """Whether clips are made by workers, on this machine or on others (docs/cluster.md)."""

    scheduler: str = Field(
        default="",
        description='the address of a scheduler of Dask, as "tls://host:8786"; "local:2" starts '
        "two workers on this machine; empty: clips are made by threads of this process",
    )
    ca: str = Field(default="", description="for tls://: the certificate authority (PEM)")
    certificate: str = Field(default="", description="the certificate of this machine (PEM)")
    key: str = Field(default="", description="its private key (PEM)")
    attempts: int = Field(
        default=3,
        ge=1,
        le=100,
        description="a clip fails when so many workers were lost while they made it; also without "
        "a cluster, a clip or a mail that failed because of the machine is tried in so many runs",
    )
    patience_minutes: float = Field(
        default=10,
        ge=0,
        description="a run ends when it had no worker for so long; its clips wait for the next run",
    )
    lost_after_minutes: float = Field(
        default=30,
        gt=0,
        description="a worker that says nothing for so long is lost; for `footage scheduler`",
    )

    @field_validator("scheduler")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value or _LOCAL.fullmatch(value):
            return value
        parts = urlsplit(value)
        try:
            port = parts.port
        except ValueError:
            port = None
        named = parts.scheme in ("tls", "tcp") and parts.hostname and port
        if not named or value != f"{parts.scheme}://{parts.netloc}" or parts.username is not None:
            raise ValueError('must have the form "tls://host:8786" or "local:2"')
        if parts.scheme == "tcp" and parts.hostname not in LOOPBACK:
            raise ValueError(
                "tcp:// lets everybody in who can reach it, and is for loopback only; use tls:// "
                "with certificates (docs/cluster.md)"
            )
        return value

    @model_validator(mode="after")
    def _certified(self) -> "ClusterSection":
        files = {"ca": self.ca, "certificate": self.certificate, "key": self.key}
        missing = [name for name, path in files.items() if not path]
        if self.scheduler.startswith("tls://") and missing:
            raise ValueError(
                f"tls:// needs {', '.join(missing)}: without certificates strangers are not "
                "kept out (docs/cluster.md)"
            )
        return self

    @property
    def local_workers(self) -> int:
        """How many workers to start on this machine; 0 if others are used, or none."""
        match = _LOCAL.fullmatch(self.scheduler)
        return int(match[1]) if match else 0
