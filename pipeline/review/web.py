"""``footage review``: the report on a loopback port, where decisions are written at once.

Nothing can be had through it but the page, its data, and finished clips with their stills:
a path is matched as a whole against the few that there are, never joined to a folder.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipeline import clock, publishing
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import ConfigError, StageError
from pipeline.ledger import Ledger
from pipeline.review import entries, history, live, ordering, page, ranges, report, table
from pipeline.review.door import Door
from pipeline.review.entries import Misfit
from pipeline.review.live import Outcome
from pipeline.workspace import Workspace

_MOST_BYTES = 8 << 20  # a decision on each of ten thousand clips
_CLIP = re.compile(r"/clips/([0-9a-f]{64})/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.(mp4|jpg)")
_STILL = re.compile(r"/report/thumbs/([0-9a-f]{64})\.jpg")
_TYPES = {"mp4": "video/mp4", "jpg": "image/jpeg"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
# the link's token leaves the address with this page, and the cookie goes with the next
_WELCOME = '<!doctype html><meta http-equiv="refresh" content="0;url=/report/index.html">'


class ReviewServer(ThreadingHTTPServer):
    """The server of one workspace, on 127.0.0.1."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, config: Config, by: str, announce: Callable[[str], None], port: int) -> None:
        """Take the port; nothing is answered before ``serve_forever``.

        :param announce: told each further link that opens the door once.
        :raises OSError: the port is taken.
        """
        self.talking: set[socket.socket] = set()
        self.writing = threading.Lock()  # of the order file: who reads it may write it next
        super().__init__(("127.0.0.1", port), _Handler)
        self.config, self.by, self.announce = config, by, announce
        self.workspace = Workspace(config.root)
        self.door = Door(self.server_address[1])

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, opened for one request: SQLite's connections stay in their threads."""
        with Ledger(self.workspace.ledger) as ledger:
            yield ledger

    def server_close(self) -> None:
        """Let go of the port and hang up on every browser, so that none goes on unheard."""
        super().server_close()
        for connection in tuple(self.talking):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a browser that closes a connection in the middle is no news."""


def serve(
    config: Config,
    console: Console,
    *,
    by: str,
    port: int = 0,
    opens: bool = False,
    started: Callable[[ReviewServer], None] = lambda _: None,
) -> None:
    """Serve the review until it is interrupted.

    :param by: the name that decisions carry unless the reviewer gives another.
    :param port: 0 takes a free one.
    :param opens: open the link in the browser of this machine.
    :param started: called with the server once it answers; its ``shutdown`` ends this.
    :raises UsageError: nothing was ever taken in.
    :raises StageError: the port is taken.
    """
    Workspace.existing(config.root)
    try:
        # a link must be heard also by who asked for quiet: without it nobody can enter
        server = ReviewServer(config, by, console.warn, port)
    except OSError as error:
        raise StageError(
            f"port {port} can't be had: {error.strerror}; name another with --port"
        ) from error
    with server:
        console.say("review: decisions are written at once; end it with Ctrl-C")
        console.warn(f"open {server.door.link}")
        if opens:
            webbrowser.open(server.door.link)
        threading.Thread(target=started, args=(server,), daemon=True).start()
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            console.say("review ended")


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    protocol_version = "HTTP/1.1"
    server_version = "footage"
    sys_version = ""
    timeout = 60

    def setup(self) -> None:
        """Begin to talk with a browser."""
        super().setup()
        self.server.talking.add(self.connection)

    def finish(self) -> None:
        """End it."""
        self.server.talking.discard(self.connection)
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Keep quiet: an address may hold a token."""

    def do_GET(self) -> None:
        """Page, data, clips and stills."""
        self._guarded(self._get, changes=False)

    def do_HEAD(self) -> None:
        """The same without a body."""
        self.do_GET()

    def do_POST(self) -> None:
        """Decisions."""
        self._guarded(self._post, changes=True)

    def _guarded(self, act: Callable[[str], None], *, changes: bool) -> None:
        door, address = self.server.door, urlsplit(self.path)
        headers = {name.title(): value for name, value in self.headers.items()}
        if not door.is_ours(self.headers.get_all("Host", [])):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "this is another host's request")
        elif not changes and address.path == "/":
            self._welcome(parse_qs(address.query).get("token", [""])[0])
        elif not door.is_own_page(headers, changes=changes):
            self._refuse(HTTPStatus.FORBIDDEN, "this comes from another page")
        elif not door.is_known(self.headers.get("Cookie")):
            self._refuse(HTTPStatus.FORBIDDEN, "open the link that the console shows")
        else:
            act(address.path)

    def _welcome(self, token: str) -> None:
        door = self.server.door
        # whoever only looks at a link (HEAD) does not use it up
        session = door.redeem(token) if self.command == "GET" else None
        if session is not None:
            cookie = f"{door.cookie}={session}; HttpOnly; SameSite=Strict; Path=/"
            self._answer(_WELCOME.encode(), "text/html; charset=utf-8", {"Set-Cookie": cookie})
            self.server.announce(f"for another reviewer: {door.link}")
        elif door.is_known(self.headers.get("Cookie")):
            self._answer(_WELCOME.encode(), "text/html; charset=utf-8")
        else:
            self._refuse(HTTPStatus.FORBIDDEN, "this link was used; the console shows a new one")

    def _get(self, path: str) -> None:
        if match := _CLIP.fullmatch(path):
            sha256, output, suffix = match.groups()
            self._file(self.server.workspace.clip(sha256, output, f".{suffix}"))
        elif match := _STILL.fullmatch(path):
            output = self.server.config.output[0].name
            self._file(self.server.workspace.clip(match[1], output, ".jpg"))
        elif path in {"/report/", "/report/index.html"}:
            body, policy = self._page()
            kind = "text/html; charset=utf-8"
            self._answer(body, kind, {"Content-Security-Policy": policy})
        elif path == "/report/report.json":
            self._answer(report.encode(self._report()), "application/json")
        elif path == "/report/report.csv":
            self._answer(table.render(self._report()), "text/csv; charset=utf-8")
        elif path == "/api/changes":
            self._changes()
        elif path == "/api/order":
            self._order()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _report(self) -> dict[str, Any]:
        with self.server.ledger() as ledger:
            return report.build(self.server.config, ledger, clock.now())

    def _page(self) -> tuple[bytes, str]:
        with self.server.ledger() as ledger:
            # the counter first: what is decided in between is then told twice, and not never
            counter = ledger.reviews.trail_end()
            facts = report.facts(
                self.server.config, ledger, page.Live(counter=counter, by=self.server.by)
            )
        return page.render(report.encode(self._report()), facts), page.policy(facts)

    def _changes(self) -> None:
        after = parse_qs(urlsplit(self.path).query).get("since", ["0"])[0]
        if not re.fullmatch(r"\d{1,15}", after):
            self._refuse(HTTPStatus.BAD_REQUEST, "since is no number")
            return
        with self.server.ledger() as ledger:
            events, reviews = live.changes(ledger, int(after))
            told = history.told(ledger, events)
        self._json(
            {
                "counter": events[-1].id if events else int(after),
                "changes": live.listed(reviews),
                "events": told,
            }
        )

    def _order(self, status: HTTPStatus = HTTPStatus.OK) -> None:
        with self.server.ledger() as ledger:
            rows = ledger.clips.rows()
            senders = {item.id: item.sender for item in ledger.intake.submissions()}
        self._json(ordering.as_data(self.server.config, senders, rows), status)

    def _post(self, path: str) -> None:
        if self.headers.get("Content-Type") != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "only JSON is taken")
            return
        length = self.headers.get("Content-Length") or ""
        if not re.fullmatch(r"\d{1,9}", length) or int(length) > _MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too much")
            return
        try:
            body = json.loads(self.rfile.read(int(length)))
            by = entries.words("by", body.get("by") or "") or self.server.by
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, "is no JSON object of ours")
            return
        try:
            self._act(path, body, by)
        except (Misfit, ConfigError) as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except ordering.Changed:
            self._order(HTTPStatus.CONFLICT)

    def _act(self, path: str, body: dict[str, Any], by: str) -> None:
        with self.server.ledger() as ledger:
            if path == "/api/decide":
                self._outcome(live.decide(ledger, body.get("entries"), by))
            elif path == "/api/undo":
                self._outcome(live.undo(ledger, by))
            elif path == "/api/order":
                with self.server.writing:
                    ordering.save(self.server.config, ledger.clips.rows(), body)
                self._order()
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _outcome(self, outcome: Outcome) -> None:
        in_vain = outcome.overtaken and not outcome.written
        self._json(outcome.as_data(), HTTPStatus.CONFLICT if in_vain else HTTPStatus.OK)

    def _file(self, path: Path) -> None:
        if path.is_symlink() or not path.is_file():
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        size = path.stat().st_size
        span = ranges.wanted(self.headers.get("Range"), size)
        headers = {"Accept-Ranges": "bytes", "Content-Type": _TYPES[path.suffix[1:]]}
        if span is None:
            headers["Content-Range"] = f"bytes */{size}"
            headers["Content-Length"] = "0"
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
            return
        if not span.whole:
            headers["Content-Range"] = span.content_range
        status = HTTPStatus.OK if span.whole else HTTPStatus.PARTIAL_CONTENT
        self._head(status, headers | {"Content-Length": str(span.end - span.start)})
        if self.command != "HEAD":
            for chunk in publishing.chunks(path, span.start, span.end):
                self.wfile.write(chunk)

    def _json(self, data: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(json.dumps(data).encode(), "application/json", status=status)

    def _refuse(self, status: HTTPStatus, problem: str) -> None:
        # what came with a refused request was not read, so the connection is of no use
        self.close_connection = True
        self._json({"problem": problem}, status)

    def _answer(
        self,
        body: bytes,
        kind: str,
        headers: dict[str, str] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        always = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        }
        self._head(status, always | (headers or {}))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (_HEADERS | headers).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
