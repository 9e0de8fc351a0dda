"""Connecting to an IMAP server: encryption, certificates, time limits, and busy servers."""

import imaplib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

from pipeline.config import InboxSection
from pipeline.errors import InboxError

CONNECT_S = 20.0
ANSWER_S = 60.0  # between two bytes
PATIENCE_S = 300.0  # for a whole answer, which carries at most one piece of a mail
BROKEN = (OSError, imaplib.IMAP4.abort, EOFError)
"""What a connection raises when it broke; a new connection may do better."""

# What servers answer when the account, and not the command, is the reason: the codes of RFC 5530,
# of Gmail and of Yahoo, the words of servers that give no code, and what they mean.
_BUSY = {
    "OVERQUOTA": ("quota", "the account is over a limit of its storage or bandwidth"),
    "THROTTLED": ("throttl|bandwidth", "it slows this account down"),
    "LIMIT": (
        "too many|too fast|rate limit|maximum number|limit.{0,20} exceeded|exceeded.{0,20} limit",
        "it counts too many connections or requests",
    ),
    "INUSE": ("is in use", "another program uses the mailbox"),
    "UNAVAILABLE": (
        "unavailable|try (again )?later|temporar|overload|busy|not connected",
        "a part of it is out of order",
    ),
}


class ServerBusy(InboxError):
    """The server limits the account for now: another connection or command makes it worse."""


def check_busy(host: str, answer: str) -> None:
    """Look whether a refusal is about the account and passes.

    :param answer: the server's words; they are not repeated, because they may hold a secret.
    :raises ServerBusy: it is.
    """
    given = re.search(rf"\[({'|'.join(_BUSY)})\b", answer, re.IGNORECASE)
    for code, (words, cause) in _BUSY.items():
        if code == given[1].upper() if given else re.search(words, answer, re.IGNORECASE):
            raise ServerBusy(
                f"{host} is busy: {cause}{f' ({code})' if given else ''}. This passes by itself. "
                "What came before is safe, the rest is left; run again later."
            )


class ImapConnection:
    """A connection on which no question takes longer than PATIENCE_S."""

    def __init__(self, imap: imaplib.IMAP4) -> None:
        """Watch over the questions in another thread, until :meth:`close`."""
        self.imap = imap
        self._until: float | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    @contextmanager
    def deadline(self) -> Iterator[None]:
        """Cut the connection if the block takes longer than PATIENCE_S.

        The socket's own time limit is for each read: a server that sends one byte a minute would
        keep it, and could hold a run for years.
        """
        self._until = time.monotonic() + PATIENCE_S
        try:
            yield
        finally:
            self._until = None

    def end_watch(self) -> None:
        """Stop watching."""
        self._closed.set()

    def close(self) -> None:
        """Close the connection without signing out."""
        self.end_watch()
        with suppress(*BROKEN, imaplib.IMAP4.error):
            self.imap.shutdown()

    def _watch(self) -> None:
        # a question that begins during a pause can't be overdue at its end
        pause = PATIENCE_S
        while not self._closed.wait(pause):
            until, pause = self._until, PATIENCE_S
            if until is not None:
                pause = until - time.monotonic()
                if pause <= 0:
                    with suppress(OSError):  # it is closed already
                        # SSLSocket.shutdown would remove the TLS state under the thread that reads
                        socket.socket.shutdown(self.imap.socket(), socket.SHUT_RDWR)
                    return


def _context(inbox: InboxSection) -> ssl.SSLContext:
    ca_file = inbox.ca_file
    try:
        return ssl.create_default_context(cafile=inbox.resolve(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise InboxError(f"[inbox] ca_file can't be used: {error.strerror or error}") from error


def connect(inbox: InboxSection) -> ImapConnection:
    """Connect to the server of an inbox: encrypted, unless the address names imap:// on loopback.

    :raises InboxError: there is no such server, or it can't be trusted.
    :raises OSError, imaplib.IMAP4.abort: the connection broke, which may pass.
    """
    tls = _context(inbox)
    where = f"{inbox.host}, port {inbox.port}"
    try:
        if inbox.scheme == "imaps":
            return _watched(IMAP4_TLS(inbox.host, inbox.port, tls, CONNECT_S))
        connection = _watched(IMAP4WithTimeout(inbox.host, inbox.port, CONNECT_S))
        if inbox.scheme == "imap+starttls":
            try:
                _encrypt(connection, tls, where)
            except BaseException:
                connection.close()
                raise
    except ssl.SSLCertVerificationError as error:
        raise InboxError(
            f"the certificate of {where} is not trusted: {error.verify_message}. If the server "
            "has a private certificate authority, name its file in [inbox] ca_file."
        ) from None
    except ssl.SSLError as error:
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            raise
        raise InboxError(
            f"{where} does not speak TLS as imaps:// needs it; try imap+starttls://. If it did "
            "so before, it may refuse connections for now: run again later."
        ) from None
    except socket.gaierror as error:
        raise InboxError(f"there is no server named {inbox.host}: check [inbox] url") from error
    except imaplib.IMAP4.error as error:  # the greeting was BYE, or none that IMAP knows
        check_busy(inbox.host, str(error))
        raise imaplib.IMAP4.abort("the server ended the connection") from None
    return connection


def _watched(imap: imaplib.IMAP4) -> ImapConnection:
    imap.socket().settimeout(ANSWER_S)
    return ImapConnection(imap)


def _encrypt(connection: ImapConnection, tls: ssl.SSLContext, where: str) -> None:
    refused = InboxError(f"{where} offers no STARTTLS; try imaps://")
    if "STARTTLS" not in connection.imap.capabilities:
        raise refused
    try:
        with connection.deadline():
            connection.imap.starttls(tls)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        check_busy(where, str(error))
        raise refused from None
