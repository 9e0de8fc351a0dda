"""Fixtures for all tests, and which of them share a worker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from dovecot import Dovecot

COSTLY = {"dovecot", "demo_sample"}  # of each there is one for the whole run


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One real mail server for the whole run; each test takes an account of its own."""
    server = Dovecot()
    yield server
    server.stop()


def pytest_collection_modifyitems(items: Sequence[pytest.Function]) -> None:
    """A module's tests stay in one worker, and so do all modules that share what is costly."""
    sharing = {item.module for item in items if COSTLY & set(item.fixturenames)}
    for item in items:
        group = "costly" if item.module in sharing else item.module.__name__
        item.add_marker(pytest.mark.xdist_group(group))
