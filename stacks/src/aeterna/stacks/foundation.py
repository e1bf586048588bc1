"""A whole environment on any cloud: written once, against the protocol that every cloud keeps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Generic

from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.identity import IdentitySpec
from aeterna.contracts.keys import KeySpec
from aeterna.synth.app import TerraformOutput, TerraformStack
from aeterna.synth.cloud import BucketT, CacheT, CatalogT, ClusterT, DatabaseT, KeyT, NetworkT
from aeterna.synth.lowering import lower

if TYPE_CHECKING:
    from constructs import Construct

    from aeterna.contracts.foundation import FoundationSpec
    from aeterna.contracts.identity import IdentityOutputs
    from aeterna.synth.cloud import Cloud, Handle
    from aeterna.synth.registry import AnyCloud

PURPOSES = ("network", "cluster", "database", "cache", "graph")
"""What has a key of its own: losing or revoking one touches nothing that another one encrypts."""

OUTPUT = "foundation"
"""The name of the one output, which holds the whole contract."""


class Foundation(TerraformStack):
    """A stack with everything that the platform stands on: keys, network, cluster, stores and identities.

    `outputs` are for other stacks of the same app; the output ``foundation`` carries the same, with its version, to
    whatever reads the state.
    """

    def __init__(self, scope: Construct, id_: str, *, cloud: AnyCloud, spec: FoundationSpec) -> None:
        super().__init__(scope, id_)
        tags = {"aeterna:environment": spec.name, **spec.tags}
        cloud.prepare(self, region=spec.region, tags=tags)
        if spec.state is not None:
            cloud.keep_state(self, spec.state, region=spec.region)
        self.outputs = compose(self, cloud, spec)
        contract = {"version": FoundationOutputs.version, **asdict(self.outputs)}
        TerraformOutput(self, OUTPUT, value=lower(contract, OUTPUT), description="What the platform has to know")


def compose(
    scope: Construct,
    cloud: Cloud[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT],
    spec: FoundationSpec,
) -> FoundationOutputs:
    """Compose a foundation below any scope, such as a customer's own stack, whose provider is then used."""
    keys = {
        purpose: cloud.key(scope, f"{purpose.capitalize()}Key", KeySpec(purpose=purpose, environment=spec.name))
        for purpose in PURPOSES
    }
    network = cloud.network(scope, "Network", spec.network_spec(), key=keys["network"])
    cluster = cloud.cluster(scope, "Cluster", spec.cluster_spec(), network=network, key=keys["cluster"])
    stores = _stores(scope, cloud, spec, _Ground(keys=keys, network=network, cluster=cluster))
    return FoundationOutputs(
        network=network.outputs,
        cluster=cluster.outputs,
        database=stores.database.outputs,
        cache=stores.cache.outputs,
        bucket=stores.bucket.outputs,
        catalog=stores.catalog.outputs,
        keys={purpose: key.outputs for purpose, key in keys.items()},
        identities=_identities(scope, cloud, spec, cluster, stores),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground(Generic[NetworkT, KeyT, ClusterT]):
    keys: dict[str, KeyT]
    network: NetworkT
    cluster: ClusterT


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stores(Generic[DatabaseT, CacheT, BucketT, CatalogT]):
    database: DatabaseT
    cache: CacheT
    bucket: BucketT
    catalog: CatalogT


def _stores(
    scope: Construct,
    cloud: Cloud[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT],
    spec: FoundationSpec,
    ground: _Ground[NetworkT, KeyT, ClusterT],
) -> _Stores[DatabaseT, CacheT, BucketT, CatalogT]:
    keys, network, clients = ground.keys, ground.network, [ground.cluster]
    bucket = cloud.bucket(scope, "GraphBucket", spec.bucket_spec(), key=keys["graph"])
    return _Stores(
        database=cloud.database(
            scope, "Database", spec.database_spec(), network=network, key=keys["database"], clients=clients
        ),
        cache=cloud.cache(scope, "Cache", spec.cache_spec(), network=network, key=keys["cache"], clients=clients),
        bucket=bucket,
        catalog=cloud.catalog(scope, "Catalog", spec.catalog_spec(), key=keys["graph"], bucket=bucket),
    )


def _identities(
    scope: Construct,
    cloud: Cloud[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT],
    spec: FoundationSpec,
    cluster: ClusterT,
    stores: _Stores[DatabaseT, CacheT, BucketT, CatalogT],
) -> dict[str, IdentityOutputs]:
    """Bind each component of the runtime to the stores that it uses, and to no other."""

    def named(component: str) -> IdentitySpec:
        return IdentitySpec(name=component, namespace=spec.namespace, service_account=component)

    handles: dict[str, Handle[IdentityOutputs]] = {
        "graph-api": cloud.identity(
            scope, "GraphApi", named("graph-api"), cluster=cluster, uses=[stores.bucket, stores.catalog]
        ),
        "threads": cloud.identity(scope, "Threads", named("threads"), cluster=cluster, uses=[stores.database]),
        "opal": cloud.identity(scope, "Opal", named("opal"), cluster=cluster, uses=[stores.cache]),
    }
    return {component: handle.outputs for component, handle in handles.items()}
