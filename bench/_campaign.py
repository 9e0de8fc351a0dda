"""The campaign of a bench whose footage comes in through a drop folder."""

from __future__ import annotations

# the beginning of its config.toml; each bench adds its own tables
DROP = """
[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
[inbox]
url = "folder:drop"
"""
