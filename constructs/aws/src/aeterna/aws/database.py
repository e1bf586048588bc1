"""PostgreSQL on RDS: Multi-AZ, TLS only, logins by IAM, everything under the customer's key, restorable to a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from constructs import Construct

from aeterna.aws.account import Account
from aeterna.aws.database_administrator import AdministratorPassword
from aeterna.aws.database_machine import busy_hours
from aeterna.aws.database_surroundings import PORT, Surroundings, connect_statement
from aeterna.aws.l1.data_db_instance import DataAwsDbInstance
from aeterna.aws.l1.db_instance import AwsDbInstance
from aeterna.aws.l1.db_instance_automated_backups_replication import AwsDbInstanceAutomatedBackupsReplication
from aeterna.aws.policy_document import Statement, sid
from aeterna.aws.store_access import Clients
from aeterna.aws.store_names import final_snapshot
from aeterna.contracts.database import DatabaseOutputs
from aeterna.contracts.late import Late
from aeterna.synth.expressions import Fn
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.protection import protected
from aeterna.synth.refusals import names_itself

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
    """Which PostgreSQL server on RDS the customer already has; the rest is looked up.

    - ``identifier`` is the server's.
    - ``security_group_id`` is the group of the server into which its clients are let. Default: its first one.
    - ``administrator_secret_arn`` is the secret with the administrator's password. Default: the one that RDS keeps of
      the server itself, without which the look-up fails.
    - ``users`` are the roles that workloads log in as.
    """

    identifier: str
    security_group_id: str | None = None
    administrator_secret_arn: str | None = None
    port: int = PORT
    users: tuple[str, ...] = ("aeterna",)


@names_itself
class RdsPostgres(Construct):
    """A PostgreSQL server on RDS, reachable only from its clients' security groups.

    The administrator's password is made during the apply and kept in Secrets Manager under the key; it is never in a
    state. ``password_version`` sets a new one when it is raised. With ``managed_password`` RDS makes, keeps and
    rotates it instead; such a server can have no copy in another region.

    Workloads log in with IAM: attach `access` to theirs, and grant their role ``rds_iam`` once. No extension is
    blocked: ``CREATE EXTENSION vector`` works.
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
        password_version: int = 1,
        managed_password: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        self._account, self._key = Account(self, "Account"), key
        self.name, self._users = spec.name, spec.users
        self.managed_password = managed_password
        around = Surroundings.of(self, spec, network=network, key=key, account=self._account)
        if managed_password:
            server = self._server(spec, around, _by_rds(key))
            self._secret = Late(str(server.master_user_secret[0].secret_arn))
        else:
            password = AdministratorPassword(self, "Administrator", version=password_version)
            server = self._server(spec, around, _by_us(password))
            self._secret = password.keep(name=spec.name, username=ADMINISTRATOR, key=key, after=server)
        self.security_group_id, self.port = around.access.security_group_id, PORT
        Clients(self, "Clients", security_group_id=self.security_group_id, port=PORT, clients=clients)
        self.arn, self.identifier = Late(server.arn), Late(server.identifier)
        self.size: DatabaseSpec | None = spec
        self.busy_hours = busy_hours(spec)
        self._resource_id = server.resource_id
        self.outputs = DatabaseOutputs(
            endpoint=Late(server.endpoint),
            host=Late(server.address),
            port=Late(Fn.tostring(server.port)),
            database=Late(server.db_name),
            certificate_authority=Late(TRUST_BUNDLE),
            administrator=Late(server.username),
            administrator_secret=self._secret,
        )

    @classmethod
    def existing(
        cls, scope: Construct, id_: str, facts: ExistingDatabase, *, key: AwsKey, clients: Sequence[StoreClient] = ()
    ) -> RdsPostgres:
        """Take a server that the customer already has; only the rules that let ``clients`` in are added to it.

        ``key`` is the one that its administrator's secret is encrypted under.
        """
        return _ExistingPostgres(scope, id_, facts, key=key, clients=clients)

    @property
    def login(self) -> Late | None:
        """Return the first of the spec's users, as which a workload logs in; PostgreSQL knows no name of IAM's."""
        return Late(self._users[0]) if self._users else None

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to log in as the users of the spec."""
        return self.connect_statements(*self._users)

    def connect_statements(self, *users: str) -> tuple[Statement, ...]:
        """Return what an identity needs to log in as these PostgreSQL roles, which must have ``rds_iam``, and no other.

        Raises `InvalidSpecError` for a name that is not plain: a wildcard would open every role.
        """
        return (connect_statement(self.name, account=self._account, resource_id=self._resource_id, users=users),)

    def administer_statements(self) -> tuple[Statement, ...]:
        """Return what an identity needs to read the administrator's password: for migrations, never for a service."""
        secret = Statement(
            sid=sid("Administer", self.name),
            actions=("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            resources=(self._secret,),
        )
        decrypt = self._key.usage(sid("Administer", self.name, "Key"), via="secretsmanager", actions=("kms:Decrypt",))
        return (secret, decrypt)

    def _server(self, spec: DatabaseSpec, around: Surroundings, password: _Password) -> AwsDbInstance:
        return AwsDbInstance(
            self,
            "Resource",
            engine="postgres",
            engine_version=spec.major,
            engine_lifecycle_support="open-source-rds-extended-support-disabled",
            allocated_storage=spec.storage_gib,
            db_name=spec.database,
            username=ADMINISTRATOR,
            multi_az=spec.highly_available,
            skip_final_snapshot=False,
            final_snapshot_identifier=final_snapshot(spec.name),
            lifecycle=Lifecycle(
                prevent_destroy=protected(self, wanted=spec.protected), ignore_changes=["final_snapshot_identifier"]
            ),
            **password,
            **around.arguments(),
        )


class _Password(TypedDict, total=False):
    """The arguments by which a server gets its administrator's password."""

    manage_master_user_password: bool
    master_user_secret_kms_key_id: str
    password_wo: str
    password_wo_version: int


def _by_us(password: AdministratorPassword) -> _Password:
    return {"password_wo": password.value, "password_wo_version": password.version}


def _by_rds(key: AwsKey) -> _Password:
    return {"manage_master_user_password": True, "master_user_secret_kms_key_id": key.arn}


@names_itself
class _ExistingPostgres(RdsPostgres):
    """A server that is only looked up, and gets new clients."""

    def __init__(
        self, scope: Construct, id_: str, facts: ExistingDatabase, *, key: AwsKey, clients: Sequence[StoreClient]
    ) -> None:
        Construct.__init__(self, scope, id_)
        self._account, self._key = Account(self, "Account"), key
        self.name, self._users = facts.identifier, facts.users
        self.managed_password = facts.administrator_secret_arn is None
        # Its windows are not known: RDS itself refuses a backup that meets them.
        self.busy_hours = frozenset[int]()
        found = DataAwsDbInstance(self, "Resource", db_instance_identifier=facts.identifier)
        self._resource_id = found.resource_id
        group = facts.security_group_id or found.get_string_attribute("vpc_security_groups[0]")
        self.security_group_id, self.port = group, facts.port
        Clients(self, "Clients", security_group_id=group, port=facts.port, clients=clients)
        self.arn, self.identifier, self.size = Late(found.db_instance_arn), Late(found.db_instance_identifier), None
        self._secret = Late(facts.administrator_secret_arn or str(found.master_user_secret[0].secret_arn))
        self.outputs = DatabaseOutputs(
            endpoint=Late(found.endpoint),
            host=Late(found.address),
            port=Late(Fn.tostring(found.port)),
            database=Late(found.db_name),
            certificate_authority=Late(TRUST_BUNDLE),
            administrator=Late(found.master_username),
            administrator_secret=self._secret,
        )


@names_itself
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
