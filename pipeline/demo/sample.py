"""The sample inbox: fifteen mails to an invented campaign, and what must become of them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline import publishing
from pipeline.console import Console
from pipeline.demo import footage, mails
from pipeline.errors import UsageError
from pipeline.ffmpeg.runner import FfmpegRunner
from pipeline.model import Kind, Reason, Status

PLANTED = footage.PLANTED

_MARK = "# Made by `footage demo`."
_CONFIG = f"""\
{_MARK}  Change what you like, and run `footage --config THIS_FILE run` again.

[campaign]
name = "River Week 2026"
hashtags = ["#RiverWeek"]
handle = "@riverweek"

[[campaign.category]]
name = "photo-action"
match = "subject"
pattern = "(?i)photo action"
hashtags = ["#HoldASign"]

[[campaign.category]]
name = "photo"
match = "kind"
pattern = "image"
hashtags = ["#RiverInPictures"]

[inbox]
url = "eml:inbox"

[workspace]
path = "work"

[review]
required = false

[[output]]
name = "landscape"
"""


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


def make(folder: Path, runner: FfmpegRunner, console: Console) -> Path:
    """Write ``config.toml`` and ``inbox/`` into *folder* and return the path of the former.

    What an earlier call has written whole is left as it is, changes to the config included.

    :raises UsageError: there is a ``config.toml`` that is not a sample's, or *folder* is a file.
    :raises StageError: FFmpeg could not make the footage.
    """
    config, inbox = folder / "config.toml", folder / "inbox"
    ours = config.is_file() and config.read_text("utf-8", "replace").startswith(_MARK)
    if config.exists() and not ours:
        raise UsageError(
            f"{config} is there already and is not a sample's; nothing was changed. "
            "Name another folder: footage demo DIR"
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder. Name another: footage demo DIR")
    if ours and all((inbox / mail.file).is_file() for mail in mails.MAILS):
        console.say(f"The sample inbox is in {inbox} already.")
        return config
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in _mails(folder.resolve(), runner, console).items():
        with publishing.publishing(inbox / name, mode=0o644) as file:
            file.write(data)
    if not ours:
        # the last, so that a sample with a config is a whole one
        publishing.write_text(config, _CONFIG, mode=0o644)
    console.say(f"Made {len(mails.MAILS)} mails in {inbox}.")
    return config


def _mails(folder: Path, runner: FfmpegRunner, console: Console) -> dict[str, bytes]:
    # a fixed name, so that what a killed run has left is gone after the next
    shop = folder / f".footage{publishing.PART}"
    shutil.rmtree(shop, ignore_errors=True)
    shop.mkdir()
    try:
        with console.task("making footage", len(footage.FILMS) + 1, "files") as task:
            made = footage.films(shop, runner, task.advance)
            made |= footage.stills(shop, runner)
            task.advance()
    finally:
        shutil.rmtree(shop, ignore_errors=True)
    return mails.build(made)
