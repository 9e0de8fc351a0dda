"""A web server and a mail server that note what comes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class WebListener(ThreadingHTTPServer):
    """Answers each request with one status, and keeps path and body."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.came: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: WebListener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.path, body.decode()))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the name of the base
        """Print nothing."""


@contextmanager
def web_listener(status: int = 200) -> Iterator[WebListener]:
    with WebListener(status) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class MailListener:
    """Keeps each mail with its envelope.  Refuses recipients that begin with "nobody"."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    @property
    def mails(self) -> list[Message]:
        return [message_from_bytes(envelope.original_content or b"") for envelope in self.envelopes]

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd calls
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.envelopes.append(envelope)
        return "250 OK"


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
) -> AuthResult:
    return AuthResult(success=data.password == b"right", handled=False)


@contextmanager
def mail_listener(listener: MailListener | None = None) -> Iterator[tuple[MailListener, int]]:
    """A mail server on loopback, and its port; the password of every user is "right"."""
    listener, loop = listener or MailListener(), asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            listener,
            authenticator=_authenticate,
            auth_require_tls=False,
            auth_exclude_mechanism=["CRAM-MD5"],
            loop=loop,
        )

    # the loop runs in the thread only: the main thread may hold the loop of a browser
    stopped = asyncio.Event()

    async def until_stopped() -> None:
        await loop.create_server(protocol, sock=door)
        await stopped.wait()
        for task in asyncio.all_tasks(loop) - {asyncio.current_task()}:
            task.cancel()
        await loop.shutdown_asyncgens()

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=loop.run_until_complete, args=(until_stopped(),))
        thread.start()
        try:
            yield listener, door.getsockname()[1]
        finally:
            loop.call_soon_threadsafe(stopped.set)
            thread.join()
            loop.close()
