"""The review server, in this process, and clients that speak with it."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from pipeline.commands.review import name_reviewers
from pipeline.config import Config
from pipeline.model import Review
from pipeline.review import presenting
from pipeline.review.listening import Listening
from pipeline.review.web import ReviewServer
from support.browser import Reader, Watch
from support.ledger_scene import SMALL, LedgerScene, attachment, opened, result, settings, sha
from support.waiting import HANG_S


@contextmanager
def serving(
    config: Config,
    *names: str,
    announce: Callable[[str], None] = lambda _: None,
    port: int = 0,
    listening: Listening | None = None,
) -> Iterator[ReviewServer]:
    """A review that runs until the block ends.

    :param names: of those who get a link each, as for --by; without them "ada" decides by default.
    """
    server = ReviewServer(
        config,
        replace(name_reviewers(names), default="ada"),
        announce,
        listening or Listening(port=port),
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Client:
    """A program that speaks HTTP, without the rules of a browser."""

    def __init__(self, server: ReviewServer, name: str = "", *, enters: bool = True) -> None:
        self.server = server
        self.port = server.access.site.port
        self.secrets: dict[str, str | None] = {}
        if enters:
            status, body = self.enter(server.access.links[name])
            assert status == 200
            self.secrets = {"Footage-Session": body["session"], "Footage-Write": body["write"]}

    def enter(self, link: str) -> tuple[int, dict[str, str]]:
        """Exchange the token of a link for secrets, as the page does."""
        status, _, body = self.ask("POST", "/api/enter", {"token": link.partition("=")[2]})
        return status, json.loads(body)

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        site = self.server.access.site
        authority = f"{site.hosts[0]}:{self.port}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        if site.scheme == "https":
            trusting = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=HANG_S, context=trusting
            )
        sent: dict[str, str | None] = {"Host": authority, **self.secrets}
        data = body
        if body is not None:
            sent["Content-Type"] = "application/json"
            sent["Origin"] = f"{site.scheme}://{authority}"
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def enter(reader: Reader, server: ReviewServer, name: str = "", **how: Any) -> tuple[Page, Watch]:
    """A reviewer's browser, through the link."""
    page, watch = reader.open(server.access.link, **how)
    page.wait_for_selector(".card")
    if name:
        page.get_by_label("Your name").fill(name)
    return page, watch


def until(page: Page, fits: Callable[[], bool]) -> None:
    """Wait for something outside the page; the page goes on meanwhile."""
    hung = time.monotonic() + HANG_S
    while not fits():
        assert time.monotonic() < hung, "what was waited for did not happen"
        page.evaluate("new Promise(requestAnimationFrame)")


NAMES = ("one", "two", "three")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return settings(tmp_path)


@pytest.fixture
def campaign(config: Config) -> Iterator[LedgerScene]:
    with opened(config.root) as campaign:
        for hue, name in enumerate(NAMES):
            campaign.mail(attachment(name), subject=f"About {name}")
            campaign.clip(result(name, source=SMALL), plays=True, hue=hue * 90)
        yield campaign


@pytest.fixture
def server(config: Config, campaign: LedgerScene) -> Iterator[ReviewServer]:
    with serving(config) as server:
        yield server


@pytest.fixture
def client(server: ReviewServer) -> Client:
    return Client(server)


def entry(name: str, decision: str = "approved", **changes: Any) -> dict[str, Any]:
    seen = presenting.review_data(Review())
    wanted = {"entry": {"sha256": sha(name), "decision": decision, **changes}, "seen": seen}
    return {"entries": [wanted], "by": "bob"}
