"""Find out whether the scheduler answers, and whether it lets this machine in.

Dask itself only says that it timed out, whatever the cause is.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.engine.access import ClusterAccess
from pipeline.errors import StageError, reason_of

_ANSWER_S = 5.0
_PAUSE_S = 0.5
# a message of Dask begins with its length: eight bytes, the least significant first
_LENGTH = 8
_LONGEST_GREETING = 1 << 20
_ANOTHER = "make another one with: footage certificates (docs/cluster.md)"
# the alerts by which the scheduler refuses a certificate (RFC 8446, 6.2), as OpenSSL names them
_REFUSALS = {
    "EXPIRED": "it has expired",
    "UNKNOWN_CA": "it is not signed by the authority that the scheduler has",
}


def examine(access: ClusterAccess) -> str:
    """Look at the files of an access; return until when they are valid, as a sentence.

    :raises StageError: one can't be read, has expired, or does not belong to the others.
    """
    if access.security() is None:
        return "no certificates are used on this machine"
    _context(access)
    until = min(_until(path) for path in (access.ca, access.certificate))
    return f"the certificate is valid until {until:%Y-%m-%d}"


def reach(access: ClusterAccess, patience_s: float, say: Callable[[str], None]) -> None:
    """Wait until the scheduler answers.

    :param patience_s: how long to wait for one that does not run yet.
    :param say: called once if there is something to wait for.
    :raises StageError: it did not answer for so long, or one side refuses the other.
    """
    context = None if access.security() is None else _context(access)
    until, waits = time.monotonic() + patience_s, False
    while True:
        try:
            _greet(access, context)
        except OSError as error:
            fault = f"the scheduler {access.address} can't be reached: {reason_of(error)}"
            if time.monotonic() + _PAUSE_S > until:
                raise StageError(f"{fault}. Start one with: footage scheduler") from error
            if not waits:
                say(f"{fault}; waiting for it")
            waits = True
            time.sleep(_PAUSE_S)
        else:
            return


def _greet(access: ClusterAccess, context: ssl.SSLContext | None) -> None:
    """Connect once, and wait for the first word of the scheduler.

    :raises OSError: nobody answers.
    :raises StageError: one side refuses the other.
    """
    at = urlsplit(access.address)
    with socket.create_connection((at.hostname or "", at.port or 0), _ANSWER_S) as plain:
        if context is None:
            _require_greeting(access, plain)
            return
        with _explained(access):
            channel = context.wrap_socket(plain)
        # with TLS 1.3 the other side looks at our certificate after the handshake
        with channel, _explained(access):
            try:
                heard = channel.recv(1)
            except TimeoutError:
                return
        if not heard:
            raise _refused(access, "")


def _require_greeting(access: ClusterAccess, channel: socket.socket) -> None:
    """Read how the other side begins, because Dask would wait for other programs for ever.

    :raises OSError: it says nothing.
    :raises StageError: it is not a scheduler.
    """
    heard = b""
    try:
        while len(heard) < _LENGTH and (more := channel.recv(_LENGTH - len(heard))):
            heard += more
    except TimeoutError as error:
        raise TimeoutError("what listens there says nothing, so it may not be one") from error
    if len(heard) < _LENGTH or int.from_bytes(heard, "little") > _LONGEST_GREETING:
        raise not_a_scheduler(access)


def not_a_scheduler(access: ClusterAccess) -> StageError:
    """The error for an address where something else answers."""
    kind = "" if access.security() is None else " with certificates"
    return StageError(
        f"what answers at {access.address} is not a scheduler{kind}: see whether the port is right"
    )


@contextmanager
def _explained(access: ClusterAccess) -> Iterator[None]:
    """Give an error of TLS its sentence.

    :raises StageError: one side refuses the other, or does not speak TLS.
    """
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        why = f"its certificate is not signed by the authority in {access.ca}"
        if "expired" in error.verify_message:
            why = f"its certificate has expired; {_ANOTHER}"
        raise StageError(f"the scheduler {access.address} is not trusted: {why}") from error
    except ssl.SSLError as error:
        reason = error.reason or ""  # None if the connection just ended
        if "ALERT" not in reason:
            raise not_a_scheduler(access) from error
        raise _refused(access, reason) from error
    except ConnectionError as error:
        raise _refused(access, "") from error


def _refused(access: ClusterAccess, alert: str) -> StageError:
    why = next((f": {text}" for word, text in _REFUSALS.items() if word in alert), "")
    return StageError(
        f"the scheduler {access.address} refuses the certificate {access.certificate}{why}"
    )


def _context(access: ClusterAccess) -> ssl.SSLContext:
    """The certificates for a connection.

    :raises StageError: one can't be read, has expired, or does not belong to the others.
    """
    for path in (access.ca, access.certificate):
        if (until := _until(path)) < datetime.now(UTC):
            raise StageError(f"{path} expired on {until:%Y-%m-%d}; {_ANOTHER}")
    context = ssl.create_default_context(cafile=access.ca)
    context.check_hostname = False  # the authority decides, as for Dask
    try:
        context.load_cert_chain(access.certificate, access.key)
    except OSError as error:
        if isinstance(error, ssl.SSLError):
            raise StageError(
                f"{access.key} is not the key of {access.certificate}; {_ANOTHER}"
            ) from error
        raise StageError(f"{access.key} can't be read: {reason_of(error)}") from error
    return context


def _until(path: str) -> datetime:
    """When a certificate expires.

    :raises StageError: it can't be read, or is not a certificate.
    """
    from cryptography import x509  # noqa: PLC0415 - only where a cluster is used

    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc
    except OSError as error:
        raise StageError(f"{path} can't be read: {reason_of(error)}; {_ANOTHER}") from error
    except ValueError as error:
        raise StageError(f"{path} is not a certificate (PEM); {_ANOTHER}") from error
