"""A clock of the ledger on which no day begins while a module is tested.

The ledger names its heads and backups after the day.  Import the fixture into a module whose tests
look for these files, so that it does not matter when midnight is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest

from pipeline import clock


@pytest.fixture(scope="module", autouse=True)
def one_day() -> Iterator[None]:
    """Let the ledger's clock begin at the last noon, and go on from there."""
    now = datetime.now(UTC)
    noon = datetime.combine(now, time(12), UTC)
    behind = now - noon if noon <= now else now - noon + timedelta(days=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: clock.stamp(datetime.now(UTC) - behind))
        yield
