"""The private network everything else stands in: its spec, and what a deployed one tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aeterna.contracts.addresses import (
    LARGEST_PREFIX,
    SMALLEST_PREFIX,
    ZoneBlocks,
    carve,
    parse_block,
    require_disjoint,
    require_private,
)
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import require_between, require_distinct, require_name

FEWEST_ZONES = 2
MOST_ZONES = 3


class Egress(StrEnum):
    """How workloads reach the internet; nothing on the internet ever reaches them."""

    PER_ZONE = "per-zone"
    """One translated way out in every zone: losing a zone cuts off only that zone. The default."""

    SHARED = "shared"
    """One way out for all zones: cheaper, and losing its zone cuts off every zone. For development."""

    NONE = "none"
    """No way out at all: images must be mirrored, and private endpoints are the only way to the cloud's services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSpec:
    """A private network over several zones, with flow logs and private ways to the cloud's own services.

    - ``name`` leads the name of everything in the network.
    - ``cidr`` is the block to carve, /16 to /20. Default: 10.0.0.0/16. Changing it later replaces everything.
    - ``zones`` is how many zones to span, 2 or 3. Default: 3. One zone is refused: a highly available database and
      the managed control planes need two.
    - ``zone_ids`` pins the zones by the identifier that means the same zone in every account. Default: the first
      ``zones`` that the region offers. Pin them where several accounts must share a zone.
    - ``connected`` lists the blocks that this network will be routed to (peers, offices). They may not overlap it.
    - ``egress`` is how workloads reach the internet. Default: a way out in every zone.
    - ``private_endpoints`` keeps the traffic to the cloud's services inside the network. Default: on.
    - ``flow_log_days`` is how long accepted and refused flows are kept, encrypted. Default: 90.
    """

    name: str
    cidr: str = "10.0.0.0/16"
    zones: int = 3
    zone_ids: tuple[str, ...] = ()
    connected: tuple[str, ...] = ()
    egress: Egress = Egress.PER_ZONE
    private_endpoints: bool = True
    flow_log_days: int = 90

    def __post_init__(self) -> None:
        """Refuse what could not be deployed."""
        kind = type(self).__name__
        require_name(kind, "name", self.name)
        self._check_zones(kind)
        self._check_blocks(kind)
        if self.egress is Egress.NONE and not self.private_endpoints:
            raise InvalidSpecError(
                kind,
                "private_endpoints",
                "switched off in a network without egress, so that nodes could never join the cluster",
                "switch private_endpoints on, or allow an egress",
            )

    def _check_zones(self, kind: str) -> None:
        if self.zones == 1:
            raise InvalidSpecError(
                kind,
                "zones",
                "one zone cannot hold a highly available database or control plane",
                f"use {FEWEST_ZONES} or {MOST_ZONES} zones",
            )
        require_between(kind, "zones", self.zones, (FEWEST_ZONES, MOST_ZONES), "zones")
        require_distinct(kind, "zone_ids", self.zone_ids)
        if self.zone_ids and len(self.zone_ids) != self.zones:
            raise InvalidSpecError(
                kind,
                "zone_ids",
                f"{len(self.zone_ids)} zones are named and zones is {self.zones}",
                "name exactly as many zones as the network spans, or none",
            )

    def _check_blocks(self, kind: str) -> None:
        block = parse_block(kind, "cidr", self.cidr)
        if not LARGEST_PREFIX <= block.prefixlen <= SMALLEST_PREFIX:
            raise InvalidSpecError(
                kind,
                "cidr",
                f"{block} cannot be carved into subnets that the services accept",
                f"use a block of /{LARGEST_PREFIX} to /{SMALLEST_PREFIX}",
            )
        require_private(kind, "cidr", block)
        for text in self.connected:
            other = parse_block(kind, "connected", text)
            require_disjoint(kind, "cidr", block, other, "a connected network")

    def blocks(self) -> tuple[ZoneBlocks, ...]:
        """Return the address blocks of each zone, in order."""
        return carve(parse_block(type(self).__name__, "cidr", self.cidr), self.zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOutputs:
    """A deployed network. Every value is an attribute of a resource, so that who uses it waits for it."""

    network_id: Late
    cidr: Late
    private_subnet_ids: tuple[Late, ...]
    zones: tuple[Late, ...]
    egress_addresses: tuple[Late, ...]
    """The public addresses that workloads are seen from, for a partner's allow-list; empty without egress."""
