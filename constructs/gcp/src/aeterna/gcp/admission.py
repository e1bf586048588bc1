"""Lets the nodes of a cluster reach stores over the network and pull images, from the stack of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.gcp.reach import Opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.gcp.cluster import GkeCluster
    from aeterna.gcp.reach import Reachable
    from aeterna.gcp.registry import ArtifactRegistry


class Admission(Construct):
    """One rule for each store, named after it, that lets the cluster's nodes reach its address on its port.

    Pods have addresses of their node's, so that what the node may reach, its pods may. Registries are granted to the
    account that nodes pull as. All of it stands where the cluster does: a store does not have to know of a cluster that
    is made after it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: GkeCluster,
        reaches: Sequence[Reachable] = (),
        pulls: Sequence[ArtifactRegistry] = (),
    ) -> None:
        super().__init__(scope, id_)
        for store in reaches:
            Opened(self, f"Into{store.node.id}", store.door, client=cluster.name, account=cluster.node_account)
        for registry in pulls:
            registry.grant(self, f"From{registry.node.id}", f"serviceAccount:{cluster.node_account}")
