"""The tables ``[notify]`` and ``[smtp]``: who learns how a night went, and how mail is sent."""

import re
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator

from pipeline.config.section import Located
from pipeline.config.server import ServerAddress, check_web_address

_ADDRESS = r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+$"
_PORTS = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
_SERVER = ServerAddress(
    form="must have the form smtps://USER@HOST, smtp+starttls://USER@HOST or smtp://localhost",
    clear=("smtp", "everything"),
    instead="smtps:// or smtp+starttls://",
)


class Notify(Located):
    """Who learns how a night went."""

    ping: str = Field(
        default="",
        description="an http(s) address that is called at the start and at the end of each "
        "`footage run`: `/start` and the exit code are added to it, as healthchecks.io defines it",
    )
    prometheus: str = Field(
        default="",
        description="a file that gets the figures of the last night, for node_exporter; its name "
        "ends in `.prom`",
    )
    mail: tuple[str, ...] = Field(default=(), description="addresses; needs the table `[smtp]`")
    command: tuple[str, ...] = Field(
        default=(), description="a program and its arguments; it reads the text of the mail"
    )
    when: Literal["change", "always"] = Field(
        default="change",
        description="when mail and command are used: if a night went otherwise than the one "
        "before, and once a week; or after every night",
    )

    @field_validator("ping")
    @classmethod
    def _web(cls, value: str) -> str:
        check_web_address(value, without=("user", "?", "#"))
        return value.rstrip("/")

    @field_validator("prometheus")
    @classmethod
    def _named(cls, value: str) -> str:
        if value and not value.endswith(".prom"):
            raise ValueError("must end in .prom, because node_exporter reads no other file")
        return value

    @field_validator("mail")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            _check_address(address)
        return value

    @property
    def is_used(self) -> bool:
        """Whether anybody is to be notified."""
        return bool(self.ping or self.prometheus or self.mail or self.command)


class SmtpSection(Located):
    """How mail is sent."""

    url: str = Field(
        description="the server: `smtps://USER@HOST`, `smtp+starttls://USER@HOST`, or "
        "`smtp://localhost`"
    )
    sender: str = Field(alias="from", description="the address that mail comes from")
    password_env: str = Field(
        default="FOOTAGE_SMTP_PASSWORD", description="the environment variable with the password"
    )
    password_command: tuple[str, ...] = Field(
        default=(), description="a program and its arguments that prints the password"
    )
    ca_file: str = Field(default="", description="a private certificate authority")

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        if value.partition("://")[0].lower() not in _PORTS:
            raise ValueError(_SERVER.form)
        _SERVER.check(value)
        return value

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str) -> str:
        _check_address(value)
        return value

    @property
    def scheme(self) -> str:
        """``smtps``, ``smtp+starttls`` or ``smtp``."""
        return urlsplit(self.url).scheme

    @property
    def host(self) -> str:
        """The server's name."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The server's port; 465, 587 or 25 unless the address says otherwise."""
        return urlsplit(self.url).port or _PORTS[self.scheme]

    @property
    def user(self) -> str:
        """The login; "" sends without a sign-in."""
        return unquote(urlsplit(self.url).username or "")


def _check_address(address: str) -> None:
    if not re.fullmatch(_ADDRESS, address) or not address.isascii():
        raise ValueError("must be an address such as team@example.org")
