"""Google Cloud as a cloud: makes every construct of the contracts, and is found by the entry point ``gcp``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.gcp.admission import Admission
from aeterna.gcp.alerts import GcpAlerts
from aeterna.gcp.backup import GcpBackup, GcpBackupCopy
from aeterna.gcp.bucket import GcsBucket
from aeterna.gcp.bucket_replica import GcsBucketReplica
from aeterna.gcp.cache import MemorystoreValkey
from aeterna.gcp.catalog import BigLakeCatalog
from aeterna.gcp.cluster import GkeCluster
from aeterna.gcp.cluster_settings import DEFAULT_OPTIONS
from aeterna.gcp.database import CloudSqlPostgres
from aeterna.gcp.database_replica import CloudSqlReplica
from aeterna.gcp.identity import GcpIdentity
from aeterna.gcp.keys import GcpKey
from aeterna.gcp.l1.provider import GoogleProvider
from aeterna.gcp.labels import labels
from aeterna.gcp.network import GcpNetwork
from aeterna.gcp.parity import PARITY
from aeterna.gcp.place import GcpPlace
from aeterna.gcp.regions import require_region
from aeterna.gcp.registry import ArtifactRegistry
from aeterna.gcp.state import GcsStateStore, keep_state

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
    from aeterna.gcp.cluster_settings import GkeOptions
    from aeterna.synth.cloud import Cloud

Store: TypeAlias = CloudSqlPostgres | MemorystoreValkey | GcsBucket | BigLakeCatalog


class Gcp:
    """Google Cloud. Keeps the protocol `aeterna.synth.cloud.Cloud`, whose docstrings say what each makes.

    ``project`` is the project that everything is made in and that requests are counted against. Default: the one that
    the environment of whoever applies names. ``cluster`` is what only GKE knows of a cluster.
    """

    name = "gcp"
    parity = PARITY
    catalog_in_cluster = False

    def __init__(self, project: str | None = None, *, cluster: GkeOptions = DEFAULT_OPTIONS) -> None:
        self._project = project
        self._cluster = cluster

    def prepare(self, scope: Construct, *, region: str, tags: Mapping[str, str]) -> GcpPlace:
        """Configure one provider. Credentials are whatever the environment of the one who applies offers."""
        require_region("Cloud", "region", region)
        written = labels(tags)
        GoogleProvider(
            scope,
            "google",
            project=self._project,
            region=region,
            default_labels=written,
            # Without it the services refuse a person's own credentials, which belong to no project.
            user_project_override=True,
            billing_project=self._project,
        )
        return GcpPlace(scope, "Place", region=region, labels=written)

    def keep_state(self, scope: Construct, spec: StateSpec, *, region: str) -> None:
        """Keep the stack's state in Cloud Storage."""
        keep_state(scope, spec, region=region)

    def key(self, scope: Construct, id_: str, spec: KeySpec) -> GcpKey:
        """Make a key of Cloud KMS."""
        return GcpKey(scope, id_, spec, place=GcpPlace.of(scope))

    def state_store(self, scope: Construct, id_: str, spec: StateStoreSpec, *, key: GcpKey) -> GcsStateStore:
        """Make a bucket of Cloud Storage for states."""
        return GcsStateStore(scope, id_, spec, place=GcpPlace.of(scope), key=key)

    def network(self, scope: Construct, id_: str, spec: NetworkSpec, *, key: GcpKey) -> GcpNetwork:
        """Make a VPC."""
        return GcpNetwork(scope, id_, spec, place=GcpPlace.of(scope), key=key)

    def database(
        self, scope: Construct, id_: str, spec: DatabaseSpec, *, network: GcpNetwork, key: GcpKey
    ) -> CloudSqlPostgres:
        """Make a PostgreSQL server on Cloud SQL."""
        return CloudSqlPostgres(scope, id_, spec, place=GcpPlace.of(scope), network=network, key=key)

    def cache(
        self, scope: Construct, id_: str, spec: CacheSpec, *, network: GcpNetwork, key: GcpKey
    ) -> MemorystoreValkey:
        """Make a Valkey cache on Memorystore."""
        return MemorystoreValkey(scope, id_, spec, place=GcpPlace.of(scope), network=network, key=key)

    def bucket(self, scope: Construct, id_: str, spec: BucketSpec, *, network: GcpNetwork, key: GcpKey) -> GcsBucket:
        """Make a bucket of Cloud Storage. The private way to it is the network's own, which serves every bucket."""
        del network
        return GcsBucket(scope, id_, spec, place=GcpPlace.of(scope), key=key)

    def catalog(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        key: GcpKey,
        bucket: GcsBucket,
        database: CloudSqlPostgres,
    ) -> BigLakeCatalog:
        """Make a catalog of BigLake."""
        del database  # BigLake keeps the catalog itself.
        return BigLakeCatalog(scope, id_, spec, place=GcpPlace.of(scope), key=key, bucket=bucket)

    def registry(
        self, scope: Construct, id_: str, spec: RegistrySpec, *, network: GcpNetwork, key: GcpKey
    ) -> ArtifactRegistry:
        """Make a repository of Artifact Registry. The private way to it is the network's own."""
        del network
        return ArtifactRegistry(scope, id_, spec, place=GcpPlace.of(scope), key=key)

    def backup(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        key: GcpKey,
        protects: Sequence[CloudSqlPostgres | GcsBucket],
    ) -> GcpBackup:
        """Make a locked bucket, exports of each database into it, and a mirror of each bucket in it."""
        return GcpBackup(scope, id_, spec, place=GcpPlace.of(scope), key=key, protects=protects)

    def cluster(self, scope: Construct, id_: str, spec: ClusterSpec, *, network: GcpNetwork, key: GcpKey) -> GkeCluster:
        """Make a GKE cluster."""
        place = GcpPlace.of(scope)
        return GkeCluster(scope, id_, spec, place=place, network=network, key=key, options=self._cluster)

    def admit(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: GkeCluster,
        stores: Sequence[CloudSqlPostgres | MemorystoreValkey | ArtifactRegistry],
    ) -> None:
        """Let the nodes through the network's firewall, and their account pull images."""
        Admission(
            scope,
            id_,
            cluster=cluster,
            reaches=[store for store in stores if not isinstance(store, ArtifactRegistry)],
            pulls=[store for store in stores if isinstance(store, ArtifactRegistry)],
        )

    def identity(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: GkeCluster, uses: Sequence[Store] = ()
    ) -> GcpIdentity:
        """Make an account for one service account, with a grant named after each store that it uses."""
        identity = GcpIdentity(scope, id_, spec, cluster=cluster)
        for store in uses:
            identity.use(f"Use{store.node.id}", store)
        return identity

    def administrator(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: GkeCluster, database: CloudSqlPostgres
    ) -> GcpIdentity:
        """Make an account for one service account that may act as the database's administrator."""
        identity = GcpIdentity(scope, id_, spec, cluster=cluster)
        identity.act_as("Administer", database.administrator, of=database.name)
        return identity

    def alerts(
        self,
        scope: Construct,
        id_: str,
        spec: AlertsSpec,
        *,
        key: GcpKey,
        watches: Sequence[GkeCluster | CloudSqlPostgres | MemorystoreValkey],
    ) -> GcpAlerts:
        """Make alerting policies, and a topic of Pub/Sub."""
        return GcpAlerts(scope, id_, spec, place=GcpPlace.of(scope), key=key, watches=watches)

    def database_replica(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        source: CloudSqlPostgres,
        network: GcpNetwork,
        key: GcpKey,
    ) -> CloudSqlReplica:
        """Make a read replica of Cloud SQL."""
        return CloudSqlReplica(scope, id_, spec, place=GcpPlace.of(scope), source=source, network=network, key=key)

    def bucket_replica(
        self, scope: Construct, id_: str, spec: BucketSpec, *, source: GcsBucket, network: GcpNetwork, key: GcpKey
    ) -> GcsBucketReplica:
        """Make a bucket and the transfer that fills it."""
        del network
        return GcsBucketReplica(scope, id_, spec, source=source, place=GcpPlace.of(scope), key=key)

    def backup_copy(
        self, scope: Construct, id_: str, spec: BackupSpec, *, source: GcpBackup, key: GcpKey
    ) -> GcpBackupCopy:
        """Make a locked bucket in the second region that everything in the first vault is copied to."""
        return GcpBackupCopy(scope, id_, spec, place=GcpPlace.of(scope), source=source, key=key)


GCP: Cloud[
    GcpNetwork,
    GcpKey,
    GkeCluster,
    CloudSqlPostgres,
    MemorystoreValkey,
    GcsBucket,
    BigLakeCatalog,
    ArtifactRegistry,
    GcpBackup,
] = Gcp()
