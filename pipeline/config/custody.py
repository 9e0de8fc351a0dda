"""The table ``[custody]``: time stamps for the chain of custody."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from pipeline.config.section import Located


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
        try:
            parts = urlsplit(value)
            is_web = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
        except ValueError:
            is_web = False
        if value and not is_web:
            raise ValueError("must begin with https:// or http:// and name a host")
        if value and (parts.username is not None or parts.fragment):
            raise ValueError("must be an address without a user and without a #")
        return value

    @model_validator(mode="after")
    def _both(self) -> CustodySection:
        if self.timestamp and not self.timestamp_ca:
            raise ValueError(
                "timestamp needs timestamp_ca: without the certificates of the authority nobody "
                "can check a stamp"
            )
        return self
