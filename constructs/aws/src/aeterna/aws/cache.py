"""Valkey on ElastiCache: a copy in another zone, TLS only, logins by IAM, everything under the customer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.aws.cache_machine import ENGINE_VERSIONS, node_type
from aeterna.aws.l1.elasticache_parameter_group import AwsElasticacheParameterGroup
from aeterna.aws.l1.elasticache_replication_group import AwsElasticacheReplicationGroup
from aeterna.aws.l1.elasticache_subnet_group import AwsElasticacheSubnetGroup
from aeterna.aws.l1.elasticache_user import AwsElasticacheUser
from aeterna.aws.l1.elasticache_user_group import AwsElasticacheUserGroup
from aeterna.aws.log_group import LogGroup
from aeterna.aws.policy_document import Statement, sid
from aeterna.aws.store_access import Clients, StoreAccess
from aeterna.aws.store_names import final_snapshot
from aeterna.contracts.cache import CacheOutputs
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.late import Late
from aeterna.contracts.naming import suffixed
from aeterna.synth.expressions import Fn
from aeterna.synth.lifecycle import Lifecycle
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.aws.keys import AwsKey
    from aeterna.aws.network import AwsNetwork
    from aeterna.aws.store_access import StoreClient
    from aeterna.contracts.cache import CacheSpec

ENGINE = "valkey"
PORT = 6379
LONGEST_ID = 40
"""Of a replication group, a user and a user group alike (ElastiCache API reference)."""
DATA_ONLY = "on ~* &* +@all -@admin -@dangerous +info"
"""Every key and channel and every command on data; none that reconfigures, empties or spies on the server. Client
libraries ask for ``info`` when they connect."""
LOGS = {"slow-log": "SlowLog", "engine-log": "EngineLog"}


@names_itself
class ElastiCacheValkey(Construct):
    """A Valkey replication group on ElastiCache, reachable only from its clients' security groups.

    Its user group holds IAM users only. A group of Valkey's needs no user ``default``, and without one a connection
    that does not log in may do nothing (ElastiCache User Guide, "Role-Based Access Control"); a disabled one would need
    a password, which would have to be somewhere. Attach `access` to a workload's identity.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: CacheSpec,
        *,
        network: AwsNetwork,
        key: AwsKey,
        clients: Sequence[StoreClient] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.name = spec.name
        self._users = {user: self._user(spec, user) for user in spec.users}
        access = StoreAccess(self, "Access", name=spec.name, network=network)
        Clients(self, "Clients", security_group_id=access.security_group_id, port=PORT, clients=clients)
        cache = self._replication_group(spec, network=network, key=key, access=access)
        self.arn = Late(cache.arn)
        self.group_id, self.nodes = Late(cache.replication_group_id), 1 + spec.replicas
        self.security_group_id, self.port = access.security_group_id, PORT
        self.outputs = CacheOutputs(
            host=Late(cache.primary_endpoint_address),
            reader_host=Late(cache.reader_endpoint_address),
            port=Late(Fn.tostring(cache.port)),
            users={user: Late(made.user_name) for user, made in self._users.items()},
            name=self.group_id,
        )

    @property
    def login(self) -> Late:
        """Return the login of the first of the spec's users."""
        return next(iter(self.outputs.users.values()))

    def access(self) -> tuple[Statement, ...]:
        """Return what a workload needs to log in as the users of the spec."""
        return self.connect_statements(*self._users)

    def connect_statements(self, *users: str) -> tuple[Statement, ...]:
        """Return what an identity needs to log in as these users of the spec, and no other.

        Raises `InvalidSpecError` for a user that the cache does not have.
        """
        for user in users:
            if user not in self._users:
                known = ", ".join(self._users)
                raise InvalidSpecError("CacheSpec", "users", f"there is no user {user!r}", f"use one of {known}")
        logins = tuple(self._users[user].arn for user in users)
        connect = Statement(
            sid=sid("Connect", self.name), actions=("elasticache:Connect",), resources=(self.arn, *logins)
        )
        return (connect,)

    def _user(self, spec: CacheSpec, user: str) -> AwsElasticacheUser:
        # A user that logs in with IAM must have the same id and name, and ids are shared by the whole account.
        login = suffixed("CacheSpec", "name", spec.name, user, longest=LONGEST_ID)
        return AwsElasticacheUser(
            self,
            f"User-{user}",
            engine=ENGINE,
            user_id=login,
            user_name=login,
            access_string=DATA_ONLY,
            authentication_mode={"type": "iam"},
            tags={"Name": login},
        )

    def _parameters(self, spec: CacheSpec) -> AwsElasticacheParameterGroup:
        return AwsElasticacheParameterGroup(
            self,
            "Parameters",
            name=f"{spec.name}-{ENGINE}{spec.major}",
            family=f"{ENGINE}{spec.major}",
            tags={"Name": spec.name},
            lifecycle=Lifecycle(create_before_destroy=True),
        )

    def _logs(self, spec: CacheSpec, key: AwsKey) -> Mapping[str, LogGroup]:
        # Names below /aws/vendedlogs are covered by one wide resource policy that the service keeps; others each take
        # room in a policy that ends at 5,120 characters (CloudWatch Logs User Guide, "Enable logging from services").
        return {
            kind: LogGroup(
                self, id_, name=f"/aws/vendedlogs/elasticache/{spec.name}/{kind}", days=spec.log_days, key=key
            )
            for kind, id_ in LOGS.items()
        }

    def _replication_group(
        self, spec: CacheSpec, *, network: AwsNetwork, key: AwsKey, access: StoreAccess
    ) -> AwsElasticacheReplicationGroup:
        subnets = AwsElasticacheSubnetGroup(
            self, "Subnets", name=spec.name, subnet_ids=network.outputs.private_subnet_ids, tags={"Name": spec.name}
        )
        users = AwsElasticacheUserGroup(
            self,
            "Users",
            engine=ENGINE,
            user_group_id=spec.name,
            user_ids=[user.user_id for user in self._users.values()],
            tags={"Name": spec.name},
        )
        survives_a_zone = spec.replicas > 0
        return AwsElasticacheReplicationGroup(
            self,
            "Resource",
            replication_group_id=spec.name,
            description=f"Aeterna: {spec.name}",
            engine=ENGINE,
            engine_version=ENGINE_VERSIONS[spec.major],
            auto_minor_version_upgrade="true",
            node_type=node_type(spec),
            num_cache_clusters=1 + spec.replicas,
            automatic_failover_enabled=survives_a_zone,
            multi_az_enabled=survives_a_zone,
            port=PORT,
            parameter_group_name=self._parameters(spec).name,
            subnet_group_name=subnets.name,
            security_group_ids=[access.security_group_id],
            user_group_ids=[users.id],
            at_rest_encryption_enabled="true",
            kms_key_id=key.arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            snapshot_retention_limit=spec.backup_days,
            snapshot_window="02:00-03:00",
            maintenance_window="sun:04:00-sun:05:00",
            final_snapshot_identifier=final_snapshot(spec.name) if spec.backup_days else None,
            log_delivery_configuration=[
                {
                    "log_type": kind,
                    "log_format": "json",
                    "destination_type": "cloudwatch-logs",
                    "destination": log.group.name,
                }
                for kind, log in self._logs(spec, key).items()
            ],
            tags={"Name": spec.name},
            # ElastiCache takes minor versions by itself; an older one in the plan would replace the cache.
            lifecycle=Lifecycle(ignore_changes=["engine_version", "final_snapshot_identifier"]),
        )
