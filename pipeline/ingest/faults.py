"""The exceptions that parsers raise on bytes of a stranger that nobody foresaw."""

import struct
import zlib

BREAKS_PARSING = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    EOFError,
    struct.error,
    zlib.error,
)
"""A fault of the disk, the ledger or the memory is not in the list: the bytes do not cause it."""


class Untrue(Exception):
    """What the process that takes mails apart answered can't be true."""
