"""Whose address it is: a person's, nobody's, or one that no program may write to.

What no program may write to is in RFC 3834, section 2.
"""

import re
import unicodedata
from typing import Literal

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
_PUNYCODE, _LONGEST_LABEL = "xn--", 63  # RFC 5890, section 2.3.2.1
_GMAIL = ("gmail.com", "googlemail.com")
_HERE = re.compile(r"\[.*\]|(?:.*\.)?local(?:host|domain)?|[^.]*", re.IGNORECASE)


def person(address: str) -> str:
    """The form of an address by which the package decides if two mails are from one person.

    Case does not count, nor whether a host is written in Unicode or in Punycode.  Letters that only
    case folding makes alike stay apart, because ``strauß@`` and ``strauss@`` may be two people.
    """
    local, at, host = address.strip().rpartition("@")
    labels = _lower("NFKC", host).replace("\u3002", ".").rstrip(".").split(".")
    return f"{_lower('NFC', local)}{at}{'.'.join(map(_label, labels))}"


def mailbox(address: str) -> str:
    """The form of an address by which a refusal counts for all that its owner may have sent.

    Addresses that may have one owner are alike: with and without a part behind "+", with other
    dots at Gmail, and with letters that only case folding makes alike.  For anything but a refusal
    they are those of several people.
    """
    local, at, host = person(address).rpartition("@")
    local = unicodedata.normalize("NFKC", local).casefold()
    local = local.partition("+")[0] or local
    if host in _GMAIL:
        local, host = local.replace(".", ""), _GMAIL[0]
    return f"{local}{at}{host}"


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


def _lower(form: Literal["NFC", "NFKC"], text: str) -> str:
    return unicodedata.normalize(form, unicodedata.normalize(form, text).lower())


def _label(label: str) -> str:
    """A label of a host in Unicode; as it is if it can't be decoded."""
    if not label.startswith(_PUNYCODE) or len(label) > _LONGEST_LABEL:
        return label
    try:
        return _lower("NFKC", label.removeprefix(_PUNYCODE).encode("ascii").decode("punycode"))
    except UnicodeError:
        return label


def _local(address: str) -> str:
    return address.rpartition("@")[0]
