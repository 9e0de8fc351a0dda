"""The one record that every stage is given."""

from dataclasses import dataclass

from pipeline.config import Config
from pipeline.console import Console
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.ledger import Ledger
from pipeline.store import FootageStore
from pipeline.workspace import Workspace


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
