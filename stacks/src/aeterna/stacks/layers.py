"""The layers of a foundation, each made below a scope of its own, in the order in which one needs the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.place import PlaceOutputs
from aeterna.contracts.recovery import RecoveryOutputs
from aeterna.contracts.sizes import Part
from aeterna.synth.cloud import (
    BackupT,
    BucketT,
    CacheT,
    CatalogT,
    ClusterT,
    DatabaseT,
    Handle,
    KeyT,
    NetworkT,
    RegistryT,
)

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.contracts.foundation import FoundationSpec
    from aeterna.contracts.identity import IdentityOutputs
    from aeterna.contracts.keys import KeyOutputs
    from aeterna.synth.cloud import Cloud

PURPOSES = ("network", "cluster", "database", "cache", "graph", "threads")
"""What always has a key of its own: losing or revoking one touches nothing that another one encrypts."""

COPIED = ("network", "database", "graph", "threads")
"""What has a second key in the second region, for what is copied there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given(Generic[NetworkT, KeyT, ClusterT, DatabaseT]):
    """What a customer already has, as handles of the cloud; each takes the place of what would be made."""

    network: NetworkT | None = None
    cluster: ClusterT | None = None
    database: DatabaseT | None = None
    keys: Mapping[str, KeyT] = field(default_factory=dict[str, KeyT])
    """By purpose; a purpose that is left out gets a key of its own."""

    def brings(self, purpose: str) -> bool:
        """Whether what the key of this purpose would encrypt is there already."""
        whole = {"network": self.network, "cluster": self.cluster, "database": self.database}
        return whole.get(purpose) is not None

    def require_beside(self, spec: FoundationSpec) -> None:
        """Refuse what contradicts the spec, or what would be given for nothing."""
        kind, known = type(self).__name__, purposes(spec)
        unknown = sorted(set(self.keys) - set(known))
        if unknown:
            problem = f"this foundation has no key for {', '.join(unknown)}"
            raise InvalidSpecError(kind, "keys", problem, f"use purposes out of {', '.join(known)}")
        for part in ("network", "cluster", "database"):
            if getattr(self, part) is not None and getattr(spec, part) is not None:
                problem = f"FoundationSpec.{part} is given as well, and nothing would be made from it"
                raise InvalidSpecError(kind, part, problem, "leave one of the two out")
        if self.cluster is not None and self.network is None:
            problem = "a cluster is given without its network, and the stores would be made in another one"
            raise InvalidSpecError(kind, "network", problem, "give the network that the cluster stands in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground(Generic[NetworkT, KeyT]):
    """What everything else stands on."""

    place: Handle[PlaceOutputs]
    keys: Mapping[str, KeyT]
    network: NetworkT


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores(Generic[DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT]):
    """What holds data."""

    database: DatabaseT
    cache: CacheT
    bucket: BucketT
    thread_bucket: BucketT
    catalog: CatalogT
    registry: RegistryT | None
    backup: BackupT | None


def purposes(spec: FoundationSpec) -> tuple[str, ...]:
    """Return the purposes of the foundation's keys: those of every foundation, then those of its optional parts."""
    return (*PURPOSES, *sorted(str(part) for part in spec.present))


def key_id(purpose: str) -> str:
    """Return the construct id of the key of a purpose, which is part of its address."""
    return f"{purpose.capitalize()}Key"


def key_outputs(keys: Mapping[str, KeyT]) -> dict[str, KeyOutputs]:
    """Return what the keys tell, by purpose."""
    return {purpose: key.outputs for purpose, key in keys.items()}


class Layers(Generic[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT]):
    """Makes each layer of one foundation on one cloud, below the scope that it is given, but for what is given."""

    def __init__(
        self,
        cloud: Cloud[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT],
        spec: FoundationSpec,
        given: Given[NetworkT, KeyT, ClusterT, DatabaseT] | None = None,
    ) -> None:
        self._cloud = cloud
        self._spec = spec
        self._given: Given[NetworkT, KeyT, ClusterT, DatabaseT] = Given() if given is None else given
        self._given.require_beside(spec)

    def keys(self, scope: Construct) -> dict[str, KeyT]:
        """Make the key of each purpose that none is given for; what is given whole has its own key already."""
        cloud, spec, given = self._cloud, self._spec, self._given
        return {
            purpose: given.keys.get(purpose) or cloud.key(scope, key_id(purpose), spec.key_spec(purpose))
            for purpose in purposes(spec)
            if purpose in given.keys or not given.brings(purpose)
        }

    def network(self, scope: Construct, keys: Mapping[str, KeyT]) -> NetworkT:
        """Make the network, unless one is given."""
        if self._given.network is not None:
            return self._given.network
        return self._cloud.network(scope, "Network", self._spec.network_spec(), key=keys["network"])

    def stores(
        self, scope: Construct, ground: Ground[NetworkT, KeyT]
    ) -> Stores[DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT]:
        """Make everything that holds data, and the vault that holds it once more."""
        cloud, spec, given = self._cloud, self._spec, self._given.database
        keys, network = ground.keys, ground.network
        database = given
        if database is None:
            database = cloud.database(scope, "Database", spec.database_spec(), network=network, key=keys["database"])
        bucket = cloud.bucket(scope, "GraphBucket", spec.bucket_spec(), network=network, key=keys["graph"])
        parts = cloud.bucket(scope, "ThreadsBucket", spec.thread_bucket_spec(), network=network, key=keys["threads"])
        registry = backup = None
        if Part.REGISTRY in spec.present:
            key = keys[Part.REGISTRY.value]
            registry = cloud.registry(scope, "Registry", spec.registry_spec(), network=network, key=key)
        if Part.BACKUP in spec.present:
            # What the customer already has, the customer already backs up.
            protects = [bucket, parts] if given is not None else [database, bucket, parts]
            key = keys[Part.BACKUP.value]
            backup = cloud.backup(scope, "Backup", spec.backup_spec(), key=key, protects=protects)
        return Stores(
            database=database,
            cache=cloud.cache(scope, "Cache", spec.cache_spec(), network=network, key=keys["cache"]),
            bucket=bucket,
            thread_bucket=parts,
            catalog=cloud.catalog(
                scope, "Catalog", spec.catalog_spec(), key=keys["graph"], bucket=bucket, database=database
            ),
            registry=registry,
            backup=backup,
        )

    def recovery(
        self,
        scope: Construct,
        place: Handle[PlaceOutputs],
        stores: Stores[DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT],
    ) -> RecoveryOutputs:
        """Copy what holds data into the region of the scope, each copy under a key of that region."""
        cloud, spec = self._cloud, self._spec
        copied = (*COPIED, *((Part.BACKUP.value,) if stores.backup is not None else ()))
        keys = {purpose: cloud.key(scope, key_id(purpose), spec.key_spec(purpose)) for purpose in copied}
        network = cloud.network(scope, "Network", spec.recovery_network_spec(), key=keys["network"])
        replica = cloud.database_replica(
            scope, "Database", spec.database_spec(), source=stores.database, network=network, key=keys["database"]
        )
        bucket = cloud.bucket_replica(
            scope, "GraphBucket", spec.recovery_bucket_spec(), source=stores.bucket, network=network, key=keys["graph"]
        )
        parts = cloud.bucket_replica(
            scope,
            "ThreadsBucket",
            spec.recovery_thread_bucket_spec(),
            source=stores.thread_bucket,
            network=network,
            key=keys["threads"],
        )
        backup = None
        if stores.backup is not None:
            key = keys[Part.BACKUP.value]
            backup = cloud.backup_copy(scope, "Backup", spec.backup_spec(), source=stores.backup, key=key).outputs
        return RecoveryOutputs(
            region=place.outputs.region,
            network_id=network.outputs.network_id,
            database=replica.outputs,
            bucket=bucket.outputs,
            thread_bucket=parts.outputs,
            backup=backup,
            keys=key_outputs(keys),
        )

    def identities(
        self,
        scope: Construct,
        cluster: ClusterT,
        stores: Stores[DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT],
    ) -> dict[str, IdentityOutputs]:
        """Bind each component of the runtime to the stores that it uses, and to no other.

        Migrations administer a database that was made here; one that was given has administrators already.
        """
        cloud, spec = self._cloud, self._spec

        def named(component: str) -> IdentitySpec:
            return IdentitySpec(name=component, namespace=spec.namespace, service_account=component)

        handles: dict[str, Handle[IdentityOutputs]] = {
            "graph-api": cloud.identity(
                scope, "GraphApi", named("graph-api"), cluster=cluster, uses=[stores.bucket, stores.catalog]
            ),
            "threads": cloud.identity(
                scope, "Threads", named("threads"), cluster=cluster, uses=[stores.database, stores.thread_bucket]
            ),
            "policies": cloud.identity(scope, "Policies", named("policies"), cluster=cluster, uses=[stores.database]),
            "opal": cloud.identity(scope, "Opal", named("opal"), cluster=cluster, uses=[stores.cache]),
        }
        if self._given.database is None:
            handles["migrate"] = cloud.administrator(
                scope, "Migrate", named("migrate"), cluster=cluster, database=stores.database
            )
        if cloud.catalog_in_cluster:
            handles["catalog"] = cloud.identity(
                scope, "CatalogServer", named("catalog"), cluster=cluster, uses=[stores.bucket, stores.database]
            )
        return {component: handle.outputs for component, handle in handles.items()}

    def finish(
        self,
        scope: Construct,
        ground: Ground[NetworkT, KeyT],
        stores: Stores[DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT],
        *,
        recovery: RecoveryOutputs | None = None,
    ) -> FoundationOutputs:
        """Make the cluster and what belongs to it, and say what there is now."""
        cloud, spec = self._cloud, self._spec
        cluster = self._given.cluster
        if cluster is None:
            key = ground.keys["cluster"]
            cluster = cloud.cluster(scope, "Cluster", spec.cluster_spec(), network=ground.network, key=key)
        reached = [stores.database, stores.cache, *([] if stores.registry is None else [stores.registry])]
        cloud.admit(scope, "Admission", cluster=cluster, stores=reached)
        alerts = None
        if Part.ALERTS in spec.present:
            key, watched = ground.keys[Part.ALERTS.value], [cluster, stores.database, stores.cache]
            alerts = cloud.alerts(scope, "Alerts", spec.alerts_spec(), key=key, watches=watched).outputs
        return FoundationOutputs(
            cloud=cloud.name,
            place=ground.place.outputs,
            network=ground.network.outputs,
            cluster=cluster.outputs,
            database=stores.database.outputs,
            cache=stores.cache.outputs,
            bucket=stores.bucket.outputs,
            thread_bucket=stores.thread_bucket.outputs,
            catalog=stores.catalog.outputs,
            keys=key_outputs(ground.keys),
            identities=self.identities(scope, cluster, stores),
            registry=None if stores.registry is None else stores.registry.outputs,
            backup=None if stores.backup is None else stores.backup.outputs,
            alerts=alerts,
            recovery=recovery,
        )
