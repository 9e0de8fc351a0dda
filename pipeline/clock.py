"""Times in the form of the ledger and the report: RFC 3339 in UTC, to the second."""

from datetime import UTC, datetime


def now() -> str:
    """The current time."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """A moment in RFC 3339; a moment without a time zone counts as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
