"""An IMAP mailbox as an inbox: new mail only, exactly once, over connections that break.

Mails come in pieces into a temporary file, so memory does not grow with them, and a broken
connection costs one piece.  The ledger comes first and the server second: a mail is moved when
everything in it is safe, and a move that got no answer is checked at the next run.
"""

import errno
import imaplib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from pipeline.config import InboxSection
from pipeline.errors import InboxError
from pipeline.ingest.connection import BROKEN
from pipeline.ingest.inbox import Advance, Arrival, Gone, Inbox, Known, NewMail, Unreadable
from pipeline.ingest.session import CommandRefused, Session, uid_set
from pipeline.ingest.signin import credentials
from pipeline.ingest.spool import Readable, disk_spool
from pipeline.ledger import Ledger
from pipeline.model import Filed, MailIdentity
from pipeline.workspace import Workspace

PIECE = 2_000_000
PAUSES_S = (0.0, 1.0, 5.0, 15.0)  # before each try; every answer starts the count again
_LONGEST_SET = 4000  # characters of a command; servers refuse long ones
_MOST_SETS = 20
_BATCH = 200

_T = TypeVar("_T")


class _NotGiven(imaplib.IMAP4.error):
    """The server has a mail, and answered with NIL, nothing or an empty text instead of it."""


class ImapInbox(Inbox):
    """One mailbox of one account."""

    def __init__(self, inbox: InboxSection, workspace: Workspace) -> None:
        """Connect to nothing yet.

        :raises InboxError: the processed folder is the mailbox itself.
        """
        if inbox.processed_folder == inbox.folder:
            raise InboxError("[inbox] processed_folder is the mailbox that mail is read from")
        self._inbox = inbox
        self._spools = workspace.originals
        self._credentials = credentials(inbox, workspace)
        self._session: Session | None = None
        self._account = inbox.account
        self._mailbox = inbox.folder
        self._uidvalidity: int | None = None

    def close(self) -> None:
        """Sign out from the server."""
        if self._session is not None:
            self._session.close()
            self._session = None

    # -- reading --------------------------------------------------------------------------

    def new(self, known: Known) -> Sequence[Arrival]:
        """The mails that are not known, oldest first.  Nothing is requested about the others.

        :raises InboxError: the server can't be reached or refuses.
        """
        return self._retry(lambda session: self._new(session, known))

    def _new(self, session: Session, known: Known) -> Sequence[Arrival]:
        seen = {int(uid) for uid in known(self._account, self._mailbox, session.uidvalidity)}
        uids: list[int] = []
        if session.exists:
            for wanted in unknown_sets(seen):
                uids += [uid for uid in session.search(wanted, "UNDELETED") if uid not in seen]
            if not seen and not uids and not session.search("1:*"):
                session.reopen()  # somebody may have emptied the mailbox
                if session.exists and not session.search("1:*"):
                    raise InboxError(
                        f"{self._inbox.host} says that {self._mailbox!r} has {session.exists} "
                        "mails and names none of them; run again later"
                    )
        uids = sorted(set(uids))
        arrivals = []
        for start in range(0, len(uids), _BATCH):
            batch = uids[start : start + _BATCH]
            found = session.envelopes(batch)
            for uid in batch:
                if uid not in found:  # each may be given alone where many are refused
                    found.update(session.envelopes([uid]))
                # without an envelope it is new all the same: its bytes may come, or be missed
                size, received = found.get(uid, (0, None))
                identity = self._identity(session.uidvalidity, uid)
                arrivals.append(NewMail(identity, size, received))
        return arrivals

    def _identity(self, uidvalidity: int, uid: int | str) -> MailIdentity:
        return MailIdentity(self._account, self._mailbox, uidvalidity, str(uid))

    @contextmanager
    def open_raw(self, arrival: Arrival, advance: Advance) -> Iterator[Readable]:
        """Give the mail in a temporary file.

        :raises Gone: it is not in the mailbox any more.
        :raises Unreadable: the server has it, and can't give it.
        :raises InboxError: the server can't be reached or refuses.
        """
        offset, empty_answers = 0, 0
        with disk_spool(self._spools) as file:
            while empty_answers < 2:
                piece = self._retry(partial(_piece, mail=arrival, offset=offset))
                file.write(piece)
                offset += len(piece)
                advance(len(piece))
                if offset >= arrival.size and len(piece) < (PIECE if arrival.size else 1):
                    break
                # before RFC822.SIZE a short piece is continued, and an empty one is asked for
                # again: the server may have cut it, or may only estimate the size, as Exchange does
                empty_answers = 0 if piece else empty_answers + 1
            yield file

    # -- moving ---------------------------------------------------------------------------

    def settle(self, ledger: Ledger) -> int:
        """Move the mails that are safe on the disk to the processed folder, if one is set.

        :returns: how many mails were moved.
        :raises InboxError: the server can't be reached or refuses; a move that got no answer is
            checked at the next run.
        """
        if not self._inbox.processed_folder:
            return 0
        return self._retry(lambda session: self._settle(session, ledger))

    def _settle(self, session: Session, ledger: Ledger) -> int:
        folder = self._inbox.processed_folder
        session.reopen()
        self._check(session)
        place = (self._account, self._mailbox, session.uidvalidity)
        moved = self._reconcile(session, ledger)
        ready = sorted(int(uid) for uid in ledger.intake.uids_to_file(*place))
        if ready:
            session.provide(folder)
        for start in range(0, len(ready), _BATCH):
            batch = ready[start : start + _BATCH]
            identities = [self._identity(session.uidvalidity, uid) for uid in batch]
            ledger.intake.set_filed(identities, Filed.ASKED)
            session.move(batch, folder)
            ledger.intake.set_filed(identities, Filed.YES)
            moved += len(batch)
        return moved

    def _reconcile(self, session: Session, ledger: Ledger) -> int:
        """Clear up moves that got no answer: a mail that is gone was moved, the others were not.

        Without MOVE a mail may have been copied and not yet deleted: it is deleted now.
        """
        asked = [
            int(uid)
            for uid in ledger.intake.uids_filed(
                self._account, self._mailbox, session.uidvalidity, Filed.ASKED
            )
        ]
        still: set[int] = set()
        for part in _split_set(uid_set(asked)) if asked and session.exists else ():
            still.update(session.search(part))
        if still and not session.moves:
            copied = session.copied(still, self._inbox.processed_folder)
            if copied:
                session.discard(copied)
            still -= copied
        gone = [self._identity(session.uidvalidity, uid) for uid in asked if uid not in still]
        ledger.intake.set_filed(gone, Filed.YES)
        ledger.intake.set_filed(
            [self._identity(session.uidvalidity, uid) for uid in still], Filed.NO
        )
        return len(gone)

    # -- the connection -------------------------------------------------------------------

    def _retry(self, work: Callable[[Session], _T]) -> _T:
        """Do *work* on the connection, and again on a new one if it breaks.

        :raises InboxError: it broke too often in a row.
        :raises Unreadable: the server answers other questions, but not this one.
        """
        trouble: Exception | None = None
        for pause_s in PAUSES_S:
            if trouble is not None:
                time.sleep(pause_s)
            try:
                return work(self._connect())
            except BROKEN as error:
                if _is_local(error):
                    raise
                trouble = error
                self._drop()
            except imaplib.IMAP4.error as error:
                if not isinstance(error, (CommandRefused, _NotGiven)):
                    self._drop()  # an answer to another question: the connection is useless
                if isinstance(trouble, imaplib.IMAP4.error) and not isinstance(trouble, BROKEN):
                    raise Unreadable(
                        f"{self._inbox.host} refused what was asked of it, or gave an "
                        "answer that makes no sense; what came before is safe, run again later."
                    ) from error
                trouble = error
        inbox = self._inbox
        raise InboxError(
            f"the connection to {inbox.host}, port {inbox.port}, broke "
            f"{len(PAUSES_S)} times in a row ({_kind(trouble)}). What came before is safe; "
            "run again when the server can be reached."
        ) from trouble

    def _connect(self) -> Session:
        if self._session is None:
            read_only = not self._inbox.processed_folder
            self._session = Session(self._inbox, self._credentials, read_only=read_only)
            self._check(self._session)
        return self._session

    def _check(self, session: Session) -> None:
        """Stop if UIDVALIDITY has changed: UIDs mean nothing then (RFC 9051, 2.3.1.1)."""
        if self._uidvalidity is None:
            self._uidvalidity = session.uidvalidity
        elif self._uidvalidity != session.uidvalidity:
            raise InboxError(
                f"the mailbox {self._mailbox!r} was created again on the server during the run; "
                "run again: nothing is taken in twice"
            )

    def _drop(self) -> None:
        if self._session is not None:
            self._session.drop()
            self._session = None


def _piece(session: Session, mail: Arrival, offset: int) -> bytes:
    """Read one piece of a mail; it is empty behind the mail's end only.

    :raises Gone: the mail is not in the mailbox any more.
    :raises _NotGiven: it is, and the server gives nothing of it.
    """
    uid = int(mail.identity.uid)
    piece = session.piece(uid, offset, PIECE)
    if piece or (offset and (piece is not None or offset >= mail.size)):
        return piece or b""
    if not session.search(str(uid), "UNDELETED"):
        raise Gone
    raise _NotGiven("the server gave nothing of a mail that it has")


def unknown_sets(seen: Iterable[int]) -> list[str]:
    """UID sets of all UIDs except the seen ones: the gaps, and everything newer.

    If there are too many gaps to name, the set is of all UIDs, and the caller filters.
    """
    gaps = []
    next_uid = 1
    for uid in sorted(seen):
        if uid > next_uid:
            gaps.append(f"{next_uid}:{uid - 1}" if uid - 1 > next_uid else str(next_uid))
        next_uid = uid + 1
    sets = _split_set(",".join([*gaps, f"{next_uid}:*"]))
    return sets if len(sets) <= _MOST_SETS else ["1:*"]


def _split_set(text: str) -> list[str]:
    """Split a sequence set into pieces that fit into a command."""
    sets = [""]
    for item in text.split(","):
        if len(sets[-1]) + len(item) >= _LONGEST_SET:
            sets.append("")
        sets[-1] += ("," if sets[-1] else "") + item
    return sets


def _is_local(error: Exception) -> bool:
    """Whether the disk failed and not the connection."""
    return isinstance(error, OSError) and (
        error.filename is not None or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
    )


def _kind(error: Exception | None) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, imaplib.IMAP4.abort):
        return "ended by the server"
    return "cut off"
