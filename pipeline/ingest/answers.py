"""Answers of an IMAP server: how long one may take, and where the bytes of a mail land.

imaplib gives each literal as new bytes, and waits for ever.  Both are put right here, below
its reader of answers, so that what it knows of servers' ways stays of use.
"""

from __future__ import annotations

import imaplib
import io
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pipeline.ingest.channel import Channel


class Patience:
    """Cuts a connection where one answer takes too long.

    The socket's own time limit is for each byte: a server, or a network, that gives one a
    minute could hold a run for years.  A thread looks when the oldest question could be
    overdue, and not at each question.
    """

    def __init__(self, imap: imaplib.IMAP4, longest_s: float) -> None:
        """Watch over all commands of a connection until :meth:`end`."""
        self._imap, self._longest_s = imap, longest_s
        self._until: float | None = None
        self._over = threading.Event()
        self._wait: Callable[..., Any] = imap._command_complete
        imap._command_complete = self._bounded  # type: ignore[attr-defined]
        threading.Thread(target=self._watch, name="patience", daemon=True).start()

    def end(self) -> None:
        """Nothing is waited for any more."""
        self._over.set()

    def _bounded(self, *args: Any) -> Any:
        self._until = time.monotonic() + self._longest_s
        try:
            return self._wait(*args)
        finally:
            self._until = None

    def _watch(self) -> None:
        # a question that is asked while this sleeps is overdue only after it has woken
        pause = self._longest_s
        while not self._over.wait(pause):
            until, pause = self._until, self._longest_s
            if until is not None:
                pause = until - time.monotonic()
                if pause <= 0:
                    with suppress(OSError):  # it has ended by itself
                        _cut(self._imap.sock)
                    return


class Landing:
    """Reads literals to where they are to stay, as long as there is room."""

    def __init__(self, imap: imaplib.IMAP4) -> None:
        """Stand in for imaplib's reader of literals."""
        self._imap = imap
        self._read: Callable[[int], bytes] = imap.read
        # from 3.14 on imaplib has a buffer of its own, which must not be passed by
        self._direct = not hasattr(imap, "_readbuf")
        self._room: memoryview | None = None
        self._first: memoryview | None = None  # what landed at the start of the room
        imap.read = self._landing  # type: ignore[assignment, method-assign]

    def fetch(self, ask: Callable[[], bytes | memoryview | None], room: memoryview) -> int | None:
        """Ask for bytes that are to stand at the start of *room*.

        :returns: how many came, None if there are none.
        :raises imaplib.IMAP4.error: more than were asked for.
        """
        self._room, self._first = room, None
        try:
            data = ask()
        finally:
            self._room = None
        if data is None:
            return None
        if len(data) > len(room):
            raise imaplib.IMAP4.error("the server gave more than was asked for")
        if data is not self._first:  # the answer held another literal before it, or none
            room[: len(data)] = data
        return len(data)

    def _landing(self, size: int) -> bytes | memoryview:
        room = self._room
        if room is None or size > len(room) or not self._direct:
            return self._read(size)
        self._room, place = room[size:], room[:size]
        file: io.BufferedReader = self._imap.file  # type: ignore[assignment]
        found = place[: file.readinto(place)]
        self._first = found if self._first is None else self._first
        return found


def _cut(sock: socket.socket | Channel) -> None:
    if isinstance(sock, Channel):
        sock.shutdown(socket.SHUT_RDWR)
    else:  # not SSLSocket's own, which takes the TLS away from under the thread that reads
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
