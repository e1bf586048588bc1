"""The certificate that a process serves with: read again when its files are replaced, and never half of a pair."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aeterna.contracts.trust import FileTrust
from aeterna.service.clock import system_clock
from aeterna.service.errors import CertificateUnusableError, SettingsInvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.service.clock import Clock
    from aeterna.service.settings import ListenSettings

_PROTOCOLS: Final = ("http/1.1",)

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """A certificate and its key, as they are and as a context."""

    context: ssl.SSLContext
    expires: float
    certificate: bytes
    key: bytes = field(repr=False)


class ServingCertificate:
    """Gives each new connection the newest good pair of a certificate and its key.

    Both files are looked at with each handshake, which costs two calls of the file system. A pair that cannot be used,
    because half of it was written or its certificate has expired, leaves the one before it in force. Connections keep
    the certificate that they began with. Safe to use from several threads.
    """

    def __init__(self, certificate: Path, key: Path, *, clock: Clock = system_clock) -> None:
        """Read the pair; raise `CertificateUnusableError` where there is no good one to begin with."""
        self.certificate = certificate
        self.key = key
        self._clock = clock
        self.fault: str | None = None
        """What is wrong with the files as they are now; None where they are in force."""
        self._seen = self._stamp()
        try:
            self._pair = self._loaded()
        except CertificateUnusableError as exc:
            raise CertificateUnusableError(f"{certificate} and {key}: {exc}") from None
        self.context = _context()
        """The context to listen with."""
        self.context.sni_callback = self._choose

    @classmethod
    def of(cls, settings: ListenSettings, registry: CollectorRegistry) -> ServingCertificate | None:
        """Return what the settings name, observed in the registry; None where they name none."""
        if settings.tls_certificate_file is None or settings.tls_key_file is None:
            return None
        made = cls(settings.tls_certificate_file, settings.tls_key_file)
        CertificateMetrics(made, registry)
        return made

    @property
    def expires(self) -> float:
        """When the certificate in force ends (Unix time)."""
        return self._pair.expires

    @property
    def pem(self) -> tuple[bytes, bytes]:
        """The certificate in force and its key, for listeners that are not on a context; compare it to see a change."""
        pair = self._pair
        return pair.certificate, pair.key

    def refresh(self) -> None:
        """Take up the files if they changed and are a good pair."""
        # Their stamps first: what is written while we read is then read again.
        seen = self._stamp()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            fresh = self._loaded()
            self._require_unchanged(seen)
        except CertificateUnusableError as exc:
            self.fault = str(exc)
            log.warning("tls.certificate_unusable", certificate=str(self.certificate), reason=self.fault)
        else:
            self._pair, self.fault = fresh, None
            log.info("tls.certificate_replaced", certificate=str(self.certificate), expires=int(self.expires))

    def notes(self) -> Mapping[str, object]:
        """Return what is wrong with the files; nothing while they are in force."""
        self.refresh()
        return {} if self.fault is None else {"certificate": {"fault": self.fault, "expires": int(self.expires)}}

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        # OpenSSL asks with each ClientHello, also with one that names nobody.
        del name, context
        self.refresh()
        connection.context = self._pair.context

    def _loaded(self) -> _Pair:
        """Return the pair as it is on disk, or raise `CertificateUnusableError`."""
        from cryptography import x509  # noqa: PLC0415 - 30 ms that only those need who serve with a certificate

        context = _context()
        try:
            # A key that wants a password gets an empty one: OpenSSL would ask for it at the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
            certificate, key = self.certificate.read_bytes(), self.key.read_bytes()
            leaf = x509.load_pem_x509_certificate(certificate)
        except ssl.SSLError as exc:
            raise CertificateUnusableError((exc.reason or "no certificate").lower().replace("_", " ")) from None
        except OSError as exc:
            raise CertificateUnusableError(exc.strerror or type(exc).__name__) from None
        except ValueError:
            raise CertificateUnusableError("no certificate in PEM") from None
        expires = leaf.not_valid_after_utc.timestamp()
        if expires <= self._clock():
            raise CertificateUnusableError("the certificate has expired")
        return _Pair(context=context, expires=expires, certificate=certificate, key=key)

    def _require_unchanged(self, seen: tuple[int, ...]) -> None:
        if self._stamp() != seen:
            raise CertificateUnusableError("the files are being replaced")

    def _stamp(self) -> tuple[int, ...]:
        """Return what tells the files apart from those that take their place; a mounted Secret is swapped by a link."""
        stamp: list[int] = []
        for path in (self.certificate, self.key):
            try:
                found = path.stat()
            except OSError:
                stamp.append(-1)
            else:
                stamp += (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
        return tuple(stamp)


def trusted(ca_file: Path | None) -> ssl.SSLContext | None:
    """Return whom to believe as a client: the authorities of the file, followed as it changes, or None: the system's.

    Raise `SettingsInvalidError` for a file that holds none.
    """
    if ca_file is None:
        return None
    try:
        return FileTrust(ca_file)
    except OSError as exc:
        raise SettingsInvalidError([f"{ca_file}: {exc.strerror or type(exc).__name__}"]) from None


class CertificateMetrics(Collector):
    """Shows when the certificate in force ends, and whether the files could not be taken up."""

    def __init__(self, certificate: ServingCertificate, registry: CollectorRegistry) -> None:
        self._certificate = certificate
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return what is found now."""
        self._certificate.refresh()
        yield GaugeMetricFamily(
            "aeterna_tls_certificate_expires_timestamp_seconds",
            "When the certificate ends that new connections get.",
            self._certificate.expires,
        )
        yield GaugeMetricFamily(
            "aeterna_tls_certificate_faulty",
            "1 while the files of certificate and key cannot be used, and the pair before them stays in force.",
            float(self._certificate.fault is not None),
        )

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(list(_PROTOCOLS))
    return context
