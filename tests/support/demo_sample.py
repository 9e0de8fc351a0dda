"""The sample inbox of ``footage demo``, made once for all tests that want it.

Import the fixture where it is used: ``from demo_sample import demo_sample``.
"""

from __future__ import annotations

import email
import email.policy
import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from pipeline.console import Console, Verbosity
from pipeline.demo import sample
from pipeline.ffmpeg.runner import FfmpegRunner

_made: list[Path] = []


@pytest.fixture(scope="session")
def demo_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's folder, with config.toml and inbox/.  Shared: copy it to change it."""
    # a fixture that two modules import is two fixtures, each with a session of its own
    if not _made:
        folder = tmp_path_factory.mktemp("demo")
        console = Console(Verbosity.QUIET)
        sample.make(folder, FfmpegRunner("auto", console), console)
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
