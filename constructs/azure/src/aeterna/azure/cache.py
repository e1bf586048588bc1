"""The cache on Azure: Managed Redis with a copy in another zone, TLS only, logins by Entra ID, the customer's key."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from constructs import Construct

from aeterna.azure.alarm import Alarm, Severity
from aeterna.azure.cache_machine import size
from aeterna.azure.l1.managed_redis import AzurermManagedRedis
from aeterna.azure.l1.managed_redis_access_policy_assignment import AzurermManagedRedisAccessPolicyAssignment
from aeterna.azure.log_archive import LogArchive
from aeterna.azure.worldwide import worldwide
from aeterna.contracts.cache import CacheOutputs
from aeterna.contracts.late import Late
from aeterna.synth.expressions import Fn
from aeterna.synth.refusals import names_itself

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.azure.keys import AzureKey
    from aeterna.azure.network import AzureNetwork
    from aeterna.azure.place import AzurePlace
    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.cache import CacheSpec
    from aeterna.synth._cdk import ITerraformDependable

LONGEST_CACHE = 60
METRICS = "Microsoft.Cache/redisEnterprise"
LOGS = ("ConnectionEvents",)


class Clustering(StrEnum):
    """How the cache shows its shards to clients. It has to match what they speak, and cannot be changed."""

    HIDDEN = "EnterpriseCluster"
    """One address that forwards to the right shard: for clients that know nothing of clusters. The default.

    A command on several keys works only where they are in one slot, beside the plain ones such as ``MGET`` and ``DEL``.
    """

    SHOWN = "OSSCluster"
    """Redis's own cluster protocol: faster, and every client has to be in cluster mode."""

    NONE = "NoCluster"
    """A single shard: every command works, up to 24 GiB."""


@names_itself
class ManagedRedis(Construct):
    """A cache that only identities of Entra ID can log in to, through a private endpoint of the network.

    An identity logs in with its own object as user and a token as password: `CacheSpec.users` names no login here.
    The major version is the service's choice. A copy is one, in another zone, however many the spec asks for.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        spec: CacheSpec,
        *,
        place: AzurePlace,
        network: AzureNetwork,
        key: AzureKey,
        clustering: Clustering = Clustering.HIDDEN,
    ) -> None:
        super().__init__(scope, id_)
        self.name = spec.name
        user = key.identity_for(self, "KeyUser", place=place)
        cache = AzurermManagedRedis(
            self,
            "Resource",
            name=worldwide(
                spec.name, place=place, named=("CacheSpec", "name"), longest=LONGEST_CACHE, service="a cache"
            ),
            resource_group_name=place.group_name,
            location=place.location,
            sku_name=size(spec),
            high_availability_enabled=spec.replicas > 0,
            public_network_access="Disabled",
            identity={"type": "UserAssigned", "identity_ids": [user.id]},
            # The service takes a version and nothing else: after a rotation, the next apply moves it over.
            customer_managed_key={"key_vault_key_id": key.id, "user_assigned_identity_id": user.id},
            default_database={
                "access_keys_authentication_enabled": False,
                "client_protocol": "Encrypted",
                "clustering_policy": clustering,
                "eviction_policy": "VolatileLRU",
                "persistence_redis_database_backup_frequency": "12h" if spec.backup_days else None,
            },
            depends_on=list(user.ready),
        )
        self.id = Late(cache.id)
        network.private_endpoint(
            self, "Endpoint", target_id=cache.id, subresource="redisEnterprise", zone=network.zone("redis"), place=place
        )
        logs = LogArchive(self, "Logs", name=f"{spec.name}-cache", days=spec.log_days, place=place, key=key)
        logs.collect(self, "Collection", of=str(cache.default_database[0].id), name="archive", categories=LOGS)
        host = Late(cache.hostname)
        self.outputs = CacheOutputs(
            host=host,
            # Copies take no reads of their own here.
            reader_host=host,
            port=Late(Fn.tostring(str(cache.default_database[0].port))),
            users={},
            clustered=clustering is Clustering.SHOWN,
        )

    @property
    def watched_name(self) -> str:
        """Return the name that alarms carry."""
        return self.name

    @property
    def watched_id(self) -> str:
        """Return what alarms are made on."""
        return self.id

    def grant_to(self, scope: Construct, id_: str, *, principal_id: Late, name: Late) -> Sequence[ITerraformDependable]:
        """Let the identity in, with every command on data."""
        del name
        return (
            AzurermManagedRedisAccessPolicyAssignment(scope, id_, managed_redis_id=self.id, object_id=principal_id),
        )

    def login(self, *, principal_id: Late, name: Late) -> Late:
        """Return the user that an identity logs in as: its own object."""
        del name
        return principal_id

    def alarms(self, spec: AlertsSpec) -> tuple[Alarm, ...]:
        """Watch the processor, the memory and whether keys are thrown out for lack of it."""
        return (
            Alarm(name="cache-busy", namespace=METRICS, metric="percentProcessorTime", threshold=spec.busy_percent),
            Alarm(
                name="cache-full",
                namespace=METRICS,
                metric="usedmemorypercentage",
                threshold=spec.full_percent,
                severity=Severity.ERROR,
            ),
            Alarm(name="cache-evicting", namespace=METRICS, metric="evictedkeys", aggregation="Total", threshold=0),
        )
