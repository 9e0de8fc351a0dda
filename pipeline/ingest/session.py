"""The only module that talks to an IMAP server: a signed-in connection to one mailbox.

IMAPClient's classes open the connection and its parser reads the answers.  The commands are sent
by the documented methods of imaplib, and not by the class IMAPClient, for two reasons: it formats
each answer for a log, also when nothing is logged, which alone takes most of the processor time
that mbsync takes for the whole mailbox; and it gives no access to a literal8 (RFC 9051, section
4.3), in which Cyrus sends each mail that contains a NUL, nor to the lines before a refusal.
"""

import imaplib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property

from imapclient import imap_utf7
from imapclient.response_parser import parse_fetch_response, parse_message_list

from pipeline.config import InboxSection
from pipeline.errors import InboxError
from pipeline.ingest.connection import BROKEN, ServerBusy, check_busy, connect
from pipeline.ingest.signin import Credentials

Line = bytes | tuple[bytes, bytes]
"""A line of an answer, or the start of a line and the literal that follows it."""

Items = dict[bytes, object]
"""What an answer to FETCH says about one mail, by the names of RFC 9051, section 7.5.2."""

_WINDOW = 50_000  # messages a search: imaplib refuses a line of more than a million bytes
_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[!-~]{1,500}>)\s*$", re.IGNORECASE)
_CODE = re.compile(r"\[([A-Z-]+)\]")


class CommandRefused(imaplib.IMAP4.error):
    """The server answered NO or BAD; the connection is good.  ``lines`` came before that."""

    def __init__(self, lines: list[Line]) -> None:
        super().__init__("the server refused the command")
        self.lines = lines


class Session:
    """A signed-in connection with one open mailbox."""

    def __init__(self, inbox: InboxSection, credentials: Credentials, *, read_only: bool) -> None:
        """Connect, sign in, open the mailbox.

        :raises InboxError: the server, the name or the password is wrong, so that another try
            would fail too.
        :raises OSError, imaplib.IMAP4.abort: the connection broke, which may pass.
        """
        self._inbox = inbox
        self._read_only = read_only
        self._connection = connect(inbox)
        self._imap = self._connection.imap
        try:
            self._sign_in(credentials)
            self.uidvalidity, self.exists = self._open()
        except InboxError:
            self.close()
            raise
        except BaseException:
            self.drop()
            raise

    def _ask(
        self, command: Callable[..., tuple[str, Sequence[Line | None]]], *args: str
    ) -> list[Line]:
        """Send a command and wait for its answer, at most PATIENCE_S.

        :raises CommandRefused: the server answered NO or BAD.
        :raises InboxError: the server is busy, or opened the mailbox read-only.
        """
        try:
            with self._connection.deadline():
                kind, data = command(*args)
        except imaplib.IMAP4.readonly:
            raise InboxError(
                f"{self._inbox.host} opens {self._inbox.folder!r} read-only for "
                f"{self._inbox.user}, so no mail can be moved: get the right to change it, or "
                "remove [inbox] processed_folder"
            ) from None
        except imaplib.IMAP4.error as error:  # BAD, or BYE in the middle
            check_busy(self._inbox.host, str(error))
            if isinstance(error, imaplib.IMAP4.abort):
                raise
            kind, data = "BAD", []
        lines = [line for line in data if line is not None]
        if kind != "OK":
            check_busy(self._inbox.host, repr(lines))
            raise CommandRefused(self._taken("FETCH")) from None
        return lines

    def _taken(self, name: str) -> list[Line]:
        """The lines of one kind that came and that nobody has read."""
        _name, lines = self._imap.response(name)
        return [line for line in lines or () if line is not None]

    # -- sign-in --------------------------------------------------------------------------

    def _sign_in(self, credentials: Credentials) -> None:
        """Sign in; a token that is refused may have been revoked early, so it is renewed once."""
        for fresh in (False, True):
            secret = credentials.secret(fresh=fresh)
            try:
                self._authenticate(credentials.mechanism, secret)
            except imaplib.IMAP4.abort:
                raise  # the connection broke: nothing was refused
            except imaplib.IMAP4.error as error:
                if fresh or not credentials.renewable:
                    raise self._refused(str(error)) from None
            else:
                return

    def _authenticate(self, mechanism: str, secret: str) -> None:
        user = self._inbox.user
        with self._connection.deadline():
            if mechanism == "XOAUTH2":
                answer = f"user={user}\1auth=Bearer {secret}\1\1"
                self._imap.authenticate("XOAUTH2", lambda _: answer.encode())
            elif mechanism == "OAUTHBEARER":  # RFC 7628, section 3.1
                name = user.replace("=", "=3D").replace(",", "=2C")
                answer = f"n,a={name},\1auth=Bearer {secret}\1\1"
                self._imap.authenticate("OAUTHBEARER", lambda _: answer.encode())
            elif "AUTH=PLAIN" in self._imap.capabilities:
                # PLAIN carries UTF-8, which LOGIN does not (RFC 4616, section 2)
                self._imap.authenticate("PLAIN", lambda _: f"\0{user}\0{secret}".encode())
            else:
                try:
                    self._imap.login(user, secret)
                except UnicodeEncodeError:
                    raise InboxError(
                        f"{self._inbox.host} accepts only passwords of ASCII letters; "
                        "give the mailbox another password"
                    ) from None

    def _refused(self, answer: str) -> InboxError:
        """Say why the sign-in failed, without the server's words: they may repeat a secret."""
        check_busy(self._inbox.host, answer)
        found = _CODE.search(answer)
        code = found.group(1) if found else ""
        where = f"{self._inbox.host} did not let {self._inbox.user} in"
        hint = "the token that [inbox] oauth2 gets, its scope, and that IMAP is switched on"
        if self._inbox.oauth2 is None:
            hint = (
                "the name in [inbox] url (an @ is written %40), the password, and whether the "
                "provider wants an app password or oauth2"
            )
        return InboxError(f"{where}{f' ({code})' if code else ''}: check {hint}")

    # -- the mailbox ----------------------------------------------------------------------

    def _open(self) -> tuple[int, int]:
        """Open the mailbox; gives its UIDVALIDITY and the number of its mails."""
        try:
            exists = self._select(self._inbox.folder, read_only=self._read_only)
        except CommandRefused:
            raise InboxError(
                f"{self._inbox.host} has no mailbox named {self._inbox.folder!r} that "
                f"{self._inbox.user} may open: check the end of [inbox] url"
            ) from None
        _name, validity = self._imap.response("UIDVALIDITY")
        return int(validity[-1] or 0), exists

    def _select(self, folder: str, *, read_only: bool) -> int:
        lines = self._ask(lambda: self._imap.select(_mailbox(folder), read_only))
        return int(lines[-1]) if lines and isinstance(lines[-1], bytes) else 0

    def reopen(self) -> None:
        """Read again whether the mailbox is the same and how many mails it has."""
        self.uidvalidity, self.exists = self._open()

    def search(self, uids: str, *keys: str) -> list[int]:
        """The UIDs of a set ("5:9,12:*") that are in the mailbox, in order.

        :param keys: what else they must be, as in RFC 9051, section 6.4.4.
        """
        found: set[int] = set()
        for first in range(1, self.exists + 1, _WINDOW):
            last = str(first + _WINDOW - 1) if first + _WINDOW <= self.exists else "*"
            found.update(self._found(f"{first}:{last}", "UID", uids, *keys))
        return sorted(found)

    def _found(self, *criteria: str) -> list[int]:
        lines = self._ask(self._imap.uid, "SEARCH", *criteria)
        try:
            return [uid for line in lines for uid in parse_message_list([line])]
        except (ValueError, TypeError) as error:
            raise imaplib.IMAP4.error("an answer to SEARCH that can't be read") from error

    def envelopes(self, uids: Iterable[int]) -> dict[int, tuple[int, datetime | None]]:
        """Size and INTERNALDATE of mails.  No text that a sender wrote is requested.

        A mail that the server does not give is missing; the others are kept, also if the server
        refuses the rest (RFC 2180, section 4.1.2).
        """
        known: dict[int, tuple[int, datetime | None]] = {}
        for uid, items in self._fetch_all(uids, "(UID RFC822.SIZE INTERNALDATE)"):
            size, date = items.get(b"RFC822.SIZE"), items.get(b"INTERNALDATE")
            known[uid] = (size if isinstance(size, int) else 0, _utc(date))
        return known

    def piece(self, uid: int, offset: int, size: int) -> bytes | None:
        """Read *size* bytes of a mail (RFC 9051, 6.4.5, BODY.PEEK[]<offset.length>).

        :returns: fewer bytes than *size* at the mail's end; None if the server gives NIL or
            nothing.
        :raises CommandRefused: the server answered NO or BAD.
        """
        items = f"(BODY.PEEK[]<{offset}.{size}>)"
        data = body_of(self._ask(self._imap.uid, "FETCH", str(uid), items), uid)
        if data is not None and len(data) > size:
            raise imaplib.IMAP4.error("the server sent more than was requested")
        return data

    def _fetch_all(self, uids: Iterable[int], items: str) -> Iterator[tuple[int, Items]]:
        """What the server gives about mails, whether or not it gives something about each."""
        numbers = set(uids)
        try:
            lines = self._ask(self._imap.uid, "FETCH", uid_set(numbers), items)
        except CommandRefused as refusal:
            lines = refusal.lines
        for uid, found in parsed(lines).items():
            if uid in numbers and len(found) > 1:
                yield uid, found

    # -- moving ---------------------------------------------------------------------------

    @cached_property
    def _capabilities(self) -> frozenset[bytes]:
        lines = self._ask(self._imap.capability)
        return frozenset(
            word for line in lines if isinstance(line, bytes) for word in line.upper().split()
        )

    @property
    def moves(self) -> bool:
        """Whether the server has MOVE, which is done as a whole or not at all."""
        return b"MOVE" in self._capabilities

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Move mails (RFC 6851), or copy, mark and expunge only these (RFC 4315).

        Without either extension the mails stay, marked as deleted, and the mailbox's owner
        expunges them.

        :raises InboxError: the server refuses it, for example because the mailbox is full.
        """
        numbers = uid_set(uids)
        try:
            if self.moves:
                self._ask(self._imap.uid, "MOVE", numbers, _mailbox(folder))
                return
            self._copy(numbers, folder)
        except (CommandRefused, ServerBusy) as error:
            why = f" ({error})" if isinstance(error, ServerBusy) else ""
            raise InboxError(
                f"{self._inbox.host} did not move mails to [inbox] processed_folder{why}. They "
                "are taken in, and stay where they are until a later run moves them."
            ) from None
        self._discard(numbers)

    def discard(self, uids: Iterable[int]) -> None:
        """Delete mails that were copied."""
        self._discard(uid_set(uids))

    def _copy(self, numbers: str, folder: str) -> None:
        self._ask(self._imap.uid, "COPY", numbers, _mailbox(folder))

    def _discard(self, numbers: str) -> None:
        self._mark_deleted(numbers)
        if b"UIDPLUS" in self._capabilities:
            self._ask(self._imap.uid, "EXPUNGE", numbers)

    def _mark_deleted(self, numbers: str) -> None:
        self._ask(self._imap.uid, "STORE", numbers, "+FLAGS.SILENT", r"(\Deleted)")

    def copied(self, uids: Iterable[int], folder: str) -> set[int]:
        """The mails that are in *folder* too: with equal Message-ID, size and INTERNALDATE.

        A mail without a Message-ID is left out: two copies are better than none.
        """
        known = self.envelopes(uids)
        names = self._message_ids(known)
        if not names or not self._has_folder(folder):
            return set()
        found: set[int] = set()
        self._select(folder, read_only=True)
        for uid, name in names.items():
            there = self._found("HEADER", "Message-ID", _quoted(name))
            if there and known[uid] in self.envelopes(there).values():
                found.add(uid)
        self.reopen()
        return found

    def _message_ids(self, uids: Iterable[int]) -> dict[int, str]:
        names = {}
        for uid, found in self._fetch_all(uids, "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"):
            for value in found.values():
                name = _MESSAGE_ID.match(value.strip()) if isinstance(value, bytes) else None
                if name:
                    names[uid] = name[1].decode("ascii")
        return names

    def provide(self, folder: str) -> None:
        """Create a mailbox if it does not exist."""
        try:
            if not self._has_folder(folder):
                self._ask(self._imap.create, _mailbox(folder))
        except CommandRefused:
            raise InboxError(
                f"{self._inbox.host} has no mailbox for [inbox] processed_folder and does not "
                "create one"
            ) from None

    def _has_folder(self, folder: str) -> bool:
        return bool(self._ask(self._imap.list, '""', _mailbox(folder)))

    def close(self) -> None:
        """Sign out; it does not matter whether the server still answers."""
        try:
            with self._connection.deadline():
                self._imap.logout()
        except (*BROKEN, imaplib.IMAP4.error):
            self.drop()
        self._connection.end_watch()

    def drop(self) -> None:
        """Close the connection without signing out."""
        self._connection.close()


def parsed(lines: Iterable[Line]) -> dict[int, Items]:
    """Read an answer to FETCH, by UID.

    :raises imaplib.IMAP4.error: it can't be read.
    """
    known = [
        (re.sub(rb"~(\{\d+\})$", rb"\1", line[0]), line[1]) if isinstance(line, tuple) else line
        for line in lines
    ]
    try:
        found: dict[int, Items] = parse_fetch_response(known, normalise_times=False)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise imaplib.IMAP4.error("an answer to FETCH that can't be read") from error
    return found


def body_of(lines: Iterable[Line], uid: int) -> bytes | None:
    """The bytes of a mail in an answer to FETCH, None if it holds NIL or none.

    A server may send lines about other mails in between; they are skipped.
    """
    for name, value in parsed(lines).get(uid, {}).items():
        if name.startswith(b"BODY[]"):
            return value if isinstance(value, bytes) else None
    return None


def uid_set(uids: Iterable[int]) -> str:
    """UIDs as a sequence set, runs written as ranges (RFC 9051, section 9)."""
    runs: list[list[int]] = []
    for uid in sorted(uids):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


def _mailbox(name: str) -> str:
    """A mailbox's name as commands carry it (RFC 3501, section 5.1.3)."""
    return _quoted(imap_utf7.encode(name).decode("ascii"))


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def _utc(date: object) -> datetime | None:
    try:
        return date.astimezone(UTC) if isinstance(date, datetime) else None
    except OverflowError:  # in the year 1 or 9999
        return None
