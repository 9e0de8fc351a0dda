"""A real Chromium for the tests, without access to a network.

Import the fixtures into a test module to use them there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Dialog,
    ElementHandle,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from support.waiting import HANG_S

expect.set_options(timeout=HANG_S * 1000)

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--mute-audio",
)  # fmt: skip
SIZES = {"laptop": (1280, 800), "phone": (390, 844), "narrow": (320, 640)}


@dataclass
class Watch:
    """Records what a page must not do: fail, open a dialog, or use the network."""

    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type == "error" else None,
        )
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("dialog", self._note)

    def _note(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.type)
        if dialog.type != "beforeunload":  # which the test answers itself
            dialog.dismiss()

    @property
    def abroad(self) -> list[str]:
        """Requests that left the page's own files."""
        return [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]


@dataclass
class Reader:
    """Opens pages as a reviewer does, with a size and a colour scheme."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        url: str | Path,
        *,
        size: str = "laptop",
        scheme: str = "light",
        locale: str = "en-GB",
        trusts_all: bool = False,
    ) -> tuple[Page, Watch]:
        """Open a page; *trusts_all* goes on where the browser warns of a certificate."""
        width, height = SIZES[size]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            locale=locale,
            timezone_id="UTC",
            accept_downloads=True,
            ignore_https_errors=trusts_all,
        )
        context.set_default_timeout(HANG_S * 1000)
        self.contexts.append(context)
        page, watch = context.new_page(), Watch()
        watch.attach(page)
        page.goto(url.resolve().as_uri() if isinstance(url, Path) else url)
        return page, watch

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def chromium(*, windows: bool = False) -> str:
    """The browser of the system; the tests do not download one.

    Chromium without its windows has the same engine, and takes half of the processor time.

    :param windows: only a Chromium that has them.
    """
    names = ("chromium-headless-shell", "chromium", "google-chrome")[windows:]
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "Chromium is not installed; `make system` installs what the tests need"
    return found


def violations(page: Page) -> list[str]:
    """The faults that axe-core finds in a page: the rule and the elements."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    found = page.evaluate(
        "axe.run({resultTypes: ['violations']}).then((results) => results.violations)"
    )
    return [f"{item['id']}: {[node['html'][:160] for node in item['nodes'][:3]]}" for item in found]


def until_played(page: Page, film: ElementHandle, seconds: float) -> None:
    """Wait until a film has played so long; on a busy machine it may have ended by then."""
    page.wait_for_function(
        "([film, most]) => [...Array(film.played.length).keys()]"
        ".some((at) => film.played.end(at) - film.played.start(at) > most)",
        arg=[film, seconds],
    )


def overflow(page: Page) -> int:
    """By how many pixels a page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


_playwright: list[Playwright] = []
_browsers: dict[str, Browser] = {}


def _started(program: str) -> Browser:
    if not _playwright:
        _playwright.append(sync_playwright().start())
    if program not in _browsers:
        _browsers[program] = _playwright[0].chromium.launch(
            executable_path=program, args=list(ARGUMENTS), timeout=HANG_S * 1000
        )
    return _browsers[program]


@pytest.fixture(scope="session")
def browser() -> Browser:
    """Give the one Chromium of the run; each test opens contexts of its own."""
    # a fixture that two modules import is two fixtures, each with a session of its own
    return _started(chromium())


def stop() -> None:
    """End the browsers; a later test would start others."""
    while _browsers:
        _browsers.popitem()[1].close()
    while _playwright:
        _playwright.pop().stop()


@pytest.fixture
def reader(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Reader]:
    """Open pages; tests that are marked ``windows`` do so in a Chromium that has them."""
    marked = request.node.get_closest_marker("windows")
    reader = Reader(_started(chromium(windows=True)) if marked else browser)
    yield reader
    reader.close()
