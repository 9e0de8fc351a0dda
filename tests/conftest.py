"""Fixtures for all tests, and which modules share a worker."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from support.dovecot import Dovecot
from xdist.scheduler import LoadFileScheduling

# A busy machine is slow, so no example has a deadline; the examples are the same in every run.
hypothesis.settings.register_profile(
    "footage",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("footage")

_COSTLY = re.compile(r"^from support\.dovecot import", re.MULTILINE)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One real mail server for the whole run; each test takes an account of its own."""
    server = Dovecot()
    yield server
    server.stop()


class _Rooms(LoadFileScheduling):  # type: ignore[misc] # it comes without types
    """A module's tests stay together, and so do all modules with what is made once a run."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        text = Path(self.config.rootpath, module).read_text("utf-8")
        return "costly" if _COSTLY.search(text) else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _Rooms:
    """How tests are given to the workers, if there are several."""
    return _Rooms(config, log)
