"""What a PostgreSQL server on RDS and its copy have alike: what stands around them, and how they are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from aeterna.aws.database_machine import instance_class, maintenance_window, one_hour
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.db_parameter_group import AwsDbParameterGroup
from aeterna.aws.l1.db_subnet_group import AwsDbSubnetGroup
from aeterna.aws.log_group import LogGroup
from aeterna.aws.policy_document import Statement, sid
from aeterna.aws.roles import Role
from aeterna.aws.store_access import StoreAccess
from aeterna.aws.trust import from_service
from aeterna.contracts.database import DatabaseSpec, require_role
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from aeterna.aws.account import Account
    from aeterna.aws.network import AwsNetwork
    from aeterna.synth._cdk import ITerraformDependable

PORT: Final = 5432
CERTIFICATE_AUTHORITY: Final = "rds-ca-rsa2048-g1"
EXPORTS: Final[Mapping[str, str]] = {
    "PostgresqlLogs": "postgresql",
    "UpgradeLogs": "upgrade",
    "IamLogs": "iam-db-auth-error",
}
"""The logs that RDS for PostgreSQL can export, by the id of their log group; the last tells why an IAM login failed."""
AT_START: Final = ("rds.force_ssl",)
"""Already on by default, with this way of applying it: RDS takes no change of the way alone, so that any other would be
planned again and again (terraform-provider-aws#39252). A new server has it from its first start."""
INSIGHTS_DAYS: Final = 7
MONITORING_SECONDS: Final = 60


class ServerArguments(TypedDict):
    """The arguments of an instance that a server and its copy have alike."""

    identifier: str
    instance_class: str
    max_allocated_storage: int
    storage_type: str
    storage_encrypted: bool
    kms_key_id: str
    port: int
    iam_database_authentication_enabled: bool
    ca_cert_identifier: str
    parameter_group_name: str
    db_subnet_group_name: str
    vpc_security_group_ids: tuple[str, ...]
    publicly_accessible: bool
    auto_minor_version_upgrade: bool
    maintenance_window: str
    backup_window: str
    backup_retention_period: int
    delete_automated_backups: bool
    copy_tags_to_snapshot: bool
    deletion_protection: bool
    enabled_cloudwatch_logs_exports: tuple[str, ...]
    monitoring_interval: int
    monitoring_role_arn: str
    performance_insights_enabled: bool
    performance_insights_kms_key_id: str
    performance_insights_retention_period: int
    tags: dict[str, str]
    depends_on: list[ITerraformDependable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands around one server, and is made before it. Its parts are children of the server's own construct."""

    spec: DatabaseSpec
    key: AwsKey
    subnets: AwsDbSubnetGroup
    parameters: AwsDbParameterGroup
    monitor: Role
    access: StoreAccess
    logs: tuple[LogGroup, ...]

    @classmethod
    def of(
        cls, scope: Construct, spec: DatabaseSpec, *, network: AwsNetwork, key: AwsKey, account: Account
    ) -> Surroundings:
        """Make them below the server's construct."""
        return cls(
            spec=spec,
            key=key,
            subnets=AwsDbSubnetGroup(
                scope,
                "Subnets",
                name_prefix=f"{spec.name}-",
                subnet_ids=network.outputs.private_subnet_ids,
                tags={"Name": spec.name},
            ),
            parameters=_parameters(scope, spec),
            monitor=_monitor(scope, spec, account),
            access=StoreAccess(scope, "Access", name=spec.name, network=network),
            logs=tuple(
                LogGroup(scope, id_, name=f"/aws/rds/instance/{spec.name}/{export}", days=spec.log_days, key=key)
                for id_, export in EXPORTS.items()
            ),
        )

    def arguments(self) -> ServerArguments:
        """Return what the instance is given."""
        spec, key_arn = self.spec, self.key.arn
        return {
            "identifier": spec.name,
            "instance_class": instance_class(spec),
            "max_allocated_storage": spec.most_storage_gib,
            "storage_type": "gp3",
            "storage_encrypted": True,
            "kms_key_id": key_arn,
            "port": PORT,
            "iam_database_authentication_enabled": True,
            "ca_cert_identifier": CERTIFICATE_AUTHORITY,
            "parameter_group_name": self.parameters.name,
            "db_subnet_group_name": self.subnets.name,
            "vpc_security_group_ids": (self.access.security_group_id,),
            "publicly_accessible": False,
            "auto_minor_version_upgrade": True,
            "maintenance_window": maintenance_window(spec),
            "backup_window": one_hour(spec.backup_hour),
            "backup_retention_period": spec.backup_days,
            "delete_automated_backups": False,
            "copy_tags_to_snapshot": True,
            "deletion_protection": spec.protected,
            "enabled_cloudwatch_logs_exports": tuple(EXPORTS.values()),
            "monitoring_interval": MONITORING_SECONDS,
            "monitoring_role_arn": self.monitor.arn,
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": key_arn,
            "performance_insights_retention_period": INSIGHTS_DAYS,
            "tags": {"Name": spec.name},
            "depends_on": [*(log.group for log in self.logs), *self.monitor.policies],
        }


def connect_statement(name: str, *, account: Account, resource_id: str, users: Sequence[str]) -> Statement:
    """Return what an identity needs to log in to one server as these roles, and as no other."""
    for user in users:
        require_role("RdsPostgres", "users", user)
    logins = tuple(account.arn("rds-db", f"dbuser:{resource_id}/{user}") for user in users)
    return Statement(sid=sid("Connect", name), actions=("rds-db:connect",), resources=logins)


def _parameters(scope: Construct, spec: DatabaseSpec) -> AwsDbParameterGroup:
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
        scope,
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


def _monitor(scope: Construct, spec: DatabaseSpec, account: Account) -> Role:
    """Return the role with which RDS writes the operating system's metrics of this one server."""
    source = account.arn("rds", f"db:{spec.name}")
    trust = from_service("monitoring.rds.amazonaws.com", account=account, source=source)
    role = Role(scope, "MonitorRole", named=("DatabaseSpec", "name", spec.name), suffix="rds", trust=trust)
    role.attach({"Monitoring": account.managed_policy("service-role/AmazonRDSEnhancedMonitoringRole")})
    return role
