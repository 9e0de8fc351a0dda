"""The one record that every stage is given."""

from dataclasses import dataclass
from typing import Protocol

from pipeline.config import Config
from pipeline.console import Console
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.store import FootageStore
from pipeline.workspace import Workspace


class Tools(Protocol):
    """What one clip is made with: all of a run except the ledger, which no worker has."""

    @property
    def config(self) -> Config:
        """The configuration."""

    @property
    def workspace(self) -> Workspace:
        """Where files are read and published."""

    @property
    def ffmpeg(self) -> FfmpegRunner:
        """What starts programs."""

    @property
    def console(self) -> Console:
        """What takes messages and events."""

    @property
    def store(self) -> FootageStore:
        """Where the original comes from and the clip goes to."""


@dataclass(frozen=True)
class Run:
    """The configuration, and the objects for all side effects: SQL, files, programs, messages.

    ``store`` is where originals, clips and films are kept; everything else is in ``workspace``.
    """

    config: Config
    ledger: Ledger
    workspace: Workspace
    ffmpeg: FfmpegRunner
    console: Console
    store: FootageStore
