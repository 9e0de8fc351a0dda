"""The table ``[custody]``: time stamps for the chain of custody."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from pipeline.config.section import Located
from pipeline.config.server import check_web_address


class CustodySection(Located):
    """Who confirms at which time the chain of custody was there."""

    timestamp: str = Field(
        default="",
        description="the address of a time-stamp server (RFC 3161), which gets a hash after each "
        "night; empty: none",
    )
    timestamp_ca: str = Field(
        default="",
        description="a file with the certificates (PEM) of its authority, needed with it",
    )

    @field_validator("timestamp")
    @classmethod
    def _web(cls, value: str) -> str:
        check_web_address(value, without=("user", "#"))
        return value

    @model_validator(mode="after")
    def _both(self) -> CustodySection:
        if self.timestamp and not self.timestamp_ca:
            raise ValueError(
                "timestamp needs timestamp_ca: without the certificates of the authority nobody "
                "can check a stamp"
            )
        return self
