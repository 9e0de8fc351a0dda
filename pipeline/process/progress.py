"""How far ``process`` has come, in words: clips, frames, rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """What is done: clips of *total*, and frames of output."""

    total: int
    clips: int = 0
    frames: int = 0

    def after(self, frames: int) -> Progress:
        """One clip more, of *frames*."""
        return Progress(self.total, self.clips + 1, self.frames + frames)

    def line(self, seconds: float) -> str:
        """As in ``12 of 40 clips, 3,600 frames, 41 frames/s``."""
        rate = self.frames / seconds if seconds > 0 else 0.0
        return f"{self.clips} of {self.total} clips, {self.frames:,} frames, {rate:.0f} frames/s"
