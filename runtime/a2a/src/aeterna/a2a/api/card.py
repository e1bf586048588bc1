"""The agent's card as it is served: the author's words, with the interfaces and the security that are really there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from a2a.server.routes.agent_card_routes import create_agent_card_routes
from a2a.types import (
    AgentCard,
    AgentInterface,
    HTTPAuthSecurityScheme,
    SecurityRequirement,
    SecurityScheme,
    StringList,
)
from a2a.utils.constants import PROTOCOL_VERSION_0_3, PROTOCOL_VERSION_1_0, TransportProtocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from starlette.routing import Route

_BEARER: Final = "bearer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where callers reach the agent: an address for both HTTP bindings, and ``host:port`` of gRPC if it is served."""

    http: str
    grpc: str | None = None


def served_card(written: AgentCard, addresses: Addresses, *, extended: bool) -> AgentCard:
    """Return a copy of the author's card that tells the truth about the server.

    What the author switched off stays off; streaming and push notifications that the author said nothing of are on.
    """
    card = AgentCard()
    card.CopyFrom(written)
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(_interfaces(addresses))
    if not card.capabilities.HasField("streaming"):
        card.capabilities.streaming = True
    if not card.capabilities.HasField("push_notifications"):
        card.capabilities.push_notifications = True
    card.capabilities.extended_agent_card = extended
    card.security_schemes[_BEARER].CopyFrom(
        SecurityScheme(
            http_auth_security_scheme=HTTPAuthSecurityScheme(
                scheme="Bearer", bearer_format="JWT", description="A JWT of the platform's issuer that names a tenant."
            )
        )
    )
    del card.security_requirements[:]
    card.security_requirements.append(SecurityRequirement(schemes={_BEARER: StringList()}))
    return card


def card_routes(card: AgentCard, *, max_age: timedelta) -> Sequence[Route]:
    """Return the route of the well-known address; the card is public, and may be remembered for ``max_age``."""
    return create_agent_card_routes(card, cache_control=f"public, max-age={max_age.total_seconds():.0f}")


def _interfaces(addresses: Addresses) -> list[AgentInterface]:
    """Return what is served, the one to prefer first; 0.3 has the same addresses."""
    http = addresses.http.rstrip("/")
    served = [(TransportProtocol.JSONRPC, f"{http}/"), (TransportProtocol.HTTP_JSON, http)]
    if addresses.grpc is not None:
        served.append((TransportProtocol.GRPC, addresses.grpc))
    return [
        AgentInterface(url=url, protocol_binding=binding.value, protocol_version=version)
        for version in (PROTOCOL_VERSION_1_0, PROTOCOL_VERSION_0_3)
        for binding, url in served
    ]
