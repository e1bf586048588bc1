"""The gRPC server of a process, beside its HTTP one and on the same loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from datetime import timedelta

    from aeterna.a2a.api.gate import Gate
    from aeterna.a2a.api.handler import ConversationHandler
    from aeterna.a2a.api.streams import Streams

log = structlog.stdlib.get_logger(__name__)


class GrpcListener:
    """Serves both versions of the protocol's gRPC service on one port.

    In plain text: TLS is the mesh's or a gateway's, as it is for HTTP.
    """

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

    async def start(self) -> None:
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
            self.port = server.add_insecure_port(self._address)
        except RuntimeError:
            raise AddressInUseError(self._address, "stop it or choose another gRPC port") from None
        await server.start()
        self._server = server
        log.info("a2a.grpc_listening", port=self.port)

    async def stop(self, grace: timedelta) -> None:
        """Take no new calls, and give those under way so long to end."""
        if self._server is not None:
            await self._server.stop(grace.total_seconds())
