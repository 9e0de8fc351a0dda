"""What a dry run of ingest says of the mails that it found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ComingFile:
    """An attachment of a mail that a dry run found; ``size`` in bytes."""

    filename: str
    kind: str
    size: int


@dataclass(frozen=True)
class Coming:
    """A mail (by its UID) or file (by its name) that a dry run found.

    ``size`` in bytes; ``received_at`` empty if not known.  ``inbox``: the name of its inbox.
    ``sender`` as the report shows it.
    """

    uid: str
    received_at: str
    size: int
    inbox: str = ""
    sender: str = ""
    subject: str = ""
    attachments: tuple[ComingFile, ...] = ()


def line(mail: Coming) -> str:
    """What a dry run says of a mail."""
    files = ", ".join(f"{item.filename} ({item.size:,} bytes)" for item in mail.attachments)
    sender = f" from {mail.sender}" if mail.sender else ""
    subject = f' "{mail.subject}"' if mail.subject else ""
    return (
        f"would take in {mail.uid}: {mail.size} bytes, received {mail.received_at}{sender}"
        f"{subject}: {files or 'no attachment'}"
    )
