"""Makes a certificate for a review that other machines reach, if the user has none.

Nobody vouches for it, so a browser warns once.  The reviewer compares the fingerprint that the
browser shows with the one that the terminal shows, and goes on only if they are equal.

This module needs the optional parts (``make extras``), so it is imported where it is used.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline import publishing

_DAYS = 397  # browsers accept none that lives longer than 398 days
_LEFT = timedelta(days=14)


def own(folder: Path, host: str) -> tuple[Path, Path]:
    """The certificate and the key for *host*; made if there are none, or if they end soon.

    :param folder: where they are kept, so that the fingerprint stays the same.
    :param host: a name, or an address in digits.
    :returns: the paths of two PEM files that only their owner can read.
    """
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not _fit(certificate, key, host):
        _make(certificate, key, host)
    return certificate, key


def _fit(certificate: Path, key: Path, host: str) -> bool:
    """Whether two files belong together, are for this host, and are valid for some time."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        secret = serialization.load_pem_private_key(key.read_bytes(), password=None)
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return (
        found.public_key() == secret.public_key()
        and list(names) == [_name(host)]
        and found.not_valid_after_utc > datetime.now(UTC) + _LEFT
    )


def _make(certificate: Path, key: Path, host: str) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "footage review")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    for path, data in (
        (key, secret.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)),
        (certificate, made.public_bytes(pem)),
    ):
        with publishing.new_file(path) as file:
            file.write(data)


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host.lower())
