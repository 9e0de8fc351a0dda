"""``config.toml``: what may stand in it, what it means, and every fault of it at once.

The models below are the reference: ``docs/configuration.md`` is made from their
descriptions.  Paths in the file are relative to the file.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import (
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from pipeline.errors import ConfigError
from pipeline.montage import Montage, Name, Section, Style

__all__ = [
    "FOLDER_SCHEMES",
    "IMAP_SCHEMES",
    "LOOPBACK",
    "Campaign",
    "Category",
    "Config",
    "Inbox",
    "Montage",
    "OAuth2",
    "Output",
    "Process",
    "Report",
    "ReviewSection",
    "Section",
    "Style",
    "WorkspaceSection",
    "load",
]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
IMAP_SCHEMES = ("imaps", "imap+starttls", "imap")
FOLDER_SCHEMES = ("maildir", "mbox", "eml", "folder")

CaptionPosition = Literal["bottom-left", "bottom", "bottom-right", "top-left", "top", "top-right"]
CaptionStyle = Literal["panel", "outline"]
Hashtag = Annotated[str, StringConstraints(pattern=r"^#\S+$", max_length=100)]


class Category(Section):
    """A kind of submission with hashtags of its own; the first that matches wins."""

    name: str = Field(min_length=1, description="shown in the report")
    match: Literal["subject", "recipient", "body", "kind"] = Field(
        description="what the pattern is tried on; recipient is the plus-address the mail went "
        'to, kind is "video" or "image"'
    )
    pattern: str = Field(description="a regular expression, searched for")
    hashtags: tuple[Hashtag, ...] = Field(default=(), description="added to the campaign's")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class Campaign(Section):
    """Whom the footage is for."""

    name: str = Field(min_length=1, max_length=200, description="the campaign's name")
    hashtags: tuple[Hashtag, ...] = Field(min_length=1, description="burned into every clip")
    handle: str = Field(default="", max_length=100, description="credited on the closing card")
    opens: date | None = Field(
        default=None, description="a submission before this day is taken in and marked"
    )
    closes: date | None = Field(
        default=None, description="a submission after this day is taken in and marked"
    )
    category: tuple[Category, ...] = Field(default=(), description="see below")

    @model_validator(mode="after")
    def _window(self) -> Campaign:
        if self.opens and self.closes and self.closes < self.opens:
            raise ValueError("closes is before opens")
        return self


class OAuth2(Section):
    """Sign-in without a password, as Google and Microsoft demand it."""

    provider: Literal["google", "microsoft", "custom"] = Field(description="who gives the token")
    client_id: str = Field(description="of the application registered with the provider")
    grant: Literal["refresh_token", "client_credentials"] = Field(
        default="refresh_token", description="how a token is asked for"
    )
    client_secret_env: str = Field(
        default="", description="the environment variable with the client's secret"
    )
    refresh_token_env: str = Field(
        default="", description="the environment variable with the refresh token"
    )
    tenant: str = Field(default="common", description="of Microsoft")
    token_url: str = Field(default="", description="of a custom provider")
    scope: str = Field(default="", description="of a custom provider")
    mechanism: Literal["XOAUTH2", "OAUTHBEARER"] = Field(
        default="XOAUTH2", description="what the server takes"
    )


class Inbox(Section):
    """Where the footage arrives."""

    url: str = Field(description="imaps://, imap+starttls://, imap:// (loopback only), maildir:, "
                     "mbox:, eml: or folder:")  # fmt: skip
    password_env: str = Field(
        default="FOOTAGE_IMAP_PASSWORD", description="the environment variable with the password"
    )
    password_command: tuple[str, ...] = Field(
        default=(), description="a program and its arguments that prints the password"
    )
    password_keyring: str = Field(
        default="", description="the service name under which the keyring holds the password"
    )
    oauth2: OAuth2 | None = Field(default=None, description="sign in with a token instead")
    ca_file: str = Field(default="", description="a private certificate authority")
    processed_folder: str = Field(
        default="", description="mail is moved here once everything in it is safe on disk"
    )
    max_attachment_mb: int = Field(
        default=2048, ge=1, le=1_000_000, description="larger: too-large"
    )

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        scheme = value.split(":", 1)[0].lower()
        if scheme in FOLDER_SCHEMES:
            if not value.partition(":")[2]:
                raise ValueError(f"{scheme}: needs a path behind it")
            return value
        if scheme not in IMAP_SCHEMES:
            allowed = ", ".join(
                [*(f"{s}://" for s in IMAP_SCHEMES), *(f"{s}:" for s in FOLDER_SCHEMES)]
            )
            raise ValueError(f"begins with none of {allowed}")
        parts = urlsplit(value)
        if not parts.hostname or not parts.username:
            raise ValueError(
                f"needs the form {scheme}://USER@HOST/FOLDER, with an @ in the user written %40"
            )
        if parts.password is not None:
            raise ValueError(
                "holds a password; take it out and put it into the environment variable that "
                "password_env names"
            )
        try:
            _ = parts.port
        except ValueError as error:
            raise ValueError("has a port that is no number from 1 to 65535") from error
        if scheme == "imap" and parts.hostname not in LOOPBACK:
            raise ValueError(
                "imap:// sends the password in the clear and is for loopback only; "
                "use imaps:// or imap+starttls://"
            )
        return value

    @property
    def scheme(self) -> str:
        """The kind of inbox, as it stands before the colon."""
        return self.url.split(":", 1)[0].lower()

    @property
    def user(self) -> str:
        """The login of an IMAP inbox."""
        return unquote(urlsplit(self.url).username or "")

    @property
    def host(self) -> str:
        """The server of an IMAP inbox."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of an IMAP inbox; 993 and 143 unless the address says otherwise."""
        return urlsplit(self.url).port or (993 if self.scheme == "imaps" else 143)

    @property
    def folder(self) -> str:
        """The mailbox of an IMAP inbox; INBOX unless the address says otherwise."""
        return unquote(urlsplit(self.url).path.lstrip("/")) or "INBOX"


class WorkspaceSection(Section):
    """Where the footage is kept."""

    path: str = Field(default="work", min_length=1, description="the workspace folder")
    retain_originals_days: int = Field(
        default=30, ge=0, description="0 deletes an original as soon as its clip is verified"
    )

    @field_validator("path")
    @classmethod
    def _local(cls, value: str) -> str:
        if "://" in value:
            raise ValueError("object-store workspaces are not available yet; name a folder")
        return value


class Process(Section):
    """How an original becomes a clip."""

    workers: int = Field(default=0, ge=0, le=256, description="0: as many as the processor allows")
    still_seconds: float = Field(
        default=4.0, ge=0.2, le=60, description="how long a photo is shown"
    )
    still_motion: Literal["drift", "none"] = Field(
        default="drift", description="a slow movement of photos, or none"
    )
    caption_position: CaptionPosition = Field(
        default="bottom-left", description="where in the title-safe area the caption stands"
    )
    caption_style: CaptionStyle = Field(
        default="panel",
        description="white letters on a dark panel, or on the picture with a dark outline",
    )
    loudness_lufs: float = Field(
        default=-16.0, ge=-70, le=-5, description="integrated loudness of every clip (EBU R 128)"
    )
    max_source_seconds: float = Field(default=1800, gt=0, description="longer: too-long")
    timeout_factor: float = Field(
        default=20,
        gt=0,
        description="a clip may take this many times its own length, at least 120 s",
    )
    sandbox: Literal["auto", "bubblewrap", "landlock", "none"] = Field(
        default="auto", description="auto refuses to run where none can be had"
    )


class ReviewSection(Section):
    """Who has the last word."""

    required: bool = Field(
        default=True,
        description="only approved clips are rendered; false: all but those rejected or held",
    )


class Report(Section):
    """What the report shows."""

    sender: Literal["masked", "full", "none"] = Field(
        default="masked", description="how senders are named in HTML, JSON and CSV"
    )


class Output(Section):
    """One format of the montage; the first is the master."""

    name: Name = Field(default="landscape", description="part of the file's name")
    size: str = Field(default="1920x1080", description="WIDTHxHEIGHT, even numbers")
    fps: Literal[24, 25, 30, 50, 60] = Field(default=30, description="frames a second")
    quality: Literal["draft", "standard", "high"] = Field(
        default="standard",
        description="x264: draft ultrafast CRF 28, standard veryfast CRF 20, high medium CRF 18",
    )
    fit: Literal["fill", "crop"] = Field(
        default="fill", description="fill: the whole picture over a blurred fill; crop: cut to fit"
    )

    @field_validator("size")
    @classmethod
    def _even(cls, value: str) -> str:
        match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", value)
        if not match:
            raise ValueError('has the form "1920x1080"')
        for side in map(int, match.groups()):
            if side % 2 or not 64 <= side <= 4096:
                raise ValueError("both sides are even numbers from 64 to 4096")
        return value

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.size.split("x")[1])


class Config(Section):
    """The whole file."""

    campaign: Campaign
    inbox: Inbox
    workspace: WorkspaceSection = WorkspaceSection()
    process: Process = Process()
    review: ReviewSection = ReviewSection()
    report: Report = Report()
    montage: Montage = Montage()
    output: tuple[Output, ...] = Field(default=(Output(),), min_length=1)
    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _distinct(self) -> Config:
        names = [output.name for output in self.output]
        if len(set(names)) != len(names):
            raise ValueError("two [[output]] have the same name")
        return self

    def resolve(self, path: str) -> Path:
        """A path of the file, seen from the file."""
        return (self._folder / Path(path).expanduser()).resolve()

    @property
    def root(self) -> Path:
        """The workspace folder."""
        return self.resolve(self.workspace.path)


def load(path: Path) -> Config:
    """Read and check a configuration file.

    :raises ConfigError: with a line for each fault: file, key, what is allowed.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(
            [f"{path}: there is no such file; name another with --config, or try `footage demo`"]
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: can't be read: {error}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from error
    try:
        config = Config.model_validate(_tuples(data))
    except ValidationError as error:
        faults = [fault for fault in error.errors() if not _is_echo(fault)]
        raise ConfigError([_fault(path, fault) for fault in faults]) from error
    config._folder = path.resolve().parent
    return config


def _tuples(value: Any) -> Any:
    """TOML arrays as tuples, which strict models of frozen data want."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value


def _is_echo(fault: Any) -> bool:
    """Whether an array is only called short because its items, named already, were faulty."""
    return fault["type"] == "too_short" and bool(fault["input"])


def _fault(path: Path, fault: Any) -> str:
    where = ""
    for step in fault["loc"]:
        where += f"[{step}]" if isinstance(step, int) else f".{step}" if where else str(step)
    message = str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    kind = fault["type"]
    secret = "password" in where.rsplit(".", 1)[-1] or "secret" in where or "token" in where
    if kind == "extra_forbidden":
        message = "there is no such key"
        if secret:
            message += (
                "; a secret never stands in this file: put it into the environment variable that "
                "password_env names"
            )
    elif kind == "missing":
        message = "is required"
    elif (
        not secret and where != "inbox.url" and isinstance(fault["input"], (str, int, float, bool))
    ):
        message += f" (it is {fault['input']!r})"
    return f"{path}: {where or 'file'}: {message}"
