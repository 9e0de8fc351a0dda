"""What is inside of a file that contains others, and how much may come out of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from pipeline.errors import Refused
from pipeline.ingest.spool import Readable, stretch
from pipeline.model import Reason, Refusal
from pipeline.texts import Detail

MAX_MEMBERS = 1000
MAX_RATIO = 100
RATIO_FROM = 20_000_000  # bytes; below it, blank pictures may shrink by any factor
DAMAGED = Refusal(Reason.CORRUPT, Detail.DAMAGED_MEMBER)


class Content(Enum):
    """What a member is: a file, or what a mail program put into a file instead of into a mail."""

    FILE = auto()
    MAIL = auto()
    TEXT = auto()
    HTML = auto()
    RTF = auto()


@dataclass(frozen=True)
class Member:
    """A file in another file: ``read`` gives it in pieces, unless there is a ``refusal``.

    ``size``: what it claims to have, in bytes.  ``charset``: of a text, as its container
    announces it.  ``in_layout``: a mail shows it by its Content-ID.
    """

    name: str
    read: Callable[[], Iterator[bytes]]
    size: int = 0
    refusal: Refusal | None = None
    content: Content = Content.FILE
    charset: str = ""
    in_layout: bool = False


def refused(name: str, refusal: Refusal) -> Member:
    """A member of which no bytes can be read."""
    return Member(name, lambda: iter(()), refusal=refusal)


def stored(file: Readable, start: int, size: int) -> Callable[[], Iterator[bytes]]:
    """Make a function that reads *size* bytes at *start*, which lie in the file as they are."""
    return lambda: stretch(file, start, start + size)


@dataclass
class Budget:
    """What all archives of one mail may still unpack to together: *size* bytes, and *members*."""

    size: int
    members: int = MAX_MEMBERS

    def spend(self, members: int, size: int, packed: int) -> None:
        """Subtract what an archive of *packed* bytes claims to contain.

        :raises Refused: ``unsafe``: too many members, too large, or packed too tightly.
        """
        if members > self.members:
            raise Refused(unsafe(Detail.TOO_MANY_MEMBERS, {"allowed": MAX_MEMBERS}))
        self.check(size, packed)
        self.members -= members
        self.size -= size

    def check(self, size: int, packed: int) -> None:
        """Check the size of what came out of *packed* bytes so far.

        :raises Refused: ``unsafe``: too large, or packed too tightly.
        """
        if size > self.size:
            raise Refused(unsafe(Detail.UNPACKS_TOO_LARGE))
        if size > RATIO_FROM and size > packed * MAX_RATIO:
            raise Refused(unsafe(Detail.EXPANDS_TOO_MUCH, {"times": MAX_RATIO}))


@dataclass(frozen=True)
class Container:
    """An open file that contains others.

    ``name``: as its sender wrote it.  ``size``: in bytes.  ``budget``: what may come out of it.
    """

    file: Readable
    name: str
    size: int
    budget: Budget


def unsafe(code: Detail, values: Mapping[str, int] | None = None) -> Refusal:
    """The refusal of an archive that was made to do harm."""
    return Refusal(Reason.UNSAFE, code, values or {})
