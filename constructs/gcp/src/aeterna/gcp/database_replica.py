"""A read-only copy of a database in a second region, under a key of that region, reachable from the network there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.contracts.recovery import ReplicaOutputs
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.database import CHANGED_BY_A_SWITCHOVER, GROWN_BY_THE_SERVICE, PORT
from aeterna.gcp.database_administrator import LOG_IN, user_of
from aeterna.gcp.database_logs import database_logs
from aeterna.gcp.database_names import DatabaseName, Way, own_name
from aeterna.gcp.database_settings import settings
from aeterna.gcp.grants import OneResource, Target
from aeterna.gcp.l1.compute_address import GoogleComputeAddress
from aeterna.gcp.l1.compute_forwarding_rule import GoogleComputeForwardingRule
from aeterna.gcp.l1.sql_database_instance import GoogleSqlDatabaseInstance
from aeterna.gcp.reach import Closed, Door
from aeterna.gcp.suffixes import unused_suffix
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.database import DatabaseSpec
    from aeterna.gcp.database import CloudSqlPostgres
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.network import GcpNetwork
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

LONGEST_NAME = 63
SET_ONCE_PROMOTED = tuple(
    f"settings[0].{name}"
    for name in ("availability_type", "backup_configuration", "final_backup_config", "maintenance_window")
)
"""What only a server of its own has, and the people who promote a copy turn on: an apply must not turn it off again."""


@names_itself
class CloudSqlReplica(Construct):
    """A replica that follows a server of another region and can be promoted.

    Replication runs in Google's own network, which belongs to the first network; a network of Google Cloud spans every
    region, so that the loss of one does not lose it. Another network reaches the replica by an endpoint: an address of
    its own that stands for the server. Nothing may open a connection to it until a cluster is admitted there, and
    nobody may log in until the copy is granted to an identity, as with any other store.

    It is of one zone: it costs half as much, and Cloud SQL makes it highly available in place once it is promoted.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        place: GcpPlace,
        source: CloudSqlPostgres,
        network: GcpNetwork,
        key: GcpKey,
    ) -> None:
        super().__init__(scope, id_)
        key.require_at("DatabaseSpec", place.region)
        self.name = suffixed("DatabaseSpec", "name", spec.name, "replica", longest=LONGEST_NAME)
        _require_another_region(source, place)
        self._place = place
        server = self._server(spec, place=place, source=source, key=key)
        self._target = Target(path=f"/instances/{server.name}")
        database_logs(self, "Logs", spec, name=self.name, server=server.name, place=place, key=key)
        address = self._endpoint(server, place=place, network=network)
        self.door = Door(name=self.name, network=network.network_id, addresses=(address,), port=PORT)
        Closed(self, "Closed", self.door)
        named = DatabaseName(
            self,
            "Name",
            zone=self.name,
            own_name=own_name(server, Way.ENDPOINT),
            address=address,
            place=place,
            network=network,
        )
        self.outputs = ReplicaOutputs(host=named.host, port=Late(PORT))

    def login(self, email: Late) -> Late:
        """Return the user as which the account logs in, which is the same as at the source."""
        return user_of(email)

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Let an account that has a login at the source log in here as well; logins are copied with the data."""
        granted = OneResource(
            scope, id_, place=self._place, roles=LOG_IN, member=f"serviceAccount:{email}", target=self._target
        )
        return granted.members

    def _server(
        self, spec: DatabaseSpec, *, place: GcpPlace, source: CloudSqlPostgres, key: GcpKey
    ) -> GoogleSqlDatabaseInstance:
        usable = key.grant(self, "KeyUse", service_agent(place, Agent.CLOUD_SQL), after=[place.service("sqladmin")])
        return GoogleSqlDatabaseInstance(
            self,
            "Resource",
            name=f"{self.name}-{unused_suffix(self, 'Suffix')}",
            region=place.region,
            database_version=f"POSTGRES_{spec.major}",
            instance_type="READ_REPLICA_INSTANCE",
            master_instance_name=source.instance_name,
            encryption_key_name=key.id,
            settings=settings(
                spec,
                network=source.network,
                availability="ZONAL",
                backups={"enabled": False},
                labels=place.labels,
                copied_for=place.project,
            ),
            deletion_protection=spec.protected,
            timeouts={"create": "90m", "update": "60m", "delete": "30m"},
            depends_on=[place.service("sqladmin"), usable],
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected),
                ignore_changes=[GROWN_BY_THE_SERVICE, *CHANGED_BY_A_SWITCHOVER, *SET_ONCE_PROMOTED],
            ),
        )

    def _endpoint(self, server: GoogleSqlDatabaseInstance, *, place: GcpPlace, network: GcpNetwork) -> Late:
        """Give the server an address in the network of its region."""
        address = GoogleComputeAddress(
            self,
            "Address",
            name=self.name,
            region=place.region,
            address_type="INTERNAL",
            subnetwork=network.subnetwork_id,
        )
        GoogleComputeForwardingRule(
            self,
            "Endpoint",
            name=self.name,
            region=place.region,
            network=network.network_id,
            ip_address=address.id,
            target=server.psc_service_attachment_link,
            # An endpoint of this kind balances nothing, and the argument's default would say that it does.
            load_balancing_scheme="",
        )
        return Late(address.address)


def _require_another_region(source: CloudSqlPostgres, place: GcpPlace) -> None:
    if source.region == place.region:
        problem = f"the source stands in {place.region} as well, and would be lost with its copy"
        raise InvalidSpecError("DatabaseSpec", "name", problem, "put the copy into another region")
