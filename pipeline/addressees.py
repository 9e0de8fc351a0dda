"""Addresses that no person reads, or that no program may write to (RFC 3834, section 2)."""

import re

_NOBODY = re.compile(
    r"(?:mailer[-._]?daemon|postmaster|(?:no|do[-._]?not)[-._]?reply|(?:re)?bounces?)"
    r"(?:[-+=_].*)?",
    re.IGNORECASE,
)
_PROGRAM = re.compile(
    r"(?:root|.*daemon|www-data|cron|majordomo|listserv|owner-.*|notifications?|alerts?|newsletters?"
    r"|auto(?:mated|matic)?[-._]?(?:reply|mail|confirm)?|.+-(?:owner|request|bounces?))"
    r"(?:\+.*)?|[^=]+=[^=]+",
    re.IGNORECASE,
)
_HERE = re.compile(r"\[.*\]|(?:.*\.)?local(?:host|domain)?|[^.]*", re.IGNORECASE)


def is_nobody(address: str) -> bool:
    """Whether mail to an address is thrown away, or goes to the people behind a server."""
    return _NOBODY.fullmatch(_local(address)) is not None


def is_program(address: str) -> bool:
    """Whether an address is that of a program, of a list, or of no host of the Internet."""
    domain = address.rpartition("@")[2]
    return (
        is_nobody(address)
        or _PROGRAM.fullmatch(_local(address)) is not None
        or _HERE.fullmatch(domain) is not None
    )


def _local(address: str) -> str:
    return address.rpartition("@")[0]
