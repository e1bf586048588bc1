"""An agent that serves with a certificate does so on its gRPC port too, with the newest good one."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from fixtures.a2a_served import served
from fixtures.serving_pair import MountedSecret, TestAuthority

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

AUTHORITY = TestAuthority()


async def shown(port: int) -> x509.Certificate:
    """Return the certificate that a new connection for gRPC is shown."""
    context = ssl.create_default_context(cadata=AUTHORITY.pem().decode())
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    found = writer.get_extra_info("ssl_object")
    assert found.selected_alpn_protocol() == "h2"
    writer.transport.abort()
    return x509.load_der_x509_certificate(found.getpeercert(binary_form=True))


def mounted(secret: MountedSecret) -> x509.Certificate:
    """Return the certificate that is mounted."""
    return x509.load_pem_x509_certificate(secret.certificate.read_bytes())


async def test_grpc_shows_the_newest_good_certificate(tmp_path: Path) -> None:
    secret = MountedSecret(tmp_path / "tls")
    secret.put(*AUTHORITY.pair())
    async with served(tls_certificate_file=secret.certificate, tls_key_file=secret.key) as agent:
        port = int(agent.grpc_address.rpartition(":")[2])
        first = (await shown(port), mounted(secret))
        good = AUTHORITY.pair()
        secret.put(*good)
        second = (await shown(port), mounted(secret))
        secret.put(good[0], AUTHORITY.pair()[1])
        third = await shown(port)

    assert first[0] == first[1] != second[0]
    assert second[0] == second[1] == third
