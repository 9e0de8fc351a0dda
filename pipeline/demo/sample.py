"""The sample inbox: fifteen mails to an invented campaign, and its ``config.toml``."""

from pathlib import Path

from pipeline import publishing
from pipeline.console import Console
from pipeline.demo import mails
from pipeline.errors import UsageError

_MARK = "# Made by `footage demo`."


def make(folder: Path, console: Console) -> Path:
    """Write ``config.toml`` and ``inbox/`` into *folder*; return the path of ``config.toml``.

    A complete sample from an earlier call stays as it is, also where its config was changed.

    :raises UsageError: there is a ``config.toml`` that is not a sample's, or *folder* is a file.
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
    for name, data in mails.build().items():
        with publishing.new_file(inbox / name, mode=0o644) as file:
            file.write(data)
    if not ours:
        # written last: a folder with a config holds a complete sample
        text = (mails.FILES / "config.toml").read_text("utf-8")
        publishing.write_text(config, text, mode=0o644)
    console.say(f"Made {len(mails.MAILS)} mails in {inbox}.")
    return config
