"""The door of ``footage review`` in a real browser: who gets in, and who does not.

A hostile page is served on another port of the same host, as another user of this machine could
do.  For a browser that is the same *site*, so cookies would go to it, and it is another *origin*.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser import ARGUMENTS, Reader, browser, chromium, reader, violations
from support.ledger_scene import LedgerScene, sha
from support.ports import ReservedPort
from support.review_server import campaign, config, enter, server, serving, until
from test_review_command import command, link

from pipeline.config import Config
from pipeline.review.web import ReviewServer

__all__ = ["browser", "campaign", "config", "reader", "server"]  # fixtures

PAGE = "/report/index.html"


def approve(page: Page, name: str) -> None:
    page.locator(f'.card[data-sha256="{sha(name)}"] button.approved').click()


# -- another port of the same host --------------------------------------------------------------

ATTEMPTS = (Path(__file__).parent / "support" / "hostile_page.js").read_text("utf-8")
CLIP = {"still": f"/report/thumbs/{sha('one')}.jpg", "film": f"/clips/{sha('one')}/landscape.mp4"}


@dataclass
class Stranger:
    """A page on another port, and the headers with which it was asked for."""

    address: str
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.asked.append({name.title(): value for name, value in self.headers.items()})
            body = b"<!doctype html><title>Stranger</title><link rel=icon href=data:,>Hello"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        seen = Stranger(f"http://127.0.0.1:{listener.server_address[1]}")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield seen
        listener.shutdown()
        thread.join()


def test_a_page_on_another_port_gets_nothing(
    reader: Reader, server: ReviewServer, campaign: LedgerScene, stranger: Stranger
) -> None:
    base = f"http://127.0.0.1:{server.access.site.port}"
    page, _ = enter(reader, server)  # this browser has a session, and keeps it open
    secrets = json.loads(page.evaluate("localStorage['footage-review']")).values()
    hostile = page.context.new_page()
    statuses: set[int] = set()
    hostile.on("response", lambda it: statuses.add(it.status) if it.url.startswith(base) else None)
    hostile.goto(stranger.address)
    decision = json.dumps({"entries": [{"entry": {"sha256": sha("one"), "decision": "approved"}}]})
    with hostile.expect_popup() as popup:
        got = hostile.evaluate(ATTEMPTS, {"base": base, "decision": decision, **CLIP})
    assert len(got) > 25
    assert {name: text for name, text in got.items() if text} == {}
    assert 403 in statuses
    assert statuses <= {403, 501}, "it was refused, not only kept from being read"
    assert "River" not in popup.value.locator("body").inner_text()
    assert campaign.ledger.reviews.current() == {}
    # and the browser tells it nothing where a person goes from the review to it
    page.goto(stranger.address)
    assert all(not {"Cookie", "Referer"} & set(headers) for headers in stranger.asked)
    assert not any(secret in str(stranger.asked) for secret in secrets)
    # the session is still there and works
    page.goto(f"{base}{PAGE}")
    approve(page, "one")
    until(page, lambda: len(campaign.ledger.reviews.current()) == 1)


def test_the_attempts_succeed_where_there_is_no_door(reader: Reader, stranger: Stranger) -> None:
    """Or the test above would prove nothing: its own origin is open to the hostile page."""
    page, _ = reader.open(stranger.address)
    page.evaluate("document.cookie = 'a=1'; localStorage.a = '1'")
    got = page.evaluate(ATTEMPTS, {"base": stranger.address, "decision": "", **CLIP})
    succeeded = {name.split(" ")[0] for name, text in got.items() if text}
    assert {"cookie", "storage", "fetch", "blind", "frame", "decide", "form", "window"} <= succeeded


# -- the browser of a reviewer ---------------------------------------------------------------------


def test_reloads_and_further_tabs_stay_in(reader: Reader, server: ReviewServer) -> None:
    page, watch = enter(reader, server)
    assert page.url == f"http://127.0.0.1:{server.access.site.port}{PAGE}"
    page.reload()
    page.wait_for_selector(".card")
    second = page.context.new_page()
    for path in (PAGE, "/", "/report/"):
        second.goto(f"http://127.0.0.1:{server.access.site.port}{path}")
        second.wait_for_selector(".card")
    assert page.context.cookies() == []
    assert watch.errors == []


def test_a_used_link_says_what_to_do(reader: Reader, server: ReviewServer) -> None:
    used = server.access.link
    first, _ = enter(reader, server)
    page, _ = reader.open(used)
    for address in (used, f"http://127.0.0.1:{server.access.site.port}/report/index.html"):
        page.goto(address)
        expect(page.get_by_role("heading")).to_have_text("The review is not open here")
        expect(page.locator("main")).to_contain_text("it shows a new link")
        assert "{" not in page.locator("body").inner_text()
        assert violations(page) == []
    first.goto(used)  # who is in already stays in
    first.wait_for_selector(".card")


def test_secrets_of_a_review_that_ended_open_nothing(
    reader: Reader, config: Config, campaign: LedgerScene
) -> None:
    with ReservedPort() as port:
        with serving(config, port=port.number) as server:
            page, _ = enter(reader, server)
            page.goto("about:blank")
        with serving(config, port=port.number) as server:
            page.goto(f"http://127.0.0.1:{port.number}{PAGE}")
            expect(page.get_by_role("heading")).to_have_text("The review is not open here")
            page.goto(server.access.link)
            page.wait_for_selector(".card")


def test_two_reviewers_in_one_browser_keep_their_names(
    reader: Reader, config: Config, campaign: LedgerScene
) -> None:
    with serving(config, "Ana", "Ben") as server:
        links = server.access.links
        ana, _ = reader.open(links["Ana"])
        ana.wait_for_selector(".card")
        ben = ana.context.new_page()
        ben.goto(links["Ben"])
        ben.wait_for_selector(".card")
        ana.reload()
        for page, name, clip in ((ana, "Ana", "one"), (ben, "Ben", "two")):
            field = page.get_by_label("Your name")
            expect(field).to_have_value(name)
            assert not field.is_editable()
            approve(page, clip)
        until(ben, lambda: len(campaign.ledger.reviews.current()) == 2)
        by = {it.by for it in campaign.ledger.reviews.current().values()}
    assert by == {"Ana", "Ben"}


# -- other users of the machine --------------------------------------------------------------------

BROWSER = """#!/bin/sh
# a browser that notes which file it was given, and with which permissions
path=${1#file://}
stat --format '%a %n' "$path" "$(dirname "$path")" > DIR/given.part
cp "$path" DIR/seen
mv DIR/given.part DIR/given
exec CHROMIUM --headless ARGUMENTS --user-data-dir=DIR/profile "$1"
"""


@contextmanager
def watched_processes() -> Iterator[set[bytes]]:
    """All that any user can read of the processes of this machine, while the block runs."""
    seen: set[bytes] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    with suppress(OSError):
                        seen.add(Path(entry.path, "cmdline").read_bytes())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def test_another_user_finds_no_link(
    config: Config, campaign: LedgerScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = BROWSER.replace("DIR", str(tmp_path)).replace("ARGUMENTS", " ".join(ARGUMENTS))
    program = tmp_path / "browser"
    program.write_text(script.replace("CHROMIUM", chromium()))
    program.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(program))
    with watched_processes() as seen, command(tmp_path, "--open") as process:
        token = link(process).partition("=")[2]
        assert process.stderr is not None
        try:
            line = next(line for line in process.stderr if line.startswith("for another reviewer"))
            # the browser followed the file to the link, so the link was used, and the file is gone
            given = (tmp_path / "given").read_text().splitlines()
            redirect = Path(given[0].partition(" ")[2])
            assert not redirect.exists()
            process.send_signal(signal.SIGINT)
            process.wait()
        finally:
            end_browsers(tmp_path)
    assert [row.partition(" ")[0] for row in given] == ["600", "700"]
    assert redirect.is_relative_to(config.root)
    assert token in (tmp_path / "seen").read_text()
    assert list(config.root.rglob("*.part")) == []
    shown = b"\n".join(seen)
    assert redirect.as_uri().encode() in shown, "the processes were not looked at"
    for secret in (token, line.partition("=")[2].strip()):
        assert secret.encode() not in shown


def end_browsers(folder: Path) -> None:
    """End the processes of the browser that was started with a profile in *folder*."""
    profile = f"--user-data-dir={folder}/profile".encode()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and profile in (entry / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)
