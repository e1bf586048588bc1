"""Azure as a cloud: makes every construct of the contracts, and is found by the entry point ``azure``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.azure.admission import Admission
from aeterna.azure.alerts import AzureAlerts
from aeterna.azure.backup import AzureBackup, AzureBackupCopy
from aeterna.azure.bucket import BlobBucket
from aeterna.azure.bucket_replica import BlobReplica
from aeterna.azure.cache import ManagedRedis
from aeterna.azure.catalog import LakeCatalog
from aeterna.azure.cluster import AksCluster
from aeterna.azure.database import FlexiblePostgres
from aeterna.azure.database_replica import PostgresReplica
from aeterna.azure.identity import AzureIdentity, Federation
from aeterna.azure.keys import AzureKey
from aeterna.azure.network import AzureNetwork
from aeterna.azure.parity import PARITY
from aeterna.azure.place import AzurePlace
from aeterna.azure.provider import configure
from aeterna.azure.regions import require_region
from aeterna.azure.registry import ContainerRegistry
from aeterna.azure.state import StateStore, keep_state
from aeterna.azure.vault import AzureKeyVault
from aeterna.synth.aspects import attach
from aeterna.synth.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from aeterna.contracts.alerts import AlertsSpec
    from aeterna.contracts.backup import BackupSpec
    from aeterna.contracts.bucket import BucketSpec
    from aeterna.contracts.cache import CacheSpec
    from aeterna.contracts.catalog import CatalogSpec
    from aeterna.contracts.cluster import ClusterSpec
    from aeterna.contracts.database import DatabaseSpec
    from aeterna.contracts.identity import IdentitySpec
    from aeterna.contracts.keys import KeySpec
    from aeterna.contracts.network import NetworkSpec
    from aeterna.contracts.registry import RegistrySpec
    from aeterna.contracts.state import StateSpec, StateStoreSpec
    from aeterna.synth.cloud import Cloud

Store: TypeAlias = FlexiblePostgres | ManagedRedis | BlobBucket | LakeCatalog


class Azure:
    """Microsoft Azure. Keeps the protocol `aeterna.synth.cloud.Cloud`, whose docstrings say what each makes.

    - ``subscription_id`` is where everything is made. Default: what the environment names in ``ARM_SUBSCRIPTION_ID``.
    - ``runners`` are the public address blocks from which the pipeline makes keys and keeps states. Default: none,
      which is right only for a pipeline that has a private way of its own.
    - ``hierarchical`` gives buckets real directories, which a REST server of the catalog would demand. Without it they
      keep versions and are copied object by object. Default: on.
    """

    name = "azure"
    parity = PARITY
    catalog_in_cluster = True

    def __init__(
        self, subscription_id: str | None = None, runners: tuple[str, ...] = (), *, hierarchical: bool = True
    ) -> None:
        self._subscription_id = subscription_id
        self._runners = runners
        self._hierarchical = hierarchical

    def prepare(self, scope: Construct, *, region: str, tags: Mapping[str, str]) -> AzurePlace:
        """Configure one provider, make a resource group of the scope's name, and tag all that takes tags."""
        require_region("Cloud", "region", region)
        configure(scope, subscription_id=self._subscription_id)
        attach(scope, Tags(tags))
        return AzurePlace(scope, "Place", location=region, name=scope.node.id)

    def keep_state(self, scope: Construct, spec: StateSpec, *, region: str) -> None:
        """Keep the stack's state in a storage account."""
        keep_state(scope, spec, region=region)

    def key(self, scope: Construct, id_: str, spec: KeySpec) -> AzureKey:
        """Make a key in the vault of its environment and region, which is made with its first key."""
        place = AzurePlace.of(scope)
        vault = AzureKeyVault.of(place, environment=spec.environment, runners=self._runners, protect=spec.protected)
        return AzureKey(scope, id_, spec, place=place, vault=vault)

    def state_store(self, scope: Construct, id_: str, spec: StateStoreSpec, *, key: AzureKey) -> StateStore:
        """Make a storage account for states."""
        return StateStore(scope, id_, spec, place=AzurePlace.of(scope), key=key, runners=self._runners)

    def network(self, scope: Construct, id_: str, spec: NetworkSpec, *, key: AzureKey) -> AzureNetwork:
        """Make a virtual network."""
        return AzureNetwork(scope, id_, spec, place=AzurePlace.of(scope), key=key)

    def database(
        self, scope: Construct, id_: str, spec: DatabaseSpec, *, network: AzureNetwork, key: AzureKey
    ) -> FlexiblePostgres:
        """Make a PostgreSQL Flexible Server."""
        return FlexiblePostgres(scope, id_, spec, place=AzurePlace.of(scope), network=network, key=key)

    def cache(
        self, scope: Construct, id_: str, spec: CacheSpec, *, network: AzureNetwork, key: AzureKey
    ) -> ManagedRedis:
        """Make an Azure Managed Redis."""
        return ManagedRedis(scope, id_, spec, place=AzurePlace.of(scope), network=network, key=key)

    def bucket(
        self, scope: Construct, id_: str, spec: BucketSpec, *, network: AzureNetwork, key: AzureKey
    ) -> BlobBucket:
        """Make a filesystem of Data Lake Storage."""
        place = AzurePlace.of(scope)
        return BlobBucket(scope, id_, spec, place=place, key=key, network=network, hierarchical=self._hierarchical)

    def catalog(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        key: AzureKey,
        bucket: BlobBucket,
        database: FlexiblePostgres,
    ) -> LakeCatalog:
        """Make a database that knows the tables."""
        del key  # The database has the key of its PostgreSQL server.
        return LakeCatalog(scope, id_, spec, bucket=bucket, database=database)

    def registry(
        self, scope: Construct, id_: str, spec: RegistrySpec, *, network: AzureNetwork, key: AzureKey
    ) -> ContainerRegistry:
        """Make an Azure Container Registry."""
        return ContainerRegistry(scope, id_, spec, place=AzurePlace.of(scope), key=key, network=network)

    def backup(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        key: AzureKey,
        protects: Sequence[FlexiblePostgres | BlobBucket],
    ) -> AzureBackup:
        """Make a vault of Azure Backup."""
        return AzureBackup(scope, id_, spec, place=AzurePlace.of(scope), key=key, protects=protects)

    def cluster(
        self, scope: Construct, id_: str, spec: ClusterSpec, *, network: AzureNetwork, key: AzureKey
    ) -> AksCluster:
        """Make an AKS cluster."""
        return AksCluster(scope, id_, spec, place=AzurePlace.of(scope), network=network, key=key)

    def admit(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: AksCluster,
        stores: Sequence[FlexiblePostgres | ManagedRedis | ContainerRegistry],
    ) -> None:
        """Let the cluster's nodes pull from the registry; the network already lets them reach the others."""
        Admission(scope, id_, cluster=cluster, stores=stores)

    def identity(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: AksCluster, uses: Sequence[Store] = ()
    ) -> AzureIdentity:
        """Make a managed identity for one service account, with a grant named after each store that it uses."""
        identity = AzureIdentity(scope, id_, spec, cluster=cluster)
        for store in uses:
            identity.use(f"Use{store.node.id}", store)
        return identity

    def administrator(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: AksCluster, database: FlexiblePostgres
    ) -> Federation:
        """Let one service account be the database's administrator, which is an identity already."""
        return database.administered_by(scope, id_, spec, cluster=cluster)

    def alerts(
        self,
        scope: Construct,
        id_: str,
        spec: AlertsSpec,
        *,
        key: AzureKey,
        watches: Sequence[AksCluster | FlexiblePostgres | ManagedRedis],
    ) -> AzureAlerts:
        """Make an action group and metric alerts, which hold no data and take no key."""
        del key
        return AzureAlerts(scope, id_, spec, place=AzurePlace.of(scope), watches=watches)

    def database_replica(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        source: FlexiblePostgres,
        network: AzureNetwork,
        key: AzureKey,
    ) -> PostgresReplica:
        """Make a read replica."""
        return PostgresReplica(scope, id_, spec, source=source, place=AzurePlace.of(scope), network=network, key=key)

    def bucket_replica(
        self,
        scope: Construct,
        id_: str,
        spec: BucketSpec,
        *,
        source: BlobBucket,
        network: AzureNetwork,
        key: AzureKey,
    ) -> BlobReplica:
        """Make the bucket that a copy of the source's account can be read into."""
        return BlobReplica(scope, id_, spec, source=source, place=AzurePlace.of(scope), key=key, network=network)

    def backup_copy(
        self, scope: Construct, id_: str, spec: BackupSpec, *, source: AzureBackup, key: AzureKey
    ) -> AzureBackupCopy:
        """Make the vault of the second region."""
        return AzureBackupCopy(scope, id_, spec, source=source, place=AzurePlace.of(scope), key=key)


AZURE: Cloud[
    AzureNetwork,
    AzureKey,
    AksCluster,
    FlexiblePostgres,
    ManagedRedis,
    BlobBucket,
    LakeCatalog,
    ContainerRegistry,
    AzureBackup,
] = Azure()
