"""PostgreSQL on RDS: Multi-AZ, TLS only, logins by IAM, everything under the customer's key, restorable to a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.database_surroundings import PORT, Surroundings
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.db_instance_automated_backups_replication import AwsDbInstanceAutomatedBackupsReplication
from aeterna.aws.policy_document import Statement, sid
from aeterna.aws.store_access import Clients
from aeterna.aws.store_names import final_snapshot
from aeterna.contracts.database import DatabaseOutputs, require_role
from aeterna.contracts.late import Late
from aeterna.synth.lifecycle import Lifecycle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.aws.keys import AwsKey
    from aeterna.aws.network import AwsNetwork
    from aeterna.aws.store_access import StoreClient
    from aeterna.contracts.database import DatabaseSpec

ADMINISTRATOR = "aeterna_admin"
TRUST_BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"


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
        around = Surroundings.of(self, spec, network=network, key=key, account=self._account)
        server = self._server(spec, around)
        self.security_group_id, self.port = around.access.security_group_id, PORT
        Clients(self, "Clients", security_group_id=self.security_group_id, port=PORT, clients=clients)
        self.arn, self.identifier = Late(server.arn), Late(server.identifier)
        self.size: DatabaseSpec | None = spec
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

    def _server(self, spec: DatabaseSpec, around: Surroundings) -> AwsDbInstance:
        return AwsDbInstance(
            self,
            "Resource",
            engine="postgres",
            engine_version=spec.major,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            allocated_storage=spec.storage_gib,
            db_name=spec.database,
            username=ADMINISTRATOR,
            manage_master_user_password=True,
            master_user_secret_kms_key_id=self._key.arn,
            multi_az=spec.highly_available,
            skip_final_snapshot=False,
            final_snapshot_identifier=final_snapshot(spec.name),
            lifecycle=Lifecycle(ignore_changes=["final_snapshot_identifier"]),
            **around.arguments(),
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
        self.security_group_id, self.port = facts.security_group_id, facts.port
        Clients(self, "Clients", security_group_id=facts.security_group_id, port=facts.port, clients=clients)
        self.arn = Late(self._account.arn("rds", f"db:{facts.identifier}"))
        self.identifier, self.size = Late(facts.identifier), None
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
