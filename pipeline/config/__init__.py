"""``config.toml``: one module for each table, and ``loading`` for the whole file."""

from __future__ import annotations

from pipeline.config.campaign import Campaign, Category
from pipeline.config.inbox import INBOX_KINDS, LOOPBACK, InboxKind, InboxSection, OAuth2
from pipeline.config.loading import Config, load
from pipeline.config.montage import Montage, Style
from pipeline.config.output import Output
from pipeline.config.process import CaptionPosition, CaptionStyle, Process
from pipeline.config.review import Report, ReviewSection
from pipeline.config.section import Section
from pipeline.config.workspace import WorkspaceSection

__all__ = [
    "INBOX_KINDS",
    "LOOPBACK",
    "Campaign",
    "CaptionPosition",
    "CaptionStyle",
    "Category",
    "Config",
    "InboxKind",
    "InboxSection",
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
