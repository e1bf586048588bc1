"""Lets a cluster's nodes into what they need: here that is the registry, from which they pull images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.registry import ContainerRegistry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.cluster import AksCluster


class Admission(Construct):
    """What a cluster's nodes may do at the given stores.

    A database and a cache stand in the network behind firewalls that let in the network's own addresses: what a
    cluster's nodes can reach, its identities decide. So there is nothing to open for those.
    """

    def __init__(self, scope: Construct, id_: str, *, cluster: AksCluster, stores: Sequence[Construct]) -> None:
        super().__init__(scope, id_)
        for store in stores:
            if isinstance(store, ContainerRegistry):
                store.grant_to(
                    self,
                    f"Pull-{store.node.id}",
                    principal_id=cluster.pulling_principal_id,
                    name=cluster.outputs.name,
                )
