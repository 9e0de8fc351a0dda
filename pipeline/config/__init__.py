"""``config.toml``: one module for each large table, and ``loading`` for the whole file."""

from pipeline.config.campaign import Campaign, Category
from pipeline.config.cluster import ClusterSection
from pipeline.config.inbox import INBOX_KINDS, InboxSection, OAuth2
from pipeline.config.loading import (
    Config,
    Report,
    ReviewSection,
    WorkspaceSection,
    load,
    place,
)
from pipeline.config.montage import Montage
from pipeline.config.notify import Notify, SmtpSection
from pipeline.config.output import Output
from pipeline.config.process import CaptionPosition, CaptionStyle, Process
from pipeline.config.protect import FaceMode, ProtectSection
from pipeline.config.section import Section
from pipeline.config.server import LOOPBACK

__all__ = [
    "INBOX_KINDS",
    "LOOPBACK",
    "Campaign",
    "CaptionPosition",
    "CaptionStyle",
    "Category",
    "ClusterSection",
    "Config",
    "FaceMode",
    "InboxSection",
    "Montage",
    "Notify",
    "OAuth2",
    "Output",
    "Process",
    "ProtectSection",
    "Report",
    "ReviewSection",
    "Section",
    "SmtpSection",
    "WorkspaceSection",
    "load",
    "place",
]
