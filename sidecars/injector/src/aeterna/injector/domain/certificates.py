"""X.509 certificates of an authority and of the services it vouches for (RFC 5280): made, read and checked.

Keys are of P-256. Each certificate begins an hour before it was made, since clocks of nodes differ. An authority may
vouch for names of one namespace's services and for nothing else (RFC 5280, section 4.2.1.10), so that its key, stolen,
proves no other host.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aeterna.injector.errors import CertificateUnreadableError

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

SKEW: Final = timedelta(hours=1)
"""How much earlier than now a certificate begins."""
CLUSTER_DOMAIN: Final = "cluster.local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that could be read: its PEM and what is asked of it. ``fingerprint`` is SHA-256, in hex."""

    pem: str
    fingerprint: str
    serial: int
    begins: datetime
    ends: datetime
    names: tuple[str, ...]

    def valid_at(self, now: datetime) -> bool:
        """Whether a client with this clock accepts its dates."""
        return self.begins <= now < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """A certificate with its private key, PKCS #8 in PEM; never shown by ``repr``."""

    certificate: Certificate
    key: str

    def __repr__(self) -> str:
        """Leave the key out."""
        return f"KeyPair({self.certificate.fingerprint[:16]})"


def names_of(service: str, namespace: str) -> tuple[str, ...]:
    """Return the names under which a Service of a cluster is reached from everywhere in it."""
    return (f"{service}.{namespace}.svc", f"{service}.{namespace}.svc.{CLUSTER_DOMAIN}")


def new_authority(namespace: str, *, now: datetime, life: timedelta) -> KeyPair:
    """Return a new authority of its own, for names of the namespace's services alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # The serial is in the name: two authorities of one name and of other keys confuse who looks for an issuer by name.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"aeterna {namespace} {serial:x}"[:64])])
    permitted = [x509.DNSName(f"{namespace}.svc"), x509.DNSName(f"{namespace}.svc.{CLUSTER_DOMAIN}")]
    unsigned = (
        _unsigned(name, name, key, serial, now=now, ends=now + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .add_extension(_usage(signs=True), critical=True)
    )
    return _pair(unsigned.sign(key, hashes.SHA256()), key)


def issued(authority: KeyPair, names: Sequence[str], *, now: datetime, life: timedelta) -> KeyPair:
    """Return a serving certificate for the names, which never outlives its authority."""
    ca = x509.load_pem_x509_certificate(authority.certificate.pem.encode())
    signer = _private_key(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    ends = min(now + life, authority.certificate.ends)
    unsigned = (
        _unsigned(subject, ca.subject, key, x509.random_serial_number(), now=now, ends=ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(signs=False), critical=True)
    )
    return _pair(unsigned.sign(signer, hashes.SHA256()), key)


def read_certificate(pem: str) -> Certificate:
    """Read one certificate, the first of the text; raises `CertificateUnreadableError`."""
    with _unreadable("a certificate"):
        return _certificate(x509.load_pem_x509_certificate(pem.encode()))


def read_certificates(pem: str) -> tuple[Certificate, ...]:
    """Read every certificate of a text in order; raises `CertificateUnreadableError` when one is none."""
    with _unreadable("certificates"):
        return tuple(_certificate(each) for each in x509.load_pem_x509_certificates(pem.encode()))


def read_pair(pem: str, key: str) -> KeyPair:
    """Read a certificate with the key that belongs to it; raises `CertificateUnreadableError`."""
    with _unreadable("a certificate with its key"):
        private = _private_key(key)
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if _public(certificate.public_key()) != _public(private.public_key()):
            raise CertificateUnreadableError("the key belongs to another certificate")
        return KeyPair(certificate=_certificate(certificate), key=key)


def vouched_by(certificate: Certificate, authority: Certificate) -> bool:
    """Whether the authority signed the certificate; the dates are not looked at."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate.pem.encode())
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.pem.encode()))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    serial: int,
    *,
    now: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return KeyPair(certificate=_certificate(certificate), key=pem)


def _certificate(certificate: x509.Certificate) -> Certificate:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        known = tuple(names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        known = ()
    return Certificate(
        pem=certificate.public_bytes(Encoding.PEM).decode(),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        serial=certificate.serial_number,
        begins=certificate.not_valid_before_utc,
        ends=certificate.not_valid_after_utc,
        names=known,
    )


def _private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateUnreadableError("the key is not of P-256")
    return key


def _public(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CertificateUnreadableError("the certificate's key is not of P-256")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@contextmanager
def _unreadable(what: str) -> Generator[None]:
    """Say what could not be read, and nothing of what it holds: the library's own words could show a key."""
    try:
        yield
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise CertificateUnreadableError(f"{what} cannot be read") from None
