"""``config.toml``: a module a table, and ``loading`` for the whole."""

from __future__ import annotations

from pipeline.config.campaign import Campaign, Category
from pipeline.config.inbox import FOLDER_SCHEMES, IMAP_SCHEMES, LOOPBACK, Inbox, OAuth2
from pipeline.config.loading import Config, load
from pipeline.config.montage import Montage, Style
from pipeline.config.output import Output
from pipeline.config.process import CaptionPosition, CaptionStyle, Process
from pipeline.config.review import Report, ReviewSection
from pipeline.config.section import Section
from pipeline.config.workspace import WorkspaceSection

__all__ = [
    "FOLDER_SCHEMES",
    "IMAP_SCHEMES",
    "LOOPBACK",
    "Campaign",
    "CaptionPosition",
    "CaptionStyle",
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
