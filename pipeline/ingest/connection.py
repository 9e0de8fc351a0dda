"""Connecting to an IMAP server: encryption, certificates and time limits."""

from __future__ import annotations

import imaplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.config import Config
from pipeline.errors import InboxError

CONNECT_S = 20.0
ANSWER_S = 60.0  # between two bytes
PATIENCE_S = 300.0  # for a whole answer, which carries at most one piece of a mail
BROKEN = (OSError, imaplib.IMAP4.abort, EOFError)
"""What a connection raises when it broke; a new connection may do better."""


@contextmanager
def deadline(imap: imaplib.IMAP4) -> Iterator[None]:
    """Cut the connection if the block takes longer than PATIENCE_S.

    The socket's own time limit is for each read: a server that sends one byte a minute would
    keep it, and could hold a run for years.
    """
    timer = threading.Timer(PATIENCE_S, _cut, (imap.socket(),))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(sock: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        # SSLSocket.shutdown would remove the TLS state under the thread that reads
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextmanager
def _closed_on_error(imap: imaplib.IMAP4) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(*BROKEN):
            imap.shutdown()
        raise


def _context(config: Config) -> ssl.SSLContext:
    ca_file = config.inbox.ca_file
    try:
        return ssl.create_default_context(cafile=config.resolve(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise InboxError(f"[inbox] ca_file can't be used: {error.strerror or error}") from error


def connect(config: Config) -> imaplib.IMAP4:
    """Connect to the server of the inbox: encrypted, unless the address names imap:// on loopback.

    :raises InboxError: there is no such server, or it can't be trusted.
    :raises OSError, imaplib.IMAP4.abort: the connection broke, which may pass.
    """
    inbox, tls = config.inbox, _context(config)
    where = f"{inbox.host}, port {inbox.port}"
    try:
        if inbox.scheme == "imaps":
            imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                inbox.host, inbox.port, ssl_context=tls, timeout=CONNECT_S
            )
        else:
            imap = imaplib.IMAP4(inbox.host, inbox.port, timeout=CONNECT_S)
            if inbox.scheme == "imap+starttls":
                with _closed_on_error(imap):
                    _encrypt(imap, tls, where)
    except ssl.SSLCertVerificationError as error:
        raise InboxError(
            f"the certificate of {where} is not trusted: {error.verify_message}. If the server "
            "has a private certificate authority, name its file in [inbox] ca_file."
        ) from None
    except ssl.SSLError as error:
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            raise
        raise InboxError(
            f"{where} does not speak TLS as imaps:// needs it; try imap+starttls://"
        ) from None
    except socket.gaierror as error:
        raise InboxError(f"there is no server named {inbox.host}: check [inbox] url") from error
    imap.socket().settimeout(ANSWER_S)
    return imap


def _encrypt(imap: imaplib.IMAP4, tls: ssl.SSLContext, where: str) -> None:
    refused = InboxError(f"{where} offers no STARTTLS; try imaps://")
    if "STARTTLS" not in imap.capabilities:
        raise refused
    try:
        with deadline(imap):
            imap.starttls(tls)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise refused from None
