"""PostgreSQL on Cloud SQL: a standby in another zone, TLS only, logins by IAM, one key, restorable to a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.contracts.database import DatabaseOutputs
from aeterna.contracts.late import Late
from aeterna.gcp.agents import Agent, service_agent
from aeterna.gcp.database_administrator import DatabaseAdministrator, Login, user_of
from aeterna.gcp.database_alarms import Limits, database_alarms
from aeterna.gcp.database_logs import database_logs
from aeterna.gcp.database_machine import connections
from aeterna.gcp.database_names import DatabaseName, Way, own_name
from aeterna.gcp.database_settings import backups, settings
from aeterna.gcp.grants import Target
from aeterna.gcp.l1.data_sql_database_instance import DataGoogleSqlDatabaseInstance
from aeterna.gcp.l1.sql_database import GoogleSqlDatabase
from aeterna.gcp.l1.sql_database_instance import GoogleSqlDatabaseInstance
from aeterna.gcp.reach import Closed, Door
from aeterna.gcp.suffixes import unused_suffix
from aeterna.synth.expressions import Fn
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.database import DatabaseSpec
    from aeterna.gcp.alarm import Alarm
    from aeterna.gcp.keys import GcpKey
    from aeterna.gcp.network import GcpNetwork
    from aeterna.gcp.place import GcpPlace
    from aeterna.synth._cdk import ITerraformDependable

PORT = "5432"
TRUST_BUNDLE = "https://storage.googleapis.com/cloudsql-ca-bundles/global.pem"
"""The authorities of every region (Cloud SQL documentation, "Authorize with SSL/TLS certificates": shared CA)."""

CHANGED_BY_A_SWITCHOVER = ("instance_type", "master_instance_name", "replica_names", "replication_cluster")
GROWN_BY_THE_SERVICE = "settings[0].disk_size"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingDatabase:
    """The facts of a PostgreSQL server on Cloud SQL that the customer already has.

    ``identifier`` is the server's name. It needs ``cloudsql.iam_authentication``, an address in the network, and the
    authority that is shared by its region (``GOOGLE_MANAGED_CAS_CA``). ``administrator`` is a login that migrations
    use.
    """

    identifier: str
    administrator: str
    database: str = "aeterna"


@names_itself
class CloudSqlPostgres(Construct):
    """A PostgreSQL server on Cloud SQL, with an address that nothing reaches until a cluster is admitted.

    Every login is an account of Google's with a token; `grant_to` makes one for a workload, without any right in the
    database. The roles of `DatabaseSpec.users` are a migration's to make, and to grant to these logins. No extension
    that Cloud SQL offers is blocked: ``CREATE EXTENSION vector`` works.
    """

    def __init__(
        self, scope: Construct, id_: str, spec: DatabaseSpec, *, place: GcpPlace, network: GcpNetwork, key: GcpKey
    ) -> None:
        super().__init__(scope, id_)
        key.require_at("DatabaseSpec", place.region)
        self.name = spec.name
        self.network = network
        self._place = place
        self._limits: Limits | None = Limits(gib=spec.most_storage_gib, connections=connections(spec))
        server = self._made(spec, network=network, key=key)
        self.instance_name = Late(server.name)
        self._server: GoogleSqlDatabaseInstance | DataGoogleSqlDatabaseInstance = server
        self._target = Target(path=f"/instances/{server.name}")
        address = Late(server.private_ip_address)
        self.door = Door(name=spec.name, network=network.network_id, addresses=(address,), port=PORT)
        Closed(self, "Closed", self.door)
        named = DatabaseName(
            self,
            "Name",
            zone=spec.name,
            own_name=own_name(server, Way.PEERING),
            address=address,
            place=place,
            network=network,
        )
        database = GoogleSqlDatabase(
            self, "Database", instance=server.name, name=spec.database, deletion_policy="ABANDON"
        )
        self.administrator = DatabaseAdministrator(
            self, "Administrator", name=spec.name, server=server.name, target=self._target, place=place
        )
        database_logs(self, "Logs", spec, name=spec.name, server=server.name, place=place, key=key)
        self.outputs = DatabaseOutputs(
            endpoint=Late(f"{named.host}:{PORT}"),
            host=named.host,
            port=Late(PORT),
            database=Late(database.name),
            certificate_authority=Late(TRUST_BUNDLE),
            administrator=self.administrator.login,
        )

    @classmethod
    def existing(
        cls, scope: Construct, id_: str, facts: ExistingDatabase, *, place: GcpPlace, network: GcpNetwork
    ) -> CloudSqlPostgres:
        """Take a server that the customer already has; it is looked up, and only gets new logins and clients."""
        return _ExistingPostgres(scope, id_, facts, place=place, network=network)

    @property
    def region(self) -> str:
        """Return the region that the server stands in."""
        return self._place.region

    @property
    def database(self) -> Late:
        """Return the name of the first database on the server."""
        return self.outputs.database

    @property
    def service_account(self) -> Late:
        """Return the address of the account as which the server itself writes exports."""
        return Late(self._server.service_account_email_address)

    def login(self, email: Late) -> Late:
        """Return the user as which the account logs in: its address without what all of them end with."""
        return user_of(email)

    def grant_to(self, scope: Construct, id_: str, *, email: Late) -> Sequence[ITerraformDependable]:
        """Make a login for the account, and let it log in here and at no other server of the project."""
        made = Login(scope, id_, email=email, server=self.instance_name, target=self._target, place=self._place)
        return made.ready

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm, ...]:
        """Return what people are told of: a server that is down, busy, full, or has no connection left."""
        return database_alarms(f"{self._place.project}:{self.instance_name}", spec, limits=self._limits)

    def _made(self, spec: DatabaseSpec, *, network: GcpNetwork, key: GcpKey) -> GoogleSqlDatabaseInstance:
        place = self._place
        usable = key.grant(self, "KeyUse", service_agent(place, Agent.CLOUD_SQL), after=[place.service("sqladmin")])
        return GoogleSqlDatabaseInstance(
            self,
            "Resource",
            # A server's name stays taken for a week after the server is gone.
            name=f"{spec.name}-{unused_suffix(self, 'Suffix')}",
            region=place.region,
            database_version=f"POSTGRES_{spec.major}",
            encryption_key_name=key.id,
            settings=settings(
                spec,
                network=network,
                availability="REGIONAL" if spec.highly_available else "ZONAL",
                backups=backups(spec, region=place.region),
                labels=place.labels,
            ),
            deletion_protection=spec.protected,
            timeouts={"create": "60m", "update": "60m", "delete": "30m"},
            depends_on=[place.service("sqladmin"), usable, network.private_services],
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected),
                ignore_changes=[GROWN_BY_THE_SERVICE, *CHANGED_BY_A_SWITCHOVER],
            ),
        )


@names_itself
class _ExistingPostgres(CloudSqlPostgres):
    """A server that is only looked up."""

    def __init__(
        self, scope: Construct, id_: str, facts: ExistingDatabase, *, place: GcpPlace, network: GcpNetwork
    ) -> None:
        Construct.__init__(self, scope, id_)
        self.name = facts.identifier
        self.network = network
        self._place = place
        self._limits = None
        server = DataGoogleSqlDatabaseInstance(self, "Resource", name=facts.identifier)
        self._server = server
        self.instance_name = Late(server.name)
        self._target = Target(path=f"/instances/{server.name}")
        self.door = Door(
            name=facts.identifier,
            network=network.network_id,
            addresses=(Late(server.private_ip_address),),
            port=PORT,
        )
        host = Late(Fn.trimsuffix(own_name(server, Way.PEERING), "."))
        self.outputs = DatabaseOutputs(
            endpoint=Late(f"{host}:{PORT}"),
            host=host,
            port=Late(PORT),
            database=Late(facts.database),
            certificate_authority=Late(TRUST_BUNDLE),
            administrator=Late(facts.administrator),
        )
