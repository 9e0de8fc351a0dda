"""An IMAP server on loopback that answers as a script says, for what no real server does on demand.

It has one mailbox and knows the commands that ingest sends.  ``signins``, ``bodies`` and ``moved``
say what happened.
"""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Say = Callable[[bytes], object]
_PIECE = re.compile(r"BODY\.PEEK\[\]<(\d+)\.(\d+)>")


@dataclass
class Script:
    """A mailbox and its faults.

    ``answers``: what a command is refused with, by its name ("LOGIN", "UID MOVE"), or by "ALL"
    and "BODY" with a UID for a FETCH of anything or of bytes.  ``nil``, ``empty``, ``silent``: UIDs
    whose bytes come as NIL, as an empty text, or of which FETCH says nothing at all.  ``piece``:
    the most bytes that are given at once.  ``sizes``: wrong RFC822.SIZE.
    """

    mails: dict[int, bytes]
    answers: dict[str, str] = field(default_factory=dict)
    greeting: str = "OK ready"
    nil: set[int] = field(default_factory=set)
    empty: set[int] = field(default_factory=set)
    silent: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    sizes: dict[int, int] = field(default_factory=dict)
    piece: int = 1 << 30
    opens_as: str = "READ-WRITE"
    signins: int = 0
    bodies: int = 0
    moved: list[int] = field(default_factory=list)

    def mend(self) -> None:
        """From now on the server answers well."""
        self.answers, self.greeting, self.opens_as = {}, "OK ready", "READ-WRITE"
        self.nil, self.empty, self.silent, self.sizes = set(), set(), set(), {}

    def reply(self, command: str, say: Say) -> str:
        """Say the untagged lines of the answer to *command*; gives the tagged one."""
        words = command.split(" ")
        name = " ".join(words[: 2 if words[0] == "UID" else 1])
        self.signins += name in ("LOGIN", "AUTHENTICATE")
        if name in self.answers:
            return self.answers[name]
        if name == "CAPABILITY":
            say(b"* CAPABILITY IMAP4rev1 UIDPLUS MOVE\r\n")
        elif name == "LIST":
            say(b'* LIST () "/" "Done"\r\n')
        elif name in ("SELECT", "EXAMINE"):
            say(b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n" % len(self.mails))
            return f"OK [{self.opens_as if name == 'SELECT' else 'READ-ONLY'}] opened"
        elif name == "UID SEARCH":
            found = self._uids(words[words.index("UID", 1) + 1])
            if "UNDELETED" in words:
                found = [uid for uid in found if uid not in self.deleted]
            say(f"* SEARCH {' '.join(map(str, found))}\r\n".encode())
        elif name == "UID FETCH":
            return self._fetch(self._uids(words[2]), command, say)
        elif name == "UID MOVE":
            for uid in self._uids(words[2]):
                self.moved.append(uid)
                del self.mails[uid]
        return "OK done"

    def _uids(self, text: str) -> list[int]:
        highest = max(self.mails, default=0)
        found: set[int] = set()
        for item in text.split(","):
            ends = [highest if end == "*" else int(end) for end in item.split(":")]
            found |= {uid for uid in self.mails if min(ends) <= uid <= max(ends)}
        return sorted(found)

    def _fetch(self, uids: list[int], command: str, say: Say) -> str:
        piece = _PIECE.search(command)
        self.bodies += piece is not None
        ending = "OK done"
        for uid in uids:
            refusal = self.answers.get(f"ALL {uid}") or self.answers.get(
                f"BODY {uid}" * bool(piece)
            )
            if refusal:
                ending = refusal
            elif uid not in self.silent:
                items = (
                    self._piece(uid, int(piece[1]), int(piece[2])) if piece else self._facts(uid)
                )
                say(
                    b"* %d FETCH (UID %d " % (list(self.mails).index(uid) + 1, uid)
                    + items
                    + b")\r\n"
                )
        return ending

    def _facts(self, uid: int) -> bytes:
        size = self.sizes.get(uid, len(self.mails[uid]))
        return b'RFC822.SIZE %d INTERNALDATE "01-Sep-2026 06:00:00 +0000"' % size

    def _piece(self, uid: int, offset: int, size: int) -> bytes:
        if uid in self.nil:
            return b"BODY[]<%d> NIL" % offset
        data = b"" if uid in self.empty else self.mails[uid][offset:][: min(size, self.piece)]
        return b"BODY[]<%d> {%d}\r\n" % (offset, len(data)) + data


@contextmanager
def scripted(script: Script) -> Iterator[int]:
    """Serve a script; gives the port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(f"* {script.greeting}\r\n".encode())
            while not script.greeting.startswith("BYE") and (line := self.rfile.readline()):
                tag, _, command = line.decode().strip().partition(" ")
                self.wfile.write(f"{tag} {script.reply(command, self.wfile.write)}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
