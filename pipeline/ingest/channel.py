"""TLS with few system calls, for mail by the gigabyte.

``ssl.SSLSocket`` asks the kernel twice for every record of TLS, and servers make records of a
few kilobytes.  Here the kernel is asked for all that has come, and OpenSSL takes the records
from memory.
"""

from __future__ import annotations

import imaplib
import io
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import imapclient
from imapclient.tls import IMAP4_TLS

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_RAW = 1 << 18
_BUFFER = 1 << 16


class Channel:
    """A TLS connection with what imaplib and IMAPClient use of a socket."""

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext, host: str) -> None:
        """Shake hands; *host* is whom the certificate must name.

        :raises OSError: trouble on the way; ssl.SSLError: it is not the right server.
        """
        self._sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = tls.wrap_bio(self._in, self._out, server_hostname=host)
        self._raw = memoryview(bytearray(_RAW))
        self._least = 1
        self._do(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        """Send all of *data*."""
        self._do(lambda: self._tls.write(data))

    def read_into(self, buffer: memoryview) -> int:
        """Fill *buffer* with what is there, at least a byte; 0 at the end.

        What a server leaves out at the end (close_notify) is left to the layer above, which
        knows whether its answer was whole.
        """
        read: Callable[[int, memoryview], int] = self._tls.read  # type: ignore[assignment]
        size, got = len(buffer), 0
        while not got:
            try:
                while got < size:
                    more = read(size - got, buffer[got:])
                    if not more:
                        return got
                    got += more
            except ssl.SSLWantReadError:
                if not got:
                    self._flush()
                    self._feed(size)
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                return got
        return got

    def makefile(self, mode: str) -> io.BufferedReader:
        """What comes in, as a file.  *mode* is "rb"."""
        assert mode == "rb"
        return io.BufferedReader(_Incoming(self), _BUFFER)

    def recv(self, size: int) -> bytes:
        """Some bytes, at most *size*; none at the end."""
        buffer = bytearray(size)
        return bytes(buffer[: self.read_into(memoryview(buffer))])

    def settimeout(self, seconds: float | None) -> None:
        """How long to wait for the next bytes."""
        self._sock.settimeout(seconds)

    def shutdown(self, how: int) -> None:
        """End the connection below TLS, also under a thread that waits for bytes."""
        self._sock.shutdown(how)

    def close(self) -> None:
        """Let go of the connection."""
        self._sock.close()

    def _do(self, step: Callable[[], object]) -> None:
        """A step of TLS, with the bytes that it needs and makes."""
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLError:
                self._flush()  # an alert tells the server why
                raise
            else:
                self._flush()
                return

    def _flush(self) -> None:
        if self._out.pending:
            self._sock.sendall(self._out.read())

    def _feed(self, wanted: int = 1) -> None:
        """Wait for bytes.

        More than a buffer is wanted only where the server has said that it will send as much:
        then a few large pieces are waited for, not each packet.
        """
        least = min(wanted // 2, _RAW // 2) if wanted > _BUFFER else 1
        if least != self._least:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, least)
            self._least = least
        count = self._sock.recv_into(self._raw)
        if count:
            self._in.write(self._raw[:count])
        else:
            self._in.write_eof()


class TlsClient(imapclient.IMAPClient):  # type: ignore[misc]
    """An IMAPClient over a :class:`Channel`."""

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - IMAPClient's name
        return _Imap4(self.host, self.port, self.ssl_context, self._timeout.connect)


class _Imap4(IMAP4_TLS):  # type: ignore[misc]
    def _create_socket(self, timeout: float | None = None) -> Channel:
        sock = socket.create_connection((self.host, self.port), timeout or self._timeout)
        try:
            return Channel(sock, self.ssl_context, self.host)
        except BaseException:
            sock.close()
            raise


class _Incoming(io.RawIOBase):
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._channel.read_into(memoryview(buffer))
