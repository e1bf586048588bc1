"""Closes a store's address to everything in the network, and opens it to the nodes of a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.gcp.l1.compute_firewall import GoogleComputeFirewall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Node

    from aeterna.synth._cdk import ITerraformDependable

LONGEST_RULE_NAME = 63
CLOSED = 1000
OPENED = 900
"""The lower number wins (VPC documentation, "Firewall rules")."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where a store can be reached, which is private to the network: its addresses and its port.

    A database and a cache may have one name, and rules of a firewall may not: the port, which is in theirs, differs.
    """

    name: str
    network: Late | str
    addresses: tuple[Late, ...]
    port: str


class Reachable(Protocol):
    """A store that can be reached once its door is open."""

    @property
    def node(self) -> Node:
        """Its place in the tree, whose id names the rule."""
        ...

    @property
    def door(self) -> Door:
        """Where it is reached."""
        ...


class Closed(Construct):
    """Nothing in the network may open a connection to the store, whatever else the network's own rules allow.

    A store of Google's has no firewall of its own towards the network that it is attached to; the machines there have.
    """

    def __init__(self, scope: Construct, id_: str, door: Door) -> None:
        super().__init__(scope, id_)
        self.rule: ITerraformDependable = GoogleComputeFirewall(
            self,
            "Resource",
            name=suffixed("Store", "name", door.name, f"{door.port}-closed", longest=LONGEST_RULE_NAME),
            description=f"Nobody reaches {door.name} who is not admitted",
            network=door.network,
            direction="EGRESS",
            priority=CLOSED,
            destination_ranges=_blocks(door),
            deny=[{"protocol": "all"}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
        )


class Opened(Construct):
    """The machines of one account may reach the store, on its port alone."""

    def __init__(self, scope: Construct, id_: str, door: Door, *, client: str, account: str) -> None:
        super().__init__(scope, id_)
        self.rule: ITerraformDependable = GoogleComputeFirewall(
            self,
            "Resource",
            name=suffixed("Store", "name", door.name, f"{door.port}-from-{client}", longest=LONGEST_RULE_NAME),
            description=f"{client} reaches {door.name}",
            network=door.network,
            direction="EGRESS",
            priority=OPENED,
            destination_ranges=_blocks(door),
            target_service_accounts=[account],
            allow=[{"protocol": "tcp", "ports": [door.port]}],
        )


def _blocks(door: Door) -> Sequence[str]:
    return [f"{address}/32" for address in door.addresses]
