"""The address of a server, as ``[inbox] url`` and ``[smtp] url`` give it."""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class ServerAddress:
    """What an address of one kind must be.

    ``form``: what a message says of its form.  ``clear``: its scheme without encryption, and what
    that would send in the clear.  ``instead``: the schemes to use instead.
    """

    form: str
    clear: tuple[str, str]
    instead: str
    needs_user: bool = False

    def check(self, value: str) -> None:
        """Check an address.

        :raises ValueError: it is not such an address; the text says what is allowed.
        """
        parts = self._split(value)
        if parts.password is not None:
            raise ValueError(
                "holds a password; remove it and put it into the environment variable that "
                "password_env names"
            )
        if parts.query or parts.fragment:
            raise ValueError("must have no ? and no #; write %3F and %23 instead")
        scheme, what = self.clear
        if parts.scheme == scheme and parts.hostname not in LOOPBACK:
            raise ValueError(
                f"{scheme}:// sends {what} in the clear and is for loopback only; use "
                f"{self.instead}"
            )

    def _split(self, value: str) -> SplitResult:
        try:
            parts = urlsplit(value)
        except ValueError:  # half of the brackets of an IPv6 address
            raise ValueError(self.form) from None
        if not parts.hostname or (self.needs_user and not parts.username):
            raise ValueError(self.form)
        try:
            is_port = parts.port != 0
        except ValueError:
            is_port = False
        if not is_port:
            raise ValueError("has a port that is not a number from 1 to 65535")
        return parts


def check_web_address(value: str, without: Collection[str]) -> None:
    """Check the address of a service on the web; an empty one is allowed.

    :param without: what it must not have: "user", "?", "#".
    :raises ValueError: it is not such an address; the text says what is allowed.
    """
    try:
        parts = urlsplit(value)
        is_web = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:
        is_web = False
    if not value:
        return
    if not is_web:
        raise ValueError("must begin with https:// or http:// and name a host")
    found = {"user": parts.username is not None, "?": parts.query, "#": parts.fragment}
    if any(found[each] for each in without):
        words = [f"a {each}" for each in without]
        raise ValueError(f"must be an address without {', '.join(words[:-1])} and {words[-1]}")
