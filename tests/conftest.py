"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dovecot import Dovecot


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One real mail server for the whole run; each test takes an account of its own."""
    server = Dovecot()
    yield server
    server.stop()
