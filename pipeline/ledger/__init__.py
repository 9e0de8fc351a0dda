"""The ledger: what came in, what became of it, what was decided.  The one door for SQL.

A part for each who writes in it (``intake``, ``clips`` on ``reviews``, ``custody`` on ``runs``);
all share one connection and one schema (``schema.sql``).
"""

from __future__ import annotations

from pipeline.ledger.clips import Clips
from pipeline.ledger.custody import Custody
from pipeline.ledger.intake import Intake


class Ledger(Intake, Clips, Custody):
    """A connection to a workspace's ledger; use it as a context manager."""
