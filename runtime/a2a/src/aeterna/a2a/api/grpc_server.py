"""The gRPC server of a process, beside its HTTP one and on the same loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import grpc
import grpc.aio
import structlog
from a2a.compat.v0_3.a2a_v0_3_pb2_grpc import (
    add_A2AServiceServicer_to_server as add_legacy,  # pyright: ignore[reportUnknownVariableType] - generated code
)
from a2a.types.a2a_pb2_grpc import (
    add_A2AServiceServicer_to_server as add_present,  # pyright: ignore[reportUnknownVariableType] - generated code
)
from a2a.utils.constants import PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0

from aeterna.a2a.api.exchange import GrpcContexts
from aeterna.a2a.api.grpc_calls import Door, LegacyServicer, Servicer
from aeterna.service.errors import AddressInUseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.a2a.api.gate import Gate
    from aeterna.a2a.api.handler import ConversationHandler
    from aeterna.a2a.api.streams import Streams
    from aeterna.service.tls import ServingCertificate

log = structlog.stdlib.get_logger(__name__)


class GrpcListener:
    """Serves both versions of the protocol's gRPC service on one port, with TLS where the process serves with it."""

    def __init__(
        self, handler: ConversationHandler, gate: Gate, streams: Streams, *, address: str, max_bytes: int
    ) -> None:
        """Take ``host:port``; port 0 is any that is free, and `port` says which."""
        self._handler = handler
        self._door = Door(gate, streams)
        self._address = address
        self._max_bytes = max_bytes
        self._server: grpc.aio.Server | None = None
        self.port = 0

    async def start(self, certificate: ServingCertificate | None = None) -> None:
        """Listen, or raise `AddressInUseError`."""
        server = grpc.aio.server(
            interceptors=[self._door],
            options=[
                # Two processes on one port would share calls without knowing of each other.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", self._max_bytes),
                ("grpc.max_send_message_length", -1),
            ],
        )
        add_present(Servicer(self._handler, GrpcContexts(PROTOCOL_VERSION_1_0)), server)
        add_legacy(LegacyServicer(self._handler, GrpcContexts(PROTOCOL_VERSION_0_3)), server)
        try:
            if certificate is None:
                self.port = server.add_insecure_port(self._address)
            else:
                self.port = server.add_secure_port(self._address, _credentials(certificate))
        except RuntimeError:
            raise AddressInUseError(self._address, "stop it or choose another gRPC port") from None
        await server.start()
        self._server = server
        log.info("a2a.grpc_listening", port=self.port, tls=certificate is not None)

    async def stop(self, grace: timedelta) -> None:
        """Take no new calls, and give those under way so long to end."""
        if self._server is not None:
            await self._server.stop(grace.total_seconds())


def _credentials(certificate: ServingCertificate) -> grpc.ServerCredentials:
    """Return what gives each new connection the pair that is in force then."""
    given = certificate.pem

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        certificate.refresh()
        if certificate.pem == given:
            return None
        given = certificate.pem
        return _configuration(given)

    # The stubs know no "nothing changed", which is None.
    fetch = cast("Callable[[], grpc.ServerCertificateConfiguration]", changed)
    return grpc.dynamic_ssl_server_credentials(_configuration(given), fetch)


def _configuration(pem: tuple[bytes, bytes]) -> grpc.ServerCertificateConfiguration:
    chain, key = pem
    return grpc.ssl_server_certificate_configuration([(key, chain)])
