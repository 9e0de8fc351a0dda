"""What a run left for the next one, in sentences: how many clips, whose, and why."""

from collections import Counter
from collections.abc import Iterator

from pipeline import addressees
from pipeline.config import Config
from pipeline.ledger import Ledger
from pipeline.model import Wait
from pipeline.wording import amount, counted, shown_sender


def lines(config: Config, ledger: Ledger) -> Iterator[str]:
    """Say which clips the newest run that made clips left for the next one."""
    found = ledger.runs.waits()
    counts = Counter(found.values())
    if counts[Wait.NIGHT_OVER]:
        yield f"{_clips(counts[Wait.NIGHT_OVER])} for the next run: {config.process.until} has come"
    if counts[Wait.DISK]:
        free = config.workspace.min_free_gb / 2
        least = f"less than {amount(free)} GB are free, or would be with another clip"
        yield f"{_clips(counts[Wait.DISK])} for the next run: {least}"
    hours = amount(config.process.max_hours_per_sender, "hour")
    for sender, count in _by_sender(config, ledger, found):
        yield f"{_clips(count)} for the next run: {sender} has used the {hours} of a run"


def _by_sender(config: Config, ledger: Ledger, found: dict[str, Wait]) -> list[tuple[str, int]]:
    """How many clips of which sender wait because of the hours, the most first."""
    numbers = ledger.intake.sender_numbers()
    senders = Counter(
        shown_sender(mail.sender, config.report.sender, numbers.get(addressees.person(mail.sender)))
        for item, mail in ledger.clips.candidates()
        if found.get(item.sha256 or "") is Wait.SENDER_HOURS
    )
    return senders.most_common()


def _clips(count: int) -> str:
    return counted(count, "clip waits", "clips wait")
