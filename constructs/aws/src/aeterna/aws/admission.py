"""Lets the nodes of a cluster reach stores over the network, from the stack of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from constructs import Construct

from aeterna.aws.store_access import Clients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Node

    from aeterna.aws.store_access import StoreClient


class Reachable(Protocol):
    """A store, or a copy of one, that a client calls on one port."""

    @property
    def node(self) -> Node:
        """Return its place in the tree."""
        ...

    @property
    def security_group_id(self) -> str:
        """Return the group that decides who may call."""
        ...

    @property
    def port(self) -> int:
        """Return the port."""
        ...


class Admission(Construct):
    """One rule in each store's security group, named after the store, that lets the client in on the store's port.

    It stands where the client does, so that a store does not have to know of a cluster that is made after it.
    """

    def __init__(self, scope: Construct, id_: str, *, client: StoreClient, stores: Sequence[Reachable]) -> None:
        super().__init__(scope, id_)
        for store in stores:
            Clients(
                self,
                f"Into{store.node.id}",
                security_group_id=store.security_group_id,
                port=store.port,
                clients=[client],
            )
