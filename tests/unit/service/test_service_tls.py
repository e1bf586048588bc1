"""A process serves with the newest good pair of a certificate and its key, and says what is wrong with a newer one."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from aeterna.service.errors import CertificateUnusableError
from aeterna.service.settings import ListenSettings
from aeterna.service.tls import CertificateMetrics, ServingCertificate
from fixtures.serving_pair import MountedSecret, TestAuthority

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio

AUTHORITY = TestAuthority()


@pytest.fixture
def secret(tmp_path: Path) -> MountedSecret:
    """Return a mounted Secret with a good pair."""
    made = MountedSecret(tmp_path / "tls")
    made.put(*AUTHORITY.pair())
    return made


@asynccontextmanager
async def listening(certificate: ServingCertificate) -> AsyncGenerator[int]:
    """Serve nothing over TLS, and yield the port."""
    server = await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=certificate.context, ssl_shutdown_timeout=0.1
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def serial(port: int, *, host: str | None = "localhost", version: ssl.TLSVersion | None = None) -> int:
    """Return the serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cadata=AUTHORITY.pem().decode())
    if host is None:
        context.check_hostname = False
    if version is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=host or "")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(shown).serial_number


def serial_of(secret: MountedSecret) -> int:
    """Return the serial number of what is mounted."""
    return x509.load_pem_x509_certificate(secret.certificate.read_bytes()).serial_number


@pytest.mark.parametrize("host", ["localhost", None])
async def test_new_connections_get_the_pair_that_was_swapped_in(host: str | None, secret: MountedSecret) -> None:
    """Also those of callers that name no host."""
    async with listening(ServingCertificate(secret.certificate, secret.key)) as port:
        before = (await serial(port, host=host), serial_of(secret))
        secret.put(*AUTHORITY.pair())
        after = (await serial(port, host=host), serial_of(secret))

    assert before[0] == before[1]
    assert after[0] == after[1] != before[0]


def locked(key: bytes) -> bytes:
    """Return a key behind a password."""
    private = load_pem_private_key(key, None)
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"s3cret"))


GOOD = AUTHORITY.pair()
BROKEN = [
    ("the key is another certificate's", (AUTHORITY.pair()[0], GOOD[1])),
    ("the certificate is half of one", (GOOD[0][: len(GOOD[0]) // 2], GOOD[1])),
    ("the key is half of one", (GOOD[0], GOOD[1][: len(GOOD[1]) // 2])),
    ("the certificate is empty", (b"", GOOD[1])),
    ("the key is empty", (GOOD[0], b"")),
    ("the certificate has expired", AUTHORITY.pair(life=timedelta(seconds=-1))),
    ("the key wants a password", (GOOD[0], locked(GOOD[1]))),
]


@pytest.mark.parametrize("pair", [pair for _, pair in BROKEN], ids=[name for name, _ in BROKEN])
async def test_the_pair_before_it_stays_in_force_and_the_failure_is_told_when(
    pair: tuple[bytes, bytes], secret: MountedSecret
) -> None:
    certificate, good = ServingCertificate(secret.certificate, secret.key), serial_of(secret)
    secret.put(*pair)
    async with listening(certificate) as port:
        shown = await serial(port)

    assert shown == good
    assert certificate.notes()["certificate"]


async def test_a_pair_that_is_gone_stays_in_force(secret: MountedSecret) -> None:
    certificate, good = ServingCertificate(secret.certificate, secret.key), serial_of(secret)
    secret.key.unlink()
    async with listening(certificate) as port:
        assert await serial(port) == good


async def test_a_pair_that_was_mended_is_taken_up(secret: MountedSecret) -> None:
    certificate = ServingCertificate(secret.certificate, secret.key)
    secret.put(*BROKEN[0][1])
    faulty = dict(certificate.notes())
    secret.put(*AUTHORITY.pair())
    async with listening(certificate) as port:
        shown = await serial(port)

    assert faulty
    assert (shown, dict(certificate.notes())) == (serial_of(secret), {})


@pytest.mark.parametrize("pair", [pair for _, pair in BROKEN], ids=[name for name, _ in BROKEN])
def test_a_process_without_a_good_pair_does_not_start(pair: tuple[bytes, bytes], tmp_path: Path) -> None:
    secret = MountedSecret(tmp_path / "tls")
    secret.put(*pair)

    with pytest.raises(CertificateUnusableError):
        ServingCertificate(secret.certificate, secret.key)


async def test_nothing_older_than_tls_1_2_is_spoken(secret: MountedSecret) -> None:
    async with listening(ServingCertificate(secret.certificate, secret.key)) as port:
        with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises((ssl.SSLError, ConnectionError)):
            await serial(port, version=ssl.TLSVersion.TLSv1_1)

        assert await serial(port, version=ssl.TLSVersion.TLSv1_2)


NAMES = ("faulty", "expires_timestamp_seconds")


def test_the_metrics_say_when_the_certificate_ends_and_that_a_newer_one_is_broken(secret: MountedSecret) -> None:
    registry = CollectorRegistry()
    certificate = ServingCertificate(secret.certificate, secret.key)
    CertificateMetrics(certificate, registry)
    secret.put(*BROKEN[0][1])

    faulty, expires = (registry.get_sample_value(f"aeterna_tls_certificate_{name}") for name in NAMES)

    assert (faulty, expires) == (1, certificate.expires)


@pytest.mark.parametrize("missing", ["tls_certificate_file", "tls_key_file"])
def test_half_a_pair_is_no_setting(missing: str) -> None:
    pair = {"tls_certificate_file": "/tls.crt", "tls_key_file": "/tls.key"}

    with pytest.raises(ValidationError):
        ListenSettings.model_validate({"port": 0, **pair, missing: None})
