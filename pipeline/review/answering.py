"""How the review server answers: JSON, pages, and parts of files, always with the same headers."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from pipeline.errors import FileMissing
from pipeline.review import entrance
from pipeline.review.presenting import JsonObject
from pipeline.store import FootageFile, FootageStore

HTML = "text/html; charset=utf-8"
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


class AnsweringHandler(BaseHTTPRequestHandler):
    """A connection of a browser, and the forms in which it is answered."""

    protocol_version = "HTTP/1.1"
    server_version = "footage"
    sys_version = ""
    timeout = 60
    answered = False

    def log_message(self, *_: object) -> None:
        """Log nothing: an address may contain a token or a key."""

    def answer(
        self, body: bytes, kind: str, policy: str = "", status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        """Send a whole body.

        :param policy: the content policy of a page; nothing else may load anything.
        """
        always = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy or "default-src 'none'; frame-ancestors 'none'",
        }
        self.head(status, always)
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_json(self, data: JsonObject, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Send JSON."""
        self.answer(json.dumps(data).encode(), "application/json", status=status)

    def refuse(self, status: HTTPStatus, problem: str) -> None:
        """Say why not: to a person as a page, to a script as JSON."""
        # the body of a refused request was not read, so the connection can't be used again
        self.close_connection = True
        if "text/html" in (self.headers.get("Accept") or ""):
            page, policy = entrance.refusal(problem)
            self.answer(page, HTML, policy, status)
        else:
            self.answer_json({"problem": problem}, status)

    def answer_file(self, store: FootageStore, file: FootageFile) -> None:
        """Send a film or a picture, or the part of it that is asked for."""
        try:
            size = store.size(file)
        except FileMissing:
            self.refuse(HTTPStatus.NOT_FOUND, "there is nothing here")
            return
        span = parse_range(self.headers.get("Range"), size)
        headers = {"Accept-Ranges": "bytes", "Content-Type": _TYPES[file.path.rpartition(".")[2]]}
        if span is None:
            headers |= {"Content-Range": f"bytes */{size}", "Content-Length": "0"}
            self.head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers)
            return
        start, end = span
        status = HTTPStatus.OK
        if span != (0, size):
            status = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self.head(status, headers | {"Content-Length": str(end - start)})
        if self.command != "HEAD":
            for chunk in store.pieces(file, start, end):
                self.wfile.write(chunk)

    def head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        """Send the status and the headers."""
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
