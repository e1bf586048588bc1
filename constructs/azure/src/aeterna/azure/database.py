"""PostgreSQL on Flexible Server: a standby in another zone, TLS only, logins by Entra ID, under the customer's key."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.alarm import Alarm, Severity
from aeterna.azure.database_administrator import DatabaseAdministrator
from aeterna.azure.database_machine import DAYS, connections, disk_mib, machine, require_backup_days
from aeterna.azure.l1.data_postgresql_flexible_server import DataAzurermPostgresqlFlexibleServer
from aeterna.azure.l1.postgresql_flexible_server import AzurermPostgresqlFlexibleServer
from aeterna.azure.l1.postgresql_flexible_server_configuration import AzurermPostgresqlFlexibleServerConfiguration
from aeterna.azure.l1.postgresql_flexible_server_database import AzurermPostgresqlFlexibleServerDatabase
from aeterna.azure.log_archive import LogArchive
from aeterna.azure.private_dns import POSTGRES
from aeterna.azure.worldwide import worldwide
from aeterna.contracts.database import DatabaseOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.cluster import AksCluster
    from aeterna.azure.identity import Federation
    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.database import DatabaseSpec
    from aeterna.contracts.identity import IdentitySpec
    from aeterna.synth._cdk import ITerraformDependable

PORT = 5432
LONGEST_SERVER = 63
METRICS = "Microsoft.DBforPostgreSQL/flexibleServers"
LOGS = ("PostgreSQLLogs", "PostgreSQLFlexSessions")

MOVES_BY_ITSELF = ("zone", "high_availability[0].standby_availability_zone", "storage_mb", "storage_tier")
"""What the service changes after the first apply: a failover swaps the zones, and a disk that fills up grows. Setting
either back would move the server, or replace it by one with a smaller disk."""


@names_itself
class FlexiblePostgres(Construct):
    """A PostgreSQL server inside the network, to which only identities of Entra ID can log in.

    Nobody has a password. The administrator is an identity of its own, `administered_by` one service account: a
    migration, which makes the roles of the workloads, each named after the workload's identity, and the extensions.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        place: AzurePlace,
        network: AzureNetwork,
        key: AzureKey,
    ) -> None:
        super().__init__(scope, id_)
        self.name, self.place = spec.name, place
        self.network: AzureNetwork | None = network
        self._connections: int | None = connections(spec)
        server = self._server(spec, network, key)
        self.id = Late(server.id)
        administrator = DatabaseAdministrator(self, "Administrator", name=spec.name, server=server, place=place)
        self._administrator: DatabaseAdministrator | None = administrator
        settings = self._settings(spec, server)
        database = AzurermPostgresqlFlexibleServerDatabase(
            self,
            "Database",
            name=spec.database,
            server_id=server.id,
            charset="UTF8",
            collation="en_US.utf8",
            lifecycle=Lifecycle(prevent_destroy=protected(self, wanted=spec.protected)),
            depends_on=settings,
        )
        logs = LogArchive(self, "Logs", name=f"{spec.name}-database", days=spec.log_days, place=place, key=key)
        logs.collect(self, "Collection", of=server.id, name="archive", categories=LOGS)
        self.outputs = DatabaseOutputs(
            endpoint=Late(f"{server.fqdn}:{PORT}"),
            host=Late(server.fqdn),
            port=Late(str(PORT)),
            database=Late(database.name),
            certificate_authority=Late(roots()),
            administrator=administrator.login,
        )

    @classmethod
    def existing(
        cls,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: AzurePlace,
        database: str,
        administrator: str,
        network: AzureNetwork | None = None,
    ) -> FlexiblePostgres:
        """Take a server that the customer already has, in the given place; one that is not there is refused at plan.

        It has to let identities of Entra ID log in. ``administrator`` is the one who makes roles there. ``network`` is
        what it stands in, which only a copy in a second region has to know.
        """
        return _ExistingPostgres(
            scope, id_, name=name, place=place, database=database, administrator=administrator, network=network
        )

    @property
    def watched_name(self) -> str:
        """Return the name that alarms carry."""
        return self.name

    @property
    def watched_id(self) -> str:
        """Return what alarms are made on."""
        return self.id

    def administered_by(self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: AksCluster) -> Federation:
        """Let the pods of one service account, and of no other, log in as the administrator: for migrations."""
        if self._administrator is None:
            problem = f"{self.name!r} is a server that was there already, and so is its administrator"
            raise InvalidSpecError(
                "FlexiblePostgres", "administrator", problem, "federate that identity where it is made"
            )
        return self._administrator.federate(scope, id_, spec, cluster=cluster)

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Return nothing to wait for: who may log in is written in the database itself, by a migration."""
        del scope, id_, principal_id, name
        return ()

    def login(self, *, principal_id: Late, name: Late) -> Late:
        """Return the role that an identity logs in as: its own name."""
        del principal_id
        return name

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm, ...]:
        """Watch the processor, the disk, whether it answers at all, and the connections where their limit is known."""
        crowded = () if self._connections is None else (_crowded(self._connections, spec.full_percent),)
        return (
            *crowded,
            Alarm(name="database-busy", namespace=METRICS, metric="cpu_percent", threshold=spec.busy_percent),
            Alarm(
                name="database-full",
                namespace=METRICS,
                metric="storage_percent",
                threshold=spec.full_percent,
                severity=Severity.ERROR,
            ),
            Alarm(
                name="database-down",
                namespace=METRICS,
                metric="is_db_alive",
                aggregation="Maximum",
                operator="LessThan",
                threshold=1,
                severity=Severity.CRITICAL,
            ),
        )

    def _server(self, spec: DatabaseSpec, network: AzureNetwork, key: AzureKey) -> AzurermPostgresqlFlexibleServer:
        zone = network.zone(POSTGRES)
        user = key.identity_for(self, "KeyUser", place=self.place)
        return AzurermPostgresqlFlexibleServer(
            self,
            "Resource",
            name=server_name(spec, self.place),
            resource_group_name=self.place.group_name,
            location=self.place.location,
            version=spec.major,
            sku_name=machine(spec),
            storage_mb=disk_mib(spec),
            auto_grow_enabled=True,
            delegated_subnet_id=network.database_subnet_id,
            private_dns_zone_id=zone.id,
            public_network_access_enabled=False,
            authentication={
                "active_directory_auth_enabled": True,
                "password_auth_enabled": False,
                "tenant_id": self.place.tenant_id,
            },
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            # Without a version, the server follows the key's rotation by itself.
            customer_managed_key={
                "key_vault_key_id": key.versionless_id,
                "primary_user_assigned_identity_id": user.id,
            },
            high_availability={"mode": "ZoneRedundant"} if spec.highly_available else None,
            backup_retention_days=require_backup_days(spec),
            geo_redundant_backup_enabled=False,
            maintenance_window={
                "day_of_week": DAYS.index(spec.maintenance_day),
                "start_hour": spec.maintenance_hour,
                "start_minute": 0,
            },
            depends_on=[*zone.ready, *user.ready],
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected), ignore_changes=list(MOVES_BY_ITSELF)
            ),
        )

    def _settings(
        self, spec: DatabaseSpec, server: AzurermPostgresqlFlexibleServer
    ) -> list[AzurermPostgresqlFlexibleServerConfiguration]:
        """Refuse plain connections, allow vectors, and log what a reader of the logs will ask for."""
        values = {
            "require_secure_transport": "on",
            "ssl_min_protocol_version": "TLSv1.2",
            "azure.extensions": "VECTOR",
            "connection_throttle.enable": "on",
            "log_checkpoints": "on",
            "log_connections": "on",
            "log_disconnections": "on",
            "log_lock_waits": "on",
            "log_statement": "ddl",
            "log_min_duration_statement": str(spec.slow_query_ms),
        }
        return [
            AzurermPostgresqlFlexibleServerConfiguration(
                self, f"Setting-{name}", server_id=server.id, name=name, value=value
            )
            for name, value in values.items()
        ]


@names_itself
class _ExistingPostgres(FlexiblePostgres):
    """A server that is only looked up."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        place: AzurePlace,
        database: str,
        administrator: str,
        network: AzureNetwork | None,
    ) -> None:
        Construct.__init__(self, scope, id_)
        self.name, self.place, self.network = name, place, network
        self._connections, self._administrator = None, None
        server = DataAzurermPostgresqlFlexibleServer(self, "Resource", name=name, resource_group_name=place.group_name)
        self.id = Late(server.id)
        self.outputs = DatabaseOutputs(
            endpoint=Late(f"{server.fqdn}:{PORT}"),
            host=Late(server.fqdn),
            port=Late(str(PORT)),
            database=Late(database),
            certificate_authority=Late(roots()),
            administrator=Late(administrator),
        )


def server_name(spec: DatabaseSpec, place: AzurePlace) -> str:
    """Return the name of the server, unique in all of Azure. Raises `InvalidSpecError` when it would be too long."""
    named = ("DatabaseSpec", "name")
    return worldwide(spec.name, place=place, named=named, longest=LONGEST_SERVER, service="a PostgreSQL server")


def _crowded(connections: int, percent: int) -> Alarm:
    return Alarm(
        name="database-crowded", namespace=METRICS, metric="active_connections", threshold=connections * percent // 100
    )


@cache
def roots() -> str:
    """Return the two certificates that sign those of every server, in PEM.

    The service changes between them (Azure Database for PostgreSQL documentation, "TLS in Azure Database for
    PostgreSQL"), and neither has an address at which both are.
    """
    return files("aeterna.azure").joinpath("database_roots.pem").read_text("ascii").strip()
