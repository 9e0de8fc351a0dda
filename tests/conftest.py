"""Fixtures for all tests, and which modules share a worker."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from support import browser, warm_taking
from support.dovecot import Dovecot
from support.object_store import ObjectServer, serve
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

# What these modules share is made once in a worker: a mail server, and the processed sample.
_COSTLY = re.compile(r"^from (support\.dovecot|test_whole_way) import", re.MULTILINE)


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    """One real mail server for the whole run; each test takes an account of its own."""
    server = Dovecot()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectServer]:
    """One object store for the whole run; each test takes a prefix of its own."""
    with pytest.MonkeyPatch.context() as patch:
        yield from serve(patch)


@pytest.fixture(scope="session", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    warm_taking.stop()
    browser.stop()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage, and never look at what was collected again.

    The tests and their modules are a million objects that stay to the end. Looking through them
    again and again cost each worker two seconds while it collected, and more while it tested.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


class _OneWorkerAModule(LoadFileScheduling):  # type: ignore[misc] # it comes without types
    """The tests of a module run in one worker, and all modules that share what is costly in one."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        text = Path(self.config.rootpath, module).read_text("utf-8")
        return "costly" if _COSTLY.search(text) else module


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: a test often waits for a disk or for a program."""
    return (os.cpu_count() or 1) + 2


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _OneWorkerAModule:
    """Distribute the tests to the workers."""
    return _OneWorkerAModule(config, log)
