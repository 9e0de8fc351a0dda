"""A port for a server that starts later, or never."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self


class ReservedPort:
    """A port that the system gives to nobody else until :meth:`release`.

    It is bound but nobody listens on it, so a server can take it with SO_REUSEADDR, and until then
    a client is refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("", 0))
        self.number = int(self._socket.getsockname()[1])

    def release(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
