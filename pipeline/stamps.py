"""Time stamps of an authority for a few bytes (RFC 3161): ask for one, and check one.

The server gets a hash and nothing else.  Its answer is signed, so it may come over plain HTTP.  It
is bounded in size and time.  This module needs the optional parts (``make extras``), so it is
imported where it is used.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import rfc3161_client
from cryptography import x509
from cryptography.x509 import Certificate
from cryptography.x509.oid import NameOID
from rfc3161_client import PKIStatus, TimeStampRequest, TimeStampResponse

from pipeline import clock
from pipeline.errors import StageError, reason_of
from pipeline.time_limit import within

_SILENCE_S = 15.0  # without a byte
_WHOLE_S = 60.0
_LARGEST = 1 << 16  # bytes; a stamp with its certificates has about 6,000
_TYPES = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_SEQUENCE, _OWN, _LONG = 0x30, 0xA0, 0x80  # of DER: two tags, and the mark of a long length


class StampError(StageError):
    """There is no time stamp, or it proves nothing."""


@dataclass(frozen=True)
class TimeStamp:
    """When an authority saw the bytes (RFC 3339 in UTC), and the name in its certificate."""

    at: str
    authority: str


@dataclass(frozen=True)
class _Element:
    """An element of DER: its tag, where it begins, where its content begins, and where it ends."""

    tag: int
    start: int
    content: int
    end: int


def read_roots(path: Path) -> list[Certificate]:
    """Read the certificates that are trusted.

    :raises StampError: the file can't be read, or has none.
    """
    try:
        return list(x509.load_pem_x509_certificates(path.read_bytes()))
    except OSError as error:
        raise StampError(f"{path}: can't be read: {reason_of(error)}") from error
    except ValueError as error:
        raise StampError(f"{path}: has no certificate in PEM form") from error


def ask(address: str, message: bytes, roots: Sequence[Certificate]) -> bytes:
    """Have a message stamped.

    :returns: the server's answer (a TimeStampResp in DER), which :func:`check` accepts.
    :raises StampError: the server can't be reached, or its answer proves nothing.
    """
    builder = rfc3161_client.TimestampRequestBuilder().data(message)
    request = builder.hash_algorithm(rfc3161_client.HashAlgorithm.SHA256).build()
    answer = _posted(address, request.as_bytes())
    _verify(_decoded(answer), message, roots, request)
    return answer


def check(answer: bytes, message: bytes, roots: Sequence[Certificate]) -> TimeStamp:
    """Check a stamp of a message by its signature and the certificates that are trusted.

    :raises StampError: it is not a stamp, is of another message, or has no trusted signature.
    """
    response = _decoded(answer)
    _verify(response, message, roots)
    try:
        return TimeStamp(clock.stamp(response.tst_info.gen_time), _signer(response))
    except ValueError as error:
        raise StampError("the time stamp does not say who signed it") from error


def _verify(
    response: TimeStampResponse,
    message: bytes,
    roots: Sequence[Certificate],
    request: TimeStampRequest | None = None,
) -> None:
    builder = (
        rfc3161_client.VerifierBuilder.from_request(request)
        if request
        else rfc3161_client.VerifierBuilder()
    )
    for root in dict.fromkeys(roots):
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(response, message)
    except (ValueError, rfc3161_client.VerificationError) as error:
        raise StampError(f"the time stamp is not valid: {error}") from error


def _decoded(answer: bytes) -> TimeStampResponse:
    try:
        response = rfc3161_client.decode_timestamp_response(_with_sorted_certificates(answer))
        if response.status not in (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS):
            raise StampError(f"the server refuses a time stamp (status {response.status})")
        _ = response.tst_info
    except ValueError as error:
        raise StampError("the answer of the server is not a time stamp") from error
    return response


def _with_sorted_certificates(answer: bytes) -> bytes:
    """Put the certificates of an answer into the order that DER demands of a set (X.690, 11.6).

    Many servers send them in another order (OpenSSL does), and the decoder refuses that.  They are
    not a part of what is signed.  An answer of another form is left as it is.
    """
    steps = ((_SEQUENCE, 0), (_SEQUENCE, 1), (_OWN, 0), (_SEQUENCE, 0), (_OWN, 0))
    start, stop = 0, len(answer)
    for tag, which in steps:
        found = [each for each in _elements(answer, start, stop) if each.tag == tag]
        if len(found) <= which:
            return answer
        start, stop = found[which].content, found[which].end
    certificates = [answer[it.start : it.end] for it in _elements(answer, start, stop)]
    if sum(map(len, certificates)) != stop - start:
        return answer
    return answer[:start] + b"".join(sorted(certificates)) + answer[stop:]


def _elements(data: bytes, start: int, stop: int) -> Iterator[_Element]:
    """The elements of a part of DER (X.690, 8.1), as far as they are whole."""
    while start + 2 <= stop:
        size, content = data[start + 1], start + 2
        if size & _LONG:
            count = size & ~_LONG
            size, content = int.from_bytes(data[content : content + count]), content + count
        if content + size > stop:
            return
        yield _Element(data[start], start, content, content + size)
        start = content + size


def _signer(response: TimeStampResponse) -> str:
    """The name in the certificate of the signature: its common name, or the whole name."""
    (signer,) = response.signed_data.signer_infos
    for data in response.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(data)
        if certificate.serial_number == signer.serial_number:
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return str(names[0].value) if names else certificate.subject.rfc4514_string()
    return ""


def _posted(address: str, data: bytes) -> bytes:
    """Send a request, and read a bounded answer."""
    request = urllib.request.Request(address, data, _TYPES)  # noqa: S310 - the configuration takes http(s) only
    try:
        answer = within(_WHOLE_S, lambda: _read(request))
    except TimeoutError as error:
        raise StampError("the time-stamp server is too slow") from error
    except urllib.error.HTTPError as error:
        error.close()
        raise StampError(f"the time-stamp server answers with HTTP {error.code}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise StampError(
            f"the time-stamp server can't be reached ({type(reason).__name__})"
        ) from error
    if len(answer) > _LARGEST:
        raise StampError("the answer of the time-stamp server is too large")
    return answer


def _read(request: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(request, timeout=_SILENCE_S) as server:  # noqa: S310
        read: bytes = server.read(_LARGEST + 1)
        return read
