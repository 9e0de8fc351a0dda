"""Where a review is served: the address it listens on, the names it answers to, and its TLS.

On loopback it speaks plain HTTP, because nobody but this machine can listen.  Everywhere else it
speaks TLS and nothing else, because the link and the footage would cross a network.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.errors import UsageError, reason_of

LOOPBACK = "127.0.0.1"
_ANY = ("0.0.0.0", "::")  # noqa: S104 - these are compared with what a person asked for
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|[0-9a-fA-F:.]+")
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Listening:
    """An address of this machine, the host name that browsers use, and the files of the TLS.

    Port 0 takes a free one.  Without ``certificate`` it speaks plain HTTP.
    """

    address: str = LOOPBACK
    port: int = 0
    host: str = ""
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return _is_loopback(self.address)

    @property
    def name(self) -> str:
        """The name of the host in links."""
        return self.host or self.address

    def site(self, port: int) -> Site:
        """The origin of its pages, once the port is known."""
        names = [self.name]
        if self.is_loopback:
            names += [name for name in (LOOPBACK, "localhost") if name != self.name]
        scheme = "http" if self.certificate is None else "https"
        return Site(scheme, tuple(_in_address(name) for name in names), port)

    def context(self) -> ssl.SSLContext | None:
        """Read the certificate; None for plain HTTP.

        :raises UsageError: the files are not a certificate and its key.
        """
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # a key with a passphrase would ask on the terminal, so it gets an empty one
            context.load_cert_chain(self.certificate, self.key, password=b"")
        except ssl.SSLError as error:
            raise UsageError(
                f"{self.certificate}: is not a certificate in PEM with its key without a passphrase"
            ) from error
        except OSError as error:
            raise UsageError(f"the certificate can't be read: {reason_of(error)}") from error
        return context

    def fingerprint(self) -> str:
        """The SHA-256 of the certificate as browsers show it: pairs of hex digits; "" without one.

        It is called after :meth:`context`, which has read the file.
        """
        if self.certificate is None:
            return ""
        begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
        first = self.certificate.read_text("utf-8").partition(begin)[2].partition(end)[0]
        der = ssl.PEM_cert_to_DER_cert(f"{begin}{first}{end}")
        return hashlib.sha256(der).digest().hex(":").upper()


@dataclass(frozen=True)
class Site:
    """The scheme, the names and the port by which browsers reach a review.

    The first of ``hosts`` is the one in links.  Names are as in addresses: IPv6 in brackets.
    """

    scheme: str
    hosts: tuple[str, ...]
    port: int

    @cached_property
    def authorities(self) -> frozenset[str]:
        """What the Host header of a request to this site may be."""
        found = {f"{host}:{self.port}" for host in self.hosts}
        # browsers leave out the usual port of a scheme
        return frozenset(found | set(self.hosts) if self._is_usual else found)

    @property
    def origins(self) -> frozenset[str]:
        """What the Origin header of a request from its own pages may be."""
        return frozenset(f"{self.scheme}://{authority}" for authority in self.authorities)

    def link(self, token: str) -> str:
        """The address that lets a browser in."""
        place = self.hosts[0] if self._is_usual else f"{self.hosts[0]}:{self.port}"
        return f"{self.scheme}://{place}/?token={token}"

    @property
    def _is_usual(self) -> bool:
        return _USUAL_PORTS[self.scheme] == self.port


def check(asked: Listening, names: Collection[str]) -> None:
    """Check what a person asked for.

    :param names: of the reviewers who get a link each.
    :raises UsageError: it is not an address, or other machines could reach a review for anybody.
    """
    try:
        ipaddress.ip_address(asked.address)
    except ValueError as error:
        raise UsageError(
            f"--bind {asked.address}: give an address of this machine in digits, such as 192.0.2.7"
        ) from error
    if not _HOST.fullmatch(asked.name):
        raise UsageError(f"--host {asked.host}: is not the name of a host")
    if asked.key is not None and asked.certificate is None:
        raise UsageError("--key needs --certificate")
    if asked.is_loopback:
        return
    if asked.address in _ANY and not asked.host:
        raise UsageError(
            f"--bind {asked.address} listens on every address; say with --host by which name "
            "reviewers reach it"
        )
    if not names:
        raise UsageError(
            "a review for other machines needs --by for each reviewer, so that each has a link "
            "of their own"
        )


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def _in_address(name: str) -> str:
    return f"[{name}]" if ":" in name else name.lower()
