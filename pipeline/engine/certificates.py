"""Certificates for a cluster: an authority of its own, and a certificate for its machines.

A machine is let in if the authority of the cluster has signed its certificate; its name does not
matter.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import publishing
from pipeline.errors import StageError, UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

CA, CERTIFICATE, KEY = "ca.pem", "certificate.pem", "key.pem"
CA_KEY = "ca-key.pem"
_DAYS = 825


def write(folder: Path, days: int = _DAYS) -> tuple[Path, Path, Path]:
    """Write ``ca.pem``, ``certificate.pem`` and ``key.pem``; return their paths.

    If the folder has an authority with its key already, that one signs the certificate.

    :raises UsageError: there is a certificate already.
    :raises StageError: the package cryptography is not installed.
    """
    try:
        ec = import_module("cryptography.hazmat.primitives.asymmetric.ec")
    except ModuleNotFoundError as error:
        raise StageError(
            "certificates need the package cryptography, which is not installed; install the "
            "optional parts with: make extras"
        ) from error
    ca, certificate, key = (folder / name for name in (CA, CERTIFICATE, KEY))
    if certificate.exists() or key.exists():
        raise UsageError(f"{folder} has a certificate already; name another folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _authority(folder)
    own = ec.generate_private_key(ec.SECP256R1())
    signed = _signed("footage machine", own, authority, days)
    publishing.write_text(key, _text(own))
    publishing.write_text(certificate, _text(signed))
    return ca, certificate, key


def _authority(folder: Path) -> tuple[Certificate, EllipticCurvePrivateKey]:
    """The authority in a folder, made if there is none."""
    from cryptography import x509  # noqa: PLC0415 - only where a cluster is used
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    ca, secret = folder / CA, folder / CA_KEY
    if ca.exists() and secret.exists():
        found = serialization.load_pem_private_key(secret.read_bytes(), password=None)
        if not isinstance(found, ec.EllipticCurvePrivateKey):
            raise UsageError(f"{secret} is not a key of the kind that this command makes")
        return x509.load_pem_x509_certificate(ca.read_bytes()), found
    if ca.exists():
        raise UsageError(
            f"{ca} is there, but its key {secret.name} is not: bring it back for this command. A "
            "new authority would not know the machines that have certificates; for one, choose "
            "another folder"
        )
    made = ec.generate_private_key(ec.SECP256R1())
    signed = _signed("footage cluster", made, None, _DAYS * 4)
    publishing.write_text(secret, _text(made))
    publishing.write_text(ca, _text(signed))
    return signed, made


def _signed(
    name: str,
    key: EllipticCurvePrivateKey,
    authority: tuple[Certificate, EllipticCurvePrivateKey] | None,
    days: int,
) -> Certificate:
    """A certificate for a key; without an authority it is one itself."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    issuer, signing = (authority[0].subject, authority[1]) if authority else (subject, key)
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority is None,
        crl_sign=authority is None,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False
        )
        .sign(signing, hashes.SHA256())
    )


def _text(item: Certificate | EllipticCurvePrivateKey) -> str:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    pem = serialization.Encoding.PEM
    if isinstance(item, x509.Certificate):
        return item.public_bytes(pem).decode("ascii")
    plain = serialization.NoEncryption()
    return item.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode("ascii")
