"""The one door to an IMAP server: a signed-in connection to one mailbox.

IMAPClient speaks; the bytes of mails are taken from imaplib below it, because its reader
mistakes a literal8 for text (Cyrus sends one for any mail with a NUL).
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import imapclient
from imapclient.exceptions import IMAPClientError, LoginError

from pipeline.config import Config
from pipeline.config import Inbox as InboxConfig
from pipeline.errors import InboxError
from pipeline.ingest.answers import Landing, Patience
from pipeline.ingest.channel import TlsClient
from pipeline.ingest.signin import Credentials

CONNECT_S = 20.0
ANSWER_S = 60.0  # between two bytes
PATIENCE_S = 300.0  # for a whole answer: none is longer than a piece of a mail
BROKEN = (OSError, imaplib.IMAP4.abort, EOFError)
"""A connection that ends in one of these is worth a second try; IMAP4.abort is the package's."""

_WINDOW = 50_000  # messages a search: imaplib takes no line over a million bytes
_ITEM_UID = re.compile(rb"\bUID (\d+)")
_ITEM_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ITEM_DATE = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_ITEM_BODY = re.compile(rb"\bBODY\[\](?:<\d+>)? (NIL\b|\"((?:[^\"\\]|\\.)*)\")")
_ITEM_ID = re.compile(rb"^message-id:\s*(<[!-~]{1,500}>)\s*$", re.IGNORECASE)
_CODE = re.compile(r"\[([A-Z-]+)\]")


class Session:
    """A mailbox that is open, on a connection that is signed in."""

    def __init__(self, config: Config, credentials: Credentials, *, read_only: bool) -> None:
        """Connect, sign in, open.

        :raises InboxError: the server, the name or the password is not right: no use trying
            again.
        :raises OSError, imaplib.IMAP4.abort: trouble on the way, which may pass.
        """
        self._inbox = config.inbox
        self._read_only = read_only
        tls = _context(config)
        self._client, self._patience = _connected(self._inbox, tls)
        self._landing = Landing(self._client._imap)
        try:
            self._sign_in(credentials)
            self.uidvalidity, self.exists = self._open()
        except BaseException:
            self.drop()
            raise

    # -- sign-in --------------------------------------------------------------------------

    def _sign_in(self, credentials: Credentials) -> None:
        try:
            self._authenticate(credentials, fresh=False)
        except LoginError as error:
            if not credentials.renewable:
                raise self._refused(error) from None
            try:  # the token may have been called back before its time
                self._authenticate(credentials, fresh=True)
            except LoginError as again:
                raise self._refused(again) from None

    def _authenticate(self, credentials: Credentials, *, fresh: bool) -> None:
        try:
            self._say_who(credentials, fresh=fresh)
        except LoginError as error:
            if isinstance(error.__context__, imaplib.IMAP4.abort):
                raise error.__context__ from None  # not refused: cut off
            raise

    def _say_who(self, credentials: Credentials, *, fresh: bool) -> None:
        secret = credentials.secret(fresh=fresh)
        user = self._inbox.user
        if credentials.mechanism == "XOAUTH2":
            self._client.oauth2_login(user, secret)
        elif credentials.mechanism == "OAUTHBEARER":
            self._client.oauthbearer_login(user, secret)
        elif self._client.has_capability("AUTH=PLAIN"):
            self._client.plain_login(user, secret)  # in UTF-8, which LOGIN can't send
        else:
            try:
                self._client.login(user, secret)
            except UnicodeEncodeError:
                raise InboxError(
                    f"{self._inbox.host} takes no password with other than ASCII letters; "
                    "give the mailbox another password"
                ) from None

    def _refused(self, error: LoginError) -> InboxError:
        """The server's own words are left out: nobody knows what it repeats in them."""
        found = _CODE.search(str(error))
        code = found.group(1) if found else ""
        where = f"{self._inbox.host} did not let {self._inbox.user} in"
        if code in ("UNAVAILABLE", "INUSE", "LIMIT"):
            return InboxError(f"{where}: its sign-in is out of order ({code}). Run again later.")
        hint = "the token that [inbox] oauth2 gets, its scope, and that IMAP is switched on"
        if self._inbox.oauth2 is None:
            hint = (
                "the name in [inbox] url (an @ is written %40), the password, and whether the "
                "provider wants an app password or oauth2"
            )
        return InboxError(f"{where}{f' ({code})' if code else ''}: check {hint}")

    # -- the mailbox ----------------------------------------------------------------------

    def _open(self) -> tuple[int, int]:
        try:
            answer = self._client.select_folder(self._inbox.folder, readonly=self._read_only)
        except IMAPClientError as error:
            _pass_on_abort(error)
            raise InboxError(
                f"{self._inbox.host} has no mailbox named {self._inbox.folder!r} that "
                f"{self._inbox.user} may open: check the end of [inbox] url"
            ) from None
        return int(answer.get(b"UIDVALIDITY", 0)), int(answer.get(b"EXISTS", 0))

    def reopen(self) -> None:
        """Look again at the mailbox: is it the same, how many mails are in it?"""
        self.uidvalidity, self.exists = self._open()

    def search(self, uids: str) -> list[int]:
        """Which UIDs of a set ("5:9,12:*") are there, in order."""
        found: set[int] = set()
        for first in range(1, self.exists + 1, _WINDOW):
            last = str(first + _WINDOW - 1) if first + _WINDOW <= self.exists else "*"
            answer = self._client.search([f"{first}:{last}", "UID", uids])
            found.update(int(uid) for uid in answer)
        return sorted(found)

    def envelopes(self, uids: Iterable[int]) -> dict[int, tuple[int, datetime | None]]:
        """Size and INTERNALDATE of mails.  Nothing that a sender wrote is asked for."""
        known: dict[int, tuple[int, datetime | None]] = {}
        for line in self._fetch(uid_set(uids), "(UID RFC822.SIZE INTERNALDATE)"):
            text = line if isinstance(line, bytes) else line[0]
            uid, size, date = (
                pattern.search(text) for pattern in (_ITEM_UID, _ITEM_SIZE, _ITEM_DATE)
            )
            if uid:
                moment = _date(date.group(1)) if date else None
                known[int(uid.group(1))] = (int(size.group(1)) if size else 0, moment)
        return known

    def piece(self, uid: int, offset: int, room: memoryview) -> int | None:
        """Read bytes of a mail into *room* (RFC 9051, 6.4.5, BODY.PEEK[]<offset.length>).

        :returns: how many: less than there is room for at the mail's end; None if the mail is
            not there.
        """
        items = f"(BODY.PEEK[]<{offset}.{len(room)}>)"
        return self._landing.fetch(lambda: body_of(self._fetch(str(uid), items)), room)

    def _fetch(self, uids: str, items: str) -> Iterator[Any]:
        kind, data = self._client._imap.uid("FETCH", uids, items)
        if kind != "OK":
            raise imaplib.IMAP4.error("the server could not give what was asked for")
        return (item for item in data if item is not None)

    # -- moving ---------------------------------------------------------------------------

    @property
    def moves(self) -> bool:
        """Whether the server has MOVE, which is done as a whole or not at all."""
        return bool(self._client.has_capability("MOVE"))

    def move(self, uids: Iterable[int], folder: str) -> None:
        """Move mails (RFC 6851), or copy, mark and expunge just them (RFC 4315).

        Without either the mails are marked as deleted and left to the mailbox's owner.
        """
        numbers = list(uids)
        if self.moves:
            self._client.move(numbers, folder)
            return
        self._client.copy(numbers, folder)
        self.discard(numbers)

    def discard(self, uids: Iterable[int]) -> None:
        """Take mails away that were copied."""
        numbers = list(uids)
        self._client.add_flags(numbers, [imapclient.DELETED], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge(numbers)

    def copied(self, uids: Iterable[int], folder: str) -> set[int]:
        """Which mails stand in *folder* too: of one Message-ID, size and INTERNALDATE.

        What has no Message-ID is not told: two copies are better than none.
        """
        known = self.envelopes(uids)
        names = self._message_ids(known)
        if not names or not self._client.folder_exists(folder):
            return set()
        found: set[int] = set()
        self._client.select_folder(folder, readonly=True)
        for uid, name in names.items():
            there = [int(other) for other in self._client.search(["HEADER", "Message-ID", name])]
            if there and known[uid] in self.envelopes(there).values():
                found.add(uid)
        self.reopen()
        return found

    def _message_ids(self, uids: Iterable[int]) -> dict[int, str]:
        names = {}
        items = "(UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
        for item in self._fetch(uid_set(uids), items):
            if isinstance(item, tuple):
                uid, name = _ITEM_UID.search(item[0]), _ITEM_ID.match(item[1].strip())
                if uid and name:
                    names[int(uid.group(1))] = name.group(1).decode("ascii")
        return names

    def provide(self, folder: str) -> None:
        """Make a mailbox if it is not there."""
        try:
            if not self._client.folder_exists(folder):
                self._client.create_folder(folder)
        except IMAPClientError as error:
            _pass_on_abort(error)
            raise InboxError(
                f"{self._inbox.host} has no mailbox for [inbox] processed_folder and makes none"
            ) from None

    def close(self) -> None:
        """Say goodbye; a server that is gone does not matter any more."""
        try:
            self._client.logout()
        except (*BROKEN, imaplib.IMAP4.error):
            self.drop()
        finally:
            self._patience.end()

    def drop(self) -> None:
        """Let go of a connection that is of no use."""
        self._patience.end()
        try:
            self._client.shutdown()
        except (*BROKEN, imaplib.IMAP4.error):
            return


def body_of(answer: Iterable[Any]) -> bytes | memoryview | None:
    """The bytes of the mail in an answer to FETCH, None if there are none.

    A literal, a literal8 (RFC 9051, section 4.3), or where little is left a quoted string or
    NIL.  Lines about other mails, which a server may put between, are passed over.
    """
    for item in answer:
        if isinstance(item, tuple):
            if b"BODY[]" in item[0].upper():
                body: bytes | memoryview = item[1]
                return body
            continue
        short = _ITEM_BODY.search(item)
        if short:
            return re.sub(rb"\\(.)", rb"\1", short.group(2) or b"")
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


def _pass_on_abort(error: Exception) -> None:
    """A broken connection is no answer of the server's."""
    if isinstance(error, imaplib.IMAP4.abort):
        raise error


def _context(config: Config) -> ssl.SSLContext:
    ca_file = config.inbox.ca_file
    try:
        return ssl.create_default_context(cafile=config.resolve(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise InboxError(f"[inbox] ca_file can't be used: {error.strerror or error}") from error


def _connected(inbox: InboxConfig, tls: ssl.SSLContext) -> tuple[imapclient.IMAPClient, Patience]:
    """A connection that is encrypted, except to loopback where the address says so."""
    where = f"{inbox.host}, port {inbox.port}"
    secure = inbox.scheme == "imaps"
    try:
        client = (TlsClient if secure else imapclient.IMAPClient)(
            inbox.host,
            inbox.port,
            ssl=secure,
            ssl_context=tls if secure else None,
            timeout=imapclient.SocketTimeout(CONNECT_S, ANSWER_S),
        )
        client._imap.debug = 0  # IMAPClient has imaplib write every literal into a log
        patience = Patience(client._imap, PATIENCE_S)
        if inbox.scheme == "imap+starttls":
            _encrypt(client, patience, tls)
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
    except IMAPClientError as error:
        _pass_on_abort(error)
        raise InboxError(f"{where} offers no STARTTLS; try imaps://") from None
    return client, patience


def _encrypt(client: imapclient.IMAPClient, patience: Patience, tls: ssl.SSLContext) -> None:
    try:
        client.starttls(tls)
    except BaseException:
        patience.end()
        raise


def _date(text: bytes) -> datetime | None:
    """INTERNALDATE, RFC 9051, section 9, date-time: " 1-Sep-2026 06:00:00 +0000"."""
    try:
        moment = parsedate_to_datetime(text.decode("ascii").strip().replace("-", " ", 2))
        return moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, UnicodeError):
        return None
