"""A copy of a PostgreSQL server in a second region: read-only, a few seconds behind, under a key of that region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.database import LOGS, MOVES_BY_ITSELF, PORT, server_name
from aeterna.azure.database_machine import disk_mib, machine
from aeterna.azure.l1.postgresql_flexible_server import AzurermPostgresqlFlexibleServer
from aeterna.azure.l1.postgresql_flexible_server_virtual_endpoint import AzurermPostgresqlFlexibleServerVirtualEndpoint
from aeterna.azure.log_archive import LogArchive
from aeterna.azure.peering import Peering
from aeterna.azure.private_dns import POSTGRES
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.recovery import ReplicaOutputs
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from aeterna.azure.database import FlexiblePostgres
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.database import DatabaseSpec

SWAPS = ("create_mode", "source_server_id", "replication_role")
"""What a switchover swaps between the two servers. Setting it back would replace whichever is the copy then."""


@names_itself
class PostgresReplica(Construct):
    """A read-only copy, reached like its source, whose zone of names the second network is let into.

    The two networks are connected, because the copy pulls from its source. The virtual endpoint is what the service
    demands before it switches the two over without losing anything; its names then point the other way.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        source: FlexiblePostgres,
        place: AzurePlace,
        network: AzureNetwork,
        key: AzureKey,
    ) -> None:
        super().__init__(scope, id_)
        if source.network is None:
            problem = f"the network of {source.name!r} is not known, and the copy has to reach it"
            raise InvalidSpecError("FlexiblePostgres", "network", problem, "give it to FlexiblePostgres.existing")
        peering = Peering(self, "Peering", one=source.network, other=network)
        zone = source.network.zone(POSTGRES)
        link = zone.link(self, "Link", network.label, network.network_id)
        user = key.identity_for(self, "KeyUser", place=place)
        replica = AzurermPostgresqlFlexibleServer(
            self,
            "Resource",
            name=server_name(spec, place),
            resource_group_name=place.group_name,
            location=place.location,
            create_mode="Replica",
            source_server_id=source.id,
            version=spec.major,
            sku_name=machine(spec),
            storage_mb=disk_mib(spec),
            auto_grow_enabled=True,
            delegated_subnet_id=network.database_subnet_id,
            private_dns_zone_id=zone.id,
            public_network_access_enabled=False,
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            customer_managed_key={
                "key_vault_key_id": key.versionless_id,
                "primary_user_assigned_identity_id": user.id,
            },
            depends_on=[*peering.ready, link, *network.ready, *user.ready],
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected), ignore_changes=[*MOVES_BY_ITSELF, *SWAPS]
            ),
        )
        AzurermPostgresqlFlexibleServerVirtualEndpoint(
            self,
            "Endpoint",
            name=replica.name,
            source_server_id=source.id,
            replica_server_id=replica.id,
            type="ReadWrite",
        )
        logs = LogArchive(self, "Logs", name=f"{spec.name}-replica", days=spec.log_days, place=place, key=key)
        logs.collect(self, "Collection", of=replica.id, name="archive", categories=LOGS)
        self.outputs = ReplicaOutputs(host=Late(replica.fqdn), port=Late(str(PORT)))
