"""The sample inbox of ``footage demo``, made once for all tests that want it.

Import the fixture where it is used: ``from support.demo_sample import demo_sample``.
"""

from __future__ import annotations

import email
import email.policy
import io
import zipfile
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.console import Console, Verbosity
from pipeline.demo import sample
from pipeline.model import Kind, Reason, Status

# The place in the files: in the open ocean, farther from land than any other.
LATITUDE, LONGITUDE = "48.8767", "123.3933"
# What a sender wrote by hand is in the middle of the South Pacific.
PLANTED: tuple[str, ...] = (LATITUDE, LONGITUDE, "31.4159", "89.7932")

_made: list[Path] = []


@pytest.fixture(scope="session")
def demo_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's folder, with config.toml and inbox/.  Shared: copy it to change it."""
    # a fixture that two modules import is two fixtures, each with a session of its own
    if not _made:
        folder = tmp_path_factory.mktemp("demo")
        sample.make(folder, Console(Verbosity.QUIET))
        _made.append(folder)
    return _made[0]


def read(path: Path) -> EmailMessage:
    """A mail of the sample."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def attachments(folder: Path) -> list[tuple[str, str, bytes]]:
    """Mail, name as sent and bytes of every attachment, members behind their archive."""
    found = []
    for path in sorted((folder / "inbox").iterdir()):
        for part in read(path).walk():
            name = part.get_filename()
            if name is None:
                continue
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found.append((path.name, name, data))
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    found += [(path.name, one, archive.read(one)) for one in archive.namelist()]
    return found


@dataclass(frozen=True)
class Expected:
    """What must become of one attachment.

    ``mail`` is the file in the inbox, ``filename`` the name that the report shows, ``reason``
    why it is no clip, ``parent`` the shown name of the archive that it came in.
    """

    mail: str
    filename: str
    kind: Kind
    status: Status
    reason: Reason | None = None
    parent: str | None = None


def expected() -> tuple[Expected, ...]:
    """A row for each attachment, in the order in which they are received.

    A forwarded mail has no row of its own; what was attached to it has.
    """
    video, image = Kind.VIDEO, Kind.IMAGE
    accepted, duplicate, rejected = Status.ACCEPTED, Status.DUPLICATE, Status.REJECTED
    return (
        Expected("01-morning.eml", "VID_20260901_0612.mp4", video, accepted),
        Expected("02-photo-action.eml", "logo.png", image, rejected, Reason.DECORATION),
        Expected("02-photo-action.eml", "IMG_2231.JPG", image, accepted),
        Expected("02-photo-action.eml", "from above.png", image, accepted),
        Expected("02-photo-action.eml", "IMG_2240.HEIC", image, accepted),
        Expected("03-balloon.eml", "IMG_0142.MOV", video, accepted),
        Expected("04-lanterns.eml", "🏮 lantern night 🌙.mp4", video, accepted),
        Expected("05-below.eml", "تحت الماء.webm", video, accepted),
        Expected("06-forwarded.eml", "umbrellas.mp4", video, accepted),
        Expected("07-mill.eml", "mill [location removed].mov", video, accepted),
        Expected("08-parade.eml", "parade.mp4", video, accepted),
        Expected("08-parade.eml", "parade (1).mp4", video, duplicate),
        Expected("09-morning-again.eml", "sunrise.mp4", video, duplicate),
        Expected("10-clean-up.eml", "clean-up.zip", Kind.ARCHIVE, accepted),
        Expected("10-clean-up.eml", "volunteers.jpg", image, accepted, parent="clean-up.zip"),
        Expected("10-clean-up.eml", "paper boats.jpg", image, accepted, parent="clean-up.zip"),
        Expected("11-bridge.eml", "bridge.jpg", image, accepted),
        Expected("12-markup.eml", "clip.mp4", Kind.OTHER, rejected, Reason.UNSAFE),
        Expected("12-markup.eml", "photo.jpg", Kind.OTHER, rejected, Reason.NOT_MEDIA),
        Expected("13-cut-off.eml", "night train.mp4", video, rejected, Reason.TRUNCATED_TRANSFER),
        Expected("14-damaged.eml", "MVI_0007.mp4", video, rejected, Reason.CORRUPT),
    )
