"""A TCP proxy that disturbs a connection as networks do: cut, reset, stall, trickle, lose."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from support.waiting import HANG_S


class How(Enum):
    """What happens when the trouble begins."""

    CUT = auto()  # both ends are closed
    RESET = auto()  # the client gets a RST
    STALL = auto()  # nothing comes any more, and nothing ends
    TRICKLE = auto()  # a few bytes a second, without an end
    LOSE = auto()  # what the client asked is done, but the answer never comes


@dataclass(frozen=True)
class Trouble:
    """Begins after so many bytes from the server, or when the client says a word."""

    how: How
    after: int | None = None
    at: bytes | None = None


class Proxy:
    """Connection number n meets ``troubles[n]``; those after the last meet none."""

    def __init__(self, port: int, troubles: list[Trouble | None]) -> None:
        self._target = port
        self._troubles = iter(troubles)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.begun = threading.Event()  # some trouble
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                self.connections += 1
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open.append(server)
                trouble = next(self._troubles, None)
                state = _State(client, server, trouble, self.begun)
                self._start(state.upward)
                self._start(state.downward)

    def close(self) -> None:
        _shut(self._listener)
        self._threads[0].join(HANG_S)  # from here on no connection is added
        for end in self._open:
            _shut(end)
        for thread in self._threads:
            thread.join(HANG_S)


class _State:
    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        trouble: Trouble | None,
        told: threading.Event,
    ) -> None:
        self._client, self._server, self._trouble = client, server, trouble
        self._begun, self._told = threading.Event(), told
        self._passed = 0
        self._gone = threading.Event()

    def upward(self) -> None:
        """From the client to the server."""
        with contextlib.suppress(OSError):
            while data := self._client.recv(65536):
                trouble = self._trouble
                if trouble and trouble.at and trouble.at in data:
                    self._begin()
                    if trouble.how is How.LOSE:
                        self._server.sendall(data)
                        continue
                    self._happen(trouble.how)
                if self._begun.is_set() and trouble and trouble.how is How.STALL:
                    continue
                self._server.sendall(data)
        self._gone.set()
        _shut(self._server)

    def downward(self) -> None:
        """From the server to the client."""
        with contextlib.suppress(OSError):
            while data := self._server.recv(65536):
                trouble = self._trouble
                if trouble and trouble.after is not None:
                    left = trouble.after - self._passed
                    self._passed += len(data)
                    if left < len(data):
                        self._client.sendall(data[: max(0, left)])
                        self._begin()
                        self._happen(trouble.how)
                        if trouble.how is How.TRICKLE:
                            self._trickle(data[max(0, left) :])
                        continue
                if self._begun.is_set() and trouble:
                    if trouble.how is How.TRICKLE:
                        self._trickle(data)
                    if trouble.how is How.LOSE and b" OK" in data:
                        self._happen(How.CUT)  # it is done now, and nobody hears of it
                    continue
                self._client.sendall(data)
        if not (self._trouble and self._trouble.how is How.STALL):
            _shut(self._client)

    def _begin(self) -> None:
        self._begun.set()
        self._told.set()

    def _trickle(self, data: bytes) -> None:
        for byte in data:
            self._client.sendall(bytes([byte]))
            self._gone.wait(0.05)

    def _happen(self, how: How) -> None:
        if how in (How.STALL, How.TRICKLE):
            return
        if how is How.RESET:
            linger = struct.pack("ii", 1, 0)
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._client.shutdown(socket.SHUT_RD)  # wakes the other thread, or close() waits for it
            self._client.close()
        else:
            _shut(self._client)
        _shut(self._server)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextlib.contextmanager
def troubled(port: int, *troubles: Trouble | None) -> Iterator[Proxy]:
    """A proxy before a server on loopback."""
    proxy = Proxy(port, list(troubles))
    try:
        yield proxy
    finally:
        proxy.close()
