"""PostgreSQL on RDS: Multi-AZ, TLS only, logins by IAM, everything under the customer's key, restorable to a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.database_machine import instance_class, maintenance_window, one_hour
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.db_instance_automated_backups_replication import AwsDbInstanceAutomatedBackupsReplication
from aeterna.aws.l1.db_parameter_group import AwsDbParameterGroup
from aeterna.aws.l1.db_subnet_group import AwsDbSubnetGroup
from aeterna.aws.log_group import LogGroup
from aeterna.aws.policy_document import Statement, sid
from aeterna.aws.roles import Role
from aeterna.aws.store_access import Clients, StoreAccess
from aeterna.aws.store_names import final_snapshot
from aeterna.aws.trust import from_service
from aeterna.contracts.database import DatabaseOutputs, require_role
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.keys import AwsKey
    from aeterna.aws.network import AwsNetwork
    from aeterna.aws.store_access import StoreClient
    from aeterna.contracts.database import DatabaseSpec

PORT = 5432
ADMINISTRATOR = "aeterna_admin"
TRUST_BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"
EXPORTS = {"PostgresqlLogs": "postgresql", "UpgradeLogs": "upgrade", "IamLogs": "iam-db-auth-error"}
"""The logs that RDS for PostgreSQL can export, by the id of their log group; the last tells why an IAM login failed."""
AT_START = ("rds.force_ssl",)
"""Already on by default, with this way of applying it: RDS takes no change of the way alone, so that any other would be
planned again and again (terraform-provider-aws#39252). A new server has it from its first start."""
INSIGHTS_DAYS = 7
MONITORING_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingDatabase:
    """The facts of a PostgreSQL server on RDS that the customer already has.

    ``resource_id`` is RDS's own immutable identifier (``db-…``), which IAM permissions name. ``security_group_id`` is
    the server's, into which its clients are let.
    """

    identifier: str
    resource_id: str
    host: str
    database: str
    administrator: str
    administrator_secret_arn: str
    security_group_id: str
    port: int = PORT
    users: tuple[str, ...] = ("aeterna",)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Surroundings:
    """What stands around the server, and is made before it."""

    subnets: AwsDbSubnetGroup
    parameters: AwsDbParameterGroup
    monitor: Role
    access: StoreAccess
    logs: tuple[LogGroup, ...]


class RdsPostgres(Construct):
    """A PostgreSQL server on RDS, reachable only from its clients' security groups.

    The administrator's password is made by RDS, kept in Secrets Manager under the key and rotated there; it is never
    in a state. Workloads log in with IAM: attach `access` to theirs, and grant their role ``rds_iam`` once.
    No extension is blocked: ``CREATE EXTENSION vector`` works.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        network: AwsNetwork,
        key: AwsKey,
        clients: Sequence[StoreClient] = (),
    ) -> None:
        super().__init__(scope, id_)
        self._account, self._key = Account(self, "Account"), key
        self._name, self._users = spec.name, spec.users
        around = self._surroundings(spec, network)
        server = self._server(spec, around)
        self.security_group_id = around.access.security_group_id
        Clients(self, "Clients", security_group_id=self.security_group_id, port=PORT, clients=clients)
        self.arn = Late(server.arn)
        self._resource_id = server.resource_id
        self.outputs = DatabaseOutputs(
            endpoint=Late(server.endpoint),
            host=Late(server.address),
            port=Late(server.get_string_attribute("port")),
            database=Late(server.db_name),
            certificate_authority=Late(TRUST_BUNDLE),
            administrator=Late(server.username),
            administrator_secret=Late(str(server.master_user_secret[0].secret_arn)),
        )

    @classmethod
    def existing(
        cls, scope: Construct, id_: str, facts: ExistingDatabase, *, key: AwsKey, clients: Sequence[StoreClient] = ()
    ) -> RdsPostgres:
        """Take a server that the customer already has; only the rules that let ``clients`` in are added to it.

        ``key`` is the one that its administrator's secret is encrypted under.
        """
        return _ExistingPostgres(scope, id_, facts, key=key, clients=clients)

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to log in as the users of the spec."""
        return self.connect_statements(*self._users)

    def connect_statements(self, *users: str) -> tuple[Statement, ...]:
        """Return what an identity needs to log in as these PostgreSQL roles, which must have ``rds_iam``, and no other.

        Raises `InvalidSpecError` for a name that is not plain: a wildcard would open every role.
        """
        for user in users:
            require_role("RdsPostgres", "users", user)
        logins = tuple(self._account.arn("rds-db", f"dbuser:{self._resource_id}/{user}") for user in users)
        return (Statement(sid=sid("Connect", self._name), actions=("rds-db:connect",), resources=logins),)

    def administer_statements(self) -> tuple[Statement, ...]:
        """Return what an identity needs to read the administrator's password: for migrations, never for a service."""
        secret = Statement(
            sid=sid("Administer", self._name),
            actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            resources=(self.outputs.administrator_secret,),
        )
        decrypt = self._key.usage(sid("Administer", self._name, "Key"), via="secretsmanager", actions=("kms:Decrypt",))
        return (secret, decrypt)

    def _surroundings(self, spec: DatabaseSpec, network: AwsNetwork) -> _Surroundings:
        return _Surroundings(
            subnets=AwsDbSubnetGroup(
                self,
                "Subnets",
                name_prefix=f"{spec.name}-",
                subnet_ids=network.outputs.private_subnet_ids,
                tags={"Name": spec.name},
            ),
            parameters=self._parameters(spec),
            monitor=self._monitor(spec),
            access=StoreAccess(self, "Access", name=spec.name, network=network),
            logs=tuple(
                LogGroup(
                    self,
                    id_,
                    name=f"/aws/rds/instance/{spec.name}/{export}",
                    days=spec.log_days,
                    key=self._key,
                )
                for id_, export in EXPORTS.items()
            ),
        )

    def _parameters(self, spec: DatabaseSpec) -> AwsDbParameterGroup:
        """Force TLS, and log what a reader of the logs will ask for; the rest stays with the service."""
        values = {
            "rds.force_ssl": "1",
            "log_connections": "1",
            "log_disconnections": "1",
            "log_lock_waits": "1",
            "log_statement": "ddl",
            "log_min_duration_statement": str(spec.slow_query_ms),
        }
        return AwsDbParameterGroup(
            self,
            "Parameters",
            # A new major version needs a new group, which must exist before the server moves over to it.
            name_prefix=f"{spec.name}-pg{spec.major}-",
            family=f"postgres{spec.major}",
            parameter=[
                {"name": name, "value": value, "apply_method": "pending-reboot" if name in AT_START else "immediate"}
                for name, value in values.items()
            ],
            tags={"Name": spec.name},
            lifecycle=Lifecycle(create_before_destroy=True),
        )

    def _monitor(self, spec: DatabaseSpec) -> Role:
        """Return the role with which RDS writes the operating system's metrics of this one server."""
        source = self._account.arn("rds", f"db:{spec.name}")
        trust = from_service("monitoring.rds.amazonaws.com", account=self._account, source=source)
        role = Role(self, "MonitorRole", named=("DatabaseSpec", "name", spec.name), suffix="rds", trust=trust)
        role.attach({"Monitoring": self._account.managed_policy("service-role/AmazonRDSEnhancedMonitoringRole")})
        return role

    def _server(self, spec: DatabaseSpec, around: _Surroundings) -> AwsDbInstance:
        key_arn = self._key.arn
        return AwsDbInstance(
            self,
            "Resource",
            identifier=spec.name,
            engine="postgres",
            engine_version=spec.major,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            auto_minor_version_upgrade=True,
            instance_class=instance_class(spec),
            storage_type="gp3",
            allocated_storage=spec.storage_gib,
            max_allocated_storage=spec.most_storage_gib,
            storage_encrypted=True,
            kms_key_id=key_arn,
            db_name=spec.database,
            port=PORT,
            username=ADMINISTRATOR,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=key_arn,
            iam_database_authentication_enabled=True,
            ca_cert_identifier=CERTIFICATE_AUTHORITY,
            parameter_group_name=around.parameters.name,
            db_subnet_group_name=around.subnets.name,
            vpc_security_group_ids=[around.access.security_group_id],
            publicly_accessible=False,
            multi_az=spec.highly_available,
            maintenance_window=maintenance_window(spec),
            backup_window=one_hour(spec.backup_hour),
            backup_retention_period=spec.backup_days,
            delete_automated_backups=False,
            copy_tags_to_snapshot=True,
            skip_final_snapshot=False,
            final_snapshot_identifier=final_snapshot(spec.name),
            deletion_protection=spec.protected,
            enabled_cloudwatch_logs_exports=tuple(EXPORTS.values()),
            monitoring_interval=MONITORING_SECONDS,
            monitoring_role_arn=around.monitor.arn,
            performance_insights_enabled=True,
            performance_insights_kms_key_id=key_arn,
            performance_insights_retention_period=INSIGHTS_DAYS,
            tags={"Name": spec.name},
            depends_on=[*(log.group for log in around.logs), *around.monitor.policies],
            lifecycle=Lifecycle(ignore_changes=["final_snapshot_identifier"]),
        )


class _ExistingPostgres(RdsPostgres):
    """A server that only gets new clients."""

    def __init__(
        self, scope: Construct, id_: str, facts: ExistingDatabase, *, key: AwsKey, clients: Sequence[StoreClient]
    ) -> None:
        Construct.__init__(self, scope, id_)
        self._account, self._key = Account(self, "Account"), key
        self._name, self._users = facts.identifier, facts.users
        self._resource_id = facts.resource_id
        self.security_group_id = facts.security_group_id
        Clients(self, "Clients", security_group_id=facts.security_group_id, port=facts.port, clients=clients)
        self.arn = Late(self._account.arn("rds", f"db:{facts.identifier}"))
        self.outputs = DatabaseOutputs(
            endpoint=Late(f"{facts.host}:{facts.port}"),
            host=Late(facts.host),
            port=Late(str(facts.port)),
            database=Late(facts.database),
            certificate_authority=Late(TRUST_BUNDLE),
            administrator=Late(facts.administrator),
            administrator_secret=Late(facts.administrator_secret_arn),
        )


class RdsBackupCopy(Construct):
    """The server's automated backups in a second region, restorable there to a point in time.

    Put it into a stack whose provider is that region's, with a key of that region: a key never leaves its own.
    """

    def __init__(self, scope: Construct, id_: str, spec: DatabaseSpec, *, database: RdsPostgres, key: AwsKey) -> None:
        super().__init__(scope, id_)
        AwsDbInstanceAutomatedBackupsReplication(
            self,
            "Resource",
            source_db_instance_arn=database.arn,
            kms_key_id=key.arn,
            retention_period=spec.backup_days,
        )
