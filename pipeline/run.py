"""The one record that every stage is given."""

from dataclasses import dataclass

from pipeline.config import Config
from pipeline.console import Console
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Run:
    """The configuration, and the objects for all side effects: SQL, files, programs, messages."""

    config: Config
    ledger: Ledger
    workspace: Workspace
    ffmpeg: FfmpegRunner
    console: Console
