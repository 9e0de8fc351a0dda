"""What a notice says of a night."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

_ENDINGS = {
    0: "went well",
    1: "could not finish",
    2: "did not begin: the configuration or the call is wrong",
    3: "finished, but some clips failed",
    75: "did not begin: another run holds the workspace",
}
_KILLED = "was ended from outside"
# systemd.exec(5), "Process Exit Codes": the codes of a service that systemd could not start
_NOT_STARTED = 200
_NOT_STARTED_STATE = "did not begin: systemd could not start it, see journalctl"

LABELS = {
    "accepted": "clips made",
    "rejected": "attachments refused",
    "duplicate": "files that were known",
    "failed": "clips that failed",
    "pending": "attachments that wait for a clip",
    "withdrawn": "clips taken back",
    "waiting_for_review": "clips that wait for a reviewer",
    "admitted": "clips admitted to the montage",
    "mails_need_answer": "mails that a person should answer",
    "mails_left": "mails left on the server",
    "inboxes_failed": "inboxes that could not be read",
    "held_back": "clips held because they may be taken back",
    "waiting_for_consent": "mails that wait for the consent of the sender",
    "montages_stale": "montages to be made again",
    "disk_free_bytes": "bytes free on the disk",
}
"""The counts of a night, by name, with the words for them, in the order in which they are shown."""


@dataclass(frozen=True)
class Night:
    """One `footage run`: its beginning, its end and its exit code, and how things are after it.

    ``counts``: those of :data:`LABELS` that are known.  ``run``: a UUID.  ``chain_head``: the
    newest event of the chain of custody.  Kept elsewhere, it shows if events are cut off later.
    """

    campaign: str
    run: str
    began: datetime
    ended: datetime
    exit_code: int
    counts: Mapping[str, int] = field(default_factory=dict)
    chain_head: str = ""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.ended - self.began).total_seconds()

    @property
    def state(self) -> str:
        """The exit code in words; two nights of one state went alike."""
        if self.exit_code >= _NOT_STARTED:
            return _NOT_STARTED_STATE
        return _ENDINGS.get(self.exit_code, _KILLED)

    @property
    def title(self) -> str:
        """One line that says how the night went."""
        return f"{self.campaign}: the night {self.state}"

    def text(self) -> str:
        """What is sent: the counts, one a line, and what to do next."""
        counts = [
            f"{words}: {self.counts[name]:,}"
            for name, words in LABELS.items()
            if self.counts.get(name) or (name in self.counts and name == "accepted")
        ]
        lines = (
            f"{self.title}.",
            "",
            f"Began: {self.began:%Y-%m-%d %H:%M} UTC",
            f"Ended: {self.ended:%Y-%m-%d %H:%M} UTC",
            f"Exit code: {self.exit_code}",
            "",
            *counts,
            *(
                [f"newest event of the chain of custody: {self.chain_head}"]
                if self.chain_head
                else []
            ),
            "",
            "For more, on the machine: footage status",
        )
        return "\n".join(lines) + "\n"
