"""Read and check the whole of ``config.toml``, and report all its faults at once.

The tables of a few keys are here, all others are the other modules of this package.
``docs/configuration.md`` is made from their descriptions.  Paths in the file are relative to it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from pipeline.config import inbox as inboxes
from pipeline.config.campaign import Campaign
from pipeline.config.cluster import ClusterSection
from pipeline.config.custody import CustodySection
from pipeline.config.inbox import InboxSection
from pipeline.config.montage import Montage
from pipeline.config.notify import Notify, SmtpSection
from pipeline.config.output import Output
from pipeline.config.process import Process
from pipeline.config.protect import ProtectSection
from pipeline.config.receipts import ReceiptsSection
from pipeline.config.section import Located, Section
from pipeline.errors import ConfigError, reason_of
from pipeline.store.bucket import KINDS, kind_of
from pipeline.wording import SenderStyle


class WorkspaceSection(Section):
    """Where the footage is kept."""

    path: str = Field(default="work", min_length=1, description="the workspace folder")
    store: str = Field(
        default="",
        description="where originals, clips and films are kept beyond that folder",
    )
    retain_originals_days: int = Field(
        default=30,
        ge=0,
        le=36_500,
        description="0: an original is deleted as soon as its clip is verified",
    )
    min_free_gb: float = Field(
        default=1.0,
        ge=0,
        description="with less free on the disk, only small mails without files are taken in; with "
        "less than half of it, no clip is begun; with less than a quarter, no mail is taken in; "
        "0: no limit",
    )
    max_gb_per_sender: float = Field(
        default=0.0,
        ge=0,
        description="GB of attachments that one sender may bring in during a run; mails that are "
        "over stay in the inbox for the next run; 0: no limit",
    )
    keep_backups: int = Field(
        default=7,
        ge=0,
        le=365,
        description="backups of the ledger that stay, one for each day; 0: none is made",
    )
    keep_logs_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="logs of older runs are deleted at the end of a night",
    )

    @field_validator("store")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and kind_of(value) is None:
            known = ", ".join(kind.address for kind in KINDS)
            raise ValueError(
                f"must be empty, or one of: {known}; it has no login, and no slash at the end"
            )
        return value

    @field_validator("path")
    @classmethod
    def _local(cls, value: str) -> str:
        if "://" in value:
            raise ValueError("must be a folder of this machine; [workspace] store names a store")
        return value


class ReviewSection(Section):
    """Whether the montage takes only clips that somebody approved."""

    required: bool = Field(
        default=True,
        description="only approved clips are rendered; false: all except those rejected or held",
    )
    consent: Literal["optional", "required"] = Field(
        default="optional",
        description='"required": a clip is rendered only if its sender agreed (`footage consent`)',
    )
    four_eyes: tuple[str, ...] = Field(
        default=(),
        description="names of categories; a clip in one of them is rendered only if two people "
        "approved it as it is now",
    )

    @property
    def needs_consent(self) -> bool:
        """Whether a clip needs the consent of its sender."""
        return self.consent == "required"


class Report(Section):
    """What the report shows."""

    sender: SenderStyle = Field(
        default="masked", description="how senders are named in HTML, JSON and CSV"
    )


class Config(Located):
    """The whole file."""

    campaign: Campaign
    inbox: tuple[InboxSection, ...] = Field(min_length=1)
    workspace: WorkspaceSection = WorkspaceSection()
    process: Process = Process()
    protect: ProtectSection = ProtectSection()
    review: ReviewSection = ReviewSection()
    report: Report = Report()
    montage: Montage = Montage()
    notify: Notify = Notify()
    smtp: SmtpSection | None = None
    receipts: ReceiptsSection = ReceiptsSection()
    custody: CustodySection = CustodySection()
    cluster: ClusterSection = ClusterSection()
    output: tuple[Output, ...] = Field(default=(Output(),), min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Config:
        names = [output.name for output in self.output]
        if len(set(names)) != len(names):
            raise ValueError("two [[output]] have the same name")
        if self.notify.mail and self.smtp is None:
            raise ValueError("[notify] mail needs the table [smtp], which names the server")
        if self.receipts.send and self.smtp is None:
            raise ValueError("[receipts] send needs the table [smtp], which names the server")
        known = {category.name for category in self.campaign.category}
        if unknown := sorted(set(self.review.four_eyes) - known):
            raise ValueError(f"[review] four_eyes names no category: {', '.join(unknown)}")
        return self

    @field_validator("inbox", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        """Take the single table ``[inbox]`` as one of several."""
        if not isinstance(value, (dict, tuple, list)):
            raise ValueError("must be a table [inbox], or several tables [[inbox]]")  # noqa: TRY004
        return (value,) if isinstance(value, dict) else tuple(value)

    @property
    def looks_for_faces(self) -> bool:
        """Whether faces are looked for in any clip."""
        modes = {category.faces for category in self.campaign.category} | {self.protect.faces}
        return bool(modes - {None, "off"})

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
        reason = reason_of(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError([f"{path}: can't be read: {reason}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not valid TOML: {error}"]) from error
    except (ValueError, RecursionError) as error:
        fault = "a number is too long, or the arrays are nested too deeply"
        raise ConfigError([f"{path}: not valid TOML: {fault}"]) from error
    try:
        config = Config.model_validate(_tuples(data))
    except ValidationError as error:
        # an array also counts as too short when only its items are at fault
        faults = [it for it in error.errors() if it["type"] != "too_short" or not it["input"]]
        raise ConfigError([_fault(path, _where(data, it["loc"]), it) for it in faults]) from error
    place(config, path.resolve().parent)
    inboxes.tell_apart(config.inbox)
    categories = [category.name for category in config.campaign.category]
    wrong = [
        f"{path}: {_where(data, ('inbox', number, key))}: {message}"
        for number, key, message in inboxes.contradictions(config.inbox, categories)
    ]
    if wrong:
        raise ConfigError(wrong)
    return config


def place(config: Config, folder: Path) -> None:
    """Set the folder that the paths of a configuration are relative to."""
    located = (
        config,
        config.cluster,
        *config.inbox,
        config.protect,
        config.notify,
        config.custody,
        *([config.smtp] if config.smtp else []),
    )
    for section in located:
        section.place_at(folder)


def _tuples(value: object) -> object:
    """Turn the arrays of TOML into tuples, which strict frozen models require."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    return value


def _where(data: dict[str, object], steps: tuple[int | str, ...]) -> str:
    """The place of a fault as the file names it: the single table ``[inbox]`` has no number."""
    if steps[:2] == ("inbox", 0) and isinstance(data["inbox"], dict):
        steps = ("inbox", *steps[2:])
    where = ""
    for step in steps:
        where += f"[{step}]" if isinstance(step, int) else f".{step}" if where else str(step)
    return where


def _fault(path: Path, where: str, fault: ErrorDetails) -> str:
    """The sentence for a fault: file, key, and what is allowed."""
    message = str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "must be")
    message = message.replace("String should match pattern", "must have the form")
    kind = fault["type"]
    secret = "password" in where.rsplit(".", 1)[-1] or "secret" in where or "token" in where
    if kind == "extra_forbidden":
        message = "there is no such key"
        if secret:
            message += (
                "; a secret is never in this file: put it into the environment variable that "
                "password_env names"
            )
    elif kind == "missing":
        message = "is required"
    elif (
        not secret
        and isinstance(fault["input"], (str, int, float, bool))
        and "://" not in str(fault["input"])  # an address may have a login in it
        and not where.endswith((".url", "].url", "notify.ping"))
    ):
        message += f" (it is {fault['input']!r})"
    return f"{path}: {where or 'file'}: {message}"
