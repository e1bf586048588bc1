"""Lets the nodes of a cluster reach stores over the network, from the stack of the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.store_access import Clients

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.cache import ElastiCacheValkey
    from aeterna.aws.database import RdsPostgres
    from aeterna.aws.store_access import StoreClient


class Admission(Construct):
    """One rule in each store's security group, named after the store, that lets the client in on the store's port.

    It stands where the client does, so that a store does not have to know of a cluster that is made after it.
    """

    def __init__(
        self, scope: Construct, id_: str, *, client: StoreClient, stores: Sequence[RdsPostgres | ElastiCacheValkey]
    ) -> None:
        super().__init__(scope, id_)
        for store in stores:
            Clients(
                self,
                f"Into{store.node.id}",
                security_group_id=store.security_group_id,
                port=store.port,
                clients=[client],
            )
