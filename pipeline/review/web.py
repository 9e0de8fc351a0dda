"""``footage review``: the report on a loopback port, where decisions are written at once.

It gives out nothing but the page, its data, and finished clips with their stills.  The path of a
request is compared as a whole with the few that exist, and is never joined to a folder.
"""

from __future__ import annotations

import json
import re
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pipeline import clock, publishing
from pipeline.config import Config
from pipeline.console import Console
from pipeline.errors import ConfigError, StageError, named, reason_of
from pipeline.ledger import Ledger
from pipeline.review import entries, live, ordering, page, report, table
from pipeline.review.access import AccessGuard
from pipeline.review.entries import InvalidEntry
from pipeline.review.live import ActOutcome
from pipeline.review.presenting import JsonObject, reviews_data, trail_data
from pipeline.workspace import Workspace

_MOST_BYTES = 8 << 20  # enough for a decision on each of ten thousand clips
_CLIP = re.compile(r"/clips/([0-9a-f]{64})/([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.(mp4|jpg)")
_STILL = re.compile(r"/report/thumbs/([0-9a-f]{64})\.jpg")
_HTML = "text/html; charset=utf-8"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_TYPES = {"mp4": "video/mp4", "jpg": "image/jpeg"}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-DNS-Prefetch-Control": "off",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}
# This page removes the token from the address. The next request has the cookie.
_WELCOME = '<!doctype html><meta http-equiv="refresh" content="0;url=/report/index.html">'


@dataclass(frozen=True)
class ReviewOptions:
    """How a review is served.

    ``by`` is the name that decisions carry unless the reviewer gives another; port 0 takes a free
    one; ``opens`` opens the link in the browser of this machine; ``started`` is called with the
    server once it answers, and its ``shutdown`` ends the review.
    """

    by: str
    port: int = 0
    opens: bool = False
    started: Callable[[ReviewServer], None] = lambda _: None


class ReviewServer(ThreadingHTTPServer):
    """The server of one workspace, on 127.0.0.1."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, config: Config, by: str, announce: Callable[[str], None], port: int) -> None:
        """Take the port.  Requests are answered from ``serve_forever`` on.

        :param announce: called with each further link that lets one browser in.
        :raises OSError: the port is taken.
        """
        self.connections: set[socket.socket] = set()
        self.order_lock = threading.Lock()  # from reading the order file to writing it
        super().__init__(("127.0.0.1", port), _Handler)
        self.config, self.by, self.announce = config, by, announce
        self.workspace = Workspace(config.root)
        self.access = AccessGuard(self.server_address[1])

    def ledger(self) -> Ledger:
        """Open the ledger for one request: a connection of SQLite stays in its thread."""
        return Ledger(self.workspace.ledger)

    def server_close(self) -> None:
        """Release the port and close every connection, so that no browser waits for an answer."""
        super().server_close()
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: browsers often close a connection before the answer is complete."""


def serve(config: Config, console: Console, options: ReviewOptions) -> None:
    """Serve the review until it is interrupted.

    :raises UsageError: there is no workspace yet.
    :raises LedgerError: the ledger can't be opened.
    :raises StageError: the port is taken.
    """
    with Ledger(Workspace.existing(config.root).ledger):
        pass  # it can be opened
    try:
        # links are shown with --quiet too: without one nobody can open the review
        server = ReviewServer(config, options.by, console.warn, options.port)
    except OSError as error:
        raise StageError(
            f"port {options.port} can't be used: {reason_of(error)}; name another with --port"
        ) from error
    with server:
        console.say("review: decisions are written at once; end it with Ctrl-C")
        console.warn(f"open {server.access.link}")
        if options.opens:
            webbrowser.open(server.access.link)
        threading.Thread(target=options.started, args=(server,), daemon=True).start()
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
    answered = False

    def setup(self) -> None:
        """Note the connection of a browser."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget it."""
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, *_: object) -> None:
        """Log nothing: an address may contain a token."""

    def do_GET(self) -> None:
        """Give the page, its data, clips and stills."""
        self._guarded(self._get, changes=False)

    def do_HEAD(self) -> None:
        """Give the same without a body."""
        self.do_GET()

    def do_POST(self) -> None:
        """Take decisions, which mails are dealt with, and the order of the montage."""
        self._guarded(self._post, changes=True)

    def _guarded(self, act: Callable[[str], None], *, changes: bool) -> None:
        access, address = self.server.access, urlsplit(self.path)
        headers = {name.title(): value for name, value in self.headers.items()}
        if not access.is_own_host(self.headers.get_all("Host", [])):
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, "this is another host's request")
        elif not changes and address.path == "/":
            self._welcome(parse_qs(address.query).get("token", [""])[0])
        elif not access.is_own_page(headers, changes=changes):
            self._refuse(HTTPStatus.FORBIDDEN, "this comes from another page")
        elif not access.has_session(self.headers.get("Cookie")):
            self._refuse(HTTPStatus.FORBIDDEN, "open the link that the console shows")
        else:
            self._act_or_say_why_not(act, address.path)

    def _act_or_say_why_not(self, act: Callable[[str], None], path: str) -> None:
        self.answered = False
        try:
            act(path)
        except Exception as error:
            if self.answered:
                raise  # the browser went away, or has a part of the answer
            self._refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(named(error)))

    def _welcome(self, token: str) -> None:
        access = self.server.access
        # a HEAD request, which previews of links send, does not use the link up
        session = access.redeem(token) if self.command == "GET" else None
        if session is not None:
            cookie = f"{access.cookie}={session}; HttpOnly; SameSite=Strict; Path=/"
            self.server.announce(f"for another reviewer: {access.link}")
            self._answer(_WELCOME.encode(), _HTML, {"Set-Cookie": cookie})
        elif access.has_session(self.headers.get("Cookie")):
            self._answer(_WELCOME.encode(), _HTML)
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
            self._answer(body, _HTML, {"Content-Security-Policy": policy})
        elif path == "/report/report.json":
            self._answer(report.encode(self._report()), "application/json")
        elif path == "/report/report.csv":
            self._answer(table.render(self._report()), "text/csv; charset=utf-8")
        elif path == "/report/mails.csv":
            self._answer(table.render_mails(self._report()), "text/csv; charset=utf-8")
        elif path == "/api/changes":
            self._changes()
        elif path == "/api/order":
            self._order()
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _report(self) -> JsonObject:
        with self.server.ledger() as ledger:
            return report.build(self.server.config, ledger, clock.now())

    def _page(self) -> tuple[bytes, str]:
        with self.server.ledger() as ledger:
            # these are read first: a decision in between is then reported twice, not lost
            begin = page.LiveReview(
                counter=ledger.reviews.trail_end(),
                by=self.server.by,
                mails=live.mails_version(ledger),
            )
            facts = report.collect_facts(self.server.config, ledger, begin)
        return page.render(report.encode(self._report()), facts), page.make_policy(facts)

    def _changes(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        after = query.get("since", ["0"])[0]
        if not re.fullmatch(r"\d{1,15}", after):
            self._refuse(HTTPStatus.BAD_REQUEST, "since is not a number")
            return
        with self.server.ledger() as ledger:
            events = ledger.reviews.trail(int(after))
            trail = trail_data(ledger, events)
            seen = query.get("mails", [""])[0]  # which state of the mails the page has
            is_new = seen and seen != live.mails_version(ledger)
            mails = {"mails": live.mails_data(ledger)} if is_new else {}
        counter = events[-1].id if events else int(after)
        changes = reviews_data({event.sha256: event.after for event in events})
        self._json({"counter": counter, "changes": changes, "events": trail} | mails)

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
            by = entries.clean_text("by", body.get("by") or "") or self.server.by
        except (ValueError, TypeError, AttributeError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST, "is not a JSON object of this page")
            return
        try:
            self._act(path, body, by)
        except (InvalidEntry, ConfigError) as error:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))
        except ordering.OrderChanged:
            self._order(HTTPStatus.CONFLICT)

    def _act(self, path: str, body: JsonObject, by: str) -> None:
        with self.server.ledger() as ledger:
            if path == "/api/decide":
                self._outcome(live.decide(ledger, body.get("entries"), by))
            elif path == "/api/undo":
                self._outcome(live.undo(ledger, by))
            elif path == "/api/handled":
                live.mark_mail(ledger, body.get("submission"), body.get("handled"), by)
                self._json({"mails": live.mails_data(ledger)})
            elif path == "/api/order":
                with self.server.order_lock:
                    ordering.save(self.server.config, ledger.clips.rows(), body)
                self._order()
            else:
                self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")

    def _outcome(self, outcome: ActOutcome) -> None:
        is_conflict = outcome.overtaken and not outcome.written
        sides = {"changes": outcome.written, "overtaken": outcome.overtaken}
        data = {side: reviews_data(reviews) for side, reviews in sides.items()}
        self._json(data, HTTPStatus.CONFLICT if is_conflict else HTTPStatus.OK)

    def _file(self, path: Path) -> None:
        if path.is_symlink() or not path.is_file():
            self._refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        size = path.stat().st_size
        span = parse_range(self.headers.get("Range"), size)
        headers = {"Accept-Ranges": "bytes", "Content-Type": _TYPES[path.suffix[1:]]}
        if span is None:
            headers |= {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
            return
        start, end = span
        status = HTTPStatus.OK
        if span != (0, size):
            status = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._head(status, headers | {"Content-Length": str(end - start)})
        if self.command != "HEAD":
            for chunk in publishing.read_chunks(path, start, end):
                self.wfile.write(chunk)

    def _json(self, data: JsonObject, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(json.dumps(data).encode(), "application/json", status=status)

    def _refuse(self, status: HTTPStatus, problem: str) -> None:
        # the body of a refused request was not read, so the connection can't be used again
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
        self.answered = True
        self.send_response(status)
        for name, value in (_HEADERS | headers).items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Read what a Range header asks of a file of *size* bytes: the first byte, and the end.

    Several ranges at once, other units and malformed headers give the whole file, which the
    standard (RFC 9110, section 14) allows.

    :returns: the end is the byte behind the last; None if the file has no such part.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:  # the last bytes, as many as it says
        count = min(int(last), size)
        return (size - count, size) if count else None
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return 0, size
    return (start, end) if start < size else None
