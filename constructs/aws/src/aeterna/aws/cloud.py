"""AWS as a cloud: makes every construct of the contracts, and is found by the entry point ``aws``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.aws.admission import Admission
from aeterna.aws.alerts import CloudWatchAlerts
from aeterna.aws.backup import AwsBackup, AwsBackupCopy
from aeterna.aws.bucket import S3Bucket
from aeterna.aws.bucket_replica import S3BucketReplica
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.catalog import GlueCatalog
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import RdsPostgres
from aeterna.aws.database_replica import RdsReplica
from aeterna.aws.identity import AwsIdentity, Mechanism
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.aws.parity import PARITY
from aeterna.aws.place import AwsPlace
from aeterna.aws.regions import require_region
from aeterna.aws.registry import EcrRegistry
from aeterna.aws.state import StateStore, keep_state

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

Store: TypeAlias = RdsPostgres | ElastiCacheValkey | S3Bucket | GlueCatalog


class Aws:
    """Amazon Web Services. Keeps the protocol `aeterna.synth.cloud.Cloud`, whose docstrings say what each makes.

    ``mechanism`` is how the pods of the foundation's identities prove who they are. Default: an agent on the node
    vouches for them.
    """

    name = "aws"
    parity = PARITY
    catalog_in_cluster = False

    def __init__(self, *, mechanism: Mechanism = Mechanism.POD_IDENTITY) -> None:
        self._mechanism = mechanism

    def prepare(self, scope: Construct, *, region: str, tags: Mapping[str, str]) -> AwsPlace:
        """Configure one provider. Credentials are whatever the environment of the one who applies offers."""
        require_region("Cloud", "region", region)
        AwsProvider(scope, "aws", region=region, default_tags=[{"tags": tags}])
        return AwsPlace(scope, "Place")

    def keep_state(self, scope: Construct, spec: StateSpec, *, region: str) -> None:
        """Keep the stack's state in S3."""
        keep_state(scope, spec, region=region)

    def key(self, scope: Construct, id_: str, spec: KeySpec) -> AwsKey:
        """Make a KMS key."""
        return AwsKey(scope, id_, spec)

    def state_store(self, scope: Construct, id_: str, spec: StateStoreSpec, *, key: AwsKey) -> StateStore:
        """Make an S3 bucket for states."""
        return StateStore(scope, id_, spec, key=key)

    def network(self, scope: Construct, id_: str, spec: NetworkSpec, *, key: AwsKey) -> AwsNetwork:
        """Make a VPC."""
        return AwsNetwork(scope, id_, spec, key=key)

    def database(
        self, scope: Construct, id_: str, spec: DatabaseSpec, *, network: AwsNetwork, key: AwsKey
    ) -> RdsPostgres:
        """Make a PostgreSQL server on RDS."""
        return RdsPostgres(scope, id_, spec, network=network, key=key)

    def cache(
        self, scope: Construct, id_: str, spec: CacheSpec, *, network: AwsNetwork, key: AwsKey
    ) -> ElastiCacheValkey:
        """Make a Valkey cache on ElastiCache."""
        return ElastiCacheValkey(scope, id_, spec, network=network, key=key)

    def bucket(self, scope: Construct, id_: str, spec: BucketSpec, *, network: AwsNetwork, key: AwsKey) -> S3Bucket:
        """Make an S3 bucket. The private way to it is the network's own gateway endpoint, which serves every bucket."""
        del network
        return S3Bucket(scope, id_, spec, key=key)

    def catalog(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        key: AwsKey,
        bucket: S3Bucket,
        database: RdsPostgres,
    ) -> GlueCatalog:
        """Make a database of the Glue catalog; `aeterna.aws.catalog.S3TablesCatalog` is the alternative."""
        del database  # Glue keeps the catalog itself.
        return GlueCatalog(scope, id_, spec, key=key, bucket=bucket)

    def registry(
        self, scope: Construct, id_: str, spec: RegistrySpec, *, network: AwsNetwork, key: AwsKey
    ) -> EcrRegistry:
        """Make repositories of ECR. The private way to them is the network's own endpoints."""
        del network
        return EcrRegistry(scope, id_, spec, key=key)

    def backup(
        self, scope: Construct, id_: str, spec: BackupSpec, *, key: AwsKey, protects: Sequence[RdsPostgres | S3Bucket]
    ) -> AwsBackup:
        """Make a vault of AWS Backup."""
        return AwsBackup(scope, id_, spec, key=key, protects=protects)

    def cluster(self, scope: Construct, id_: str, spec: ClusterSpec, *, network: AwsNetwork, key: AwsKey) -> EksCluster:
        """Make an EKS cluster."""
        return EksCluster(scope, id_, spec, network=network, key=key)

    def admit(
        self,
        scope: Construct,
        id_: str,
        *,
        cluster: EksCluster,
        stores: Sequence[RdsPostgres | ElastiCacheValkey | EcrRegistry],
    ) -> None:
        """Let the nodes into the stores' security groups. Their role may pull from the registry already."""
        reached = [store for store in stores if not isinstance(store, EcrRegistry)]
        Admission(scope, id_, client=cluster, stores=reached)

    def identity(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: EksCluster, uses: Sequence[Store] = ()
    ) -> AwsIdentity:
        """Make a role for one service account, with a permission named after each store that it uses."""
        identity = AwsIdentity(scope, id_, spec, cluster=cluster, mechanism=self._mechanism)
        for store in uses:
            identity.allow(f"Use{store.node.id}", *store.access())
            if isinstance(store, RdsPostgres | ElastiCacheValkey) and store.login is not None:
                identity.logs_in(store.name, store.login)
        return identity

    def administrator(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: EksCluster, database: RdsPostgres
    ) -> AwsIdentity:
        """Make a role for one service account that may read the administrator's secret."""
        identity = AwsIdentity(scope, id_, spec, cluster=cluster, mechanism=self._mechanism)
        identity.allow("Administer", *database.administer_statements())
        identity.logs_in(database.name, database.outputs.administrator)
        return identity

    def alerts(
        self,
        scope: Construct,
        id_: str,
        spec: AlertsSpec,
        *,
        key: AwsKey,
        watches: Sequence[EksCluster | RdsPostgres | ElastiCacheValkey],
    ) -> CloudWatchAlerts:
        """Make alarms of CloudWatch and a topic of SNS."""
        return CloudWatchAlerts(scope, id_, spec, key=key, watches=watches)

    def database_replica(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        source: RdsPostgres,
        network: AwsNetwork,
        key: AwsKey,
    ) -> RdsReplica:
        """Make a read replica on RDS."""
        return RdsReplica(scope, id_, spec, source=source, network=network, key=key)

    def bucket_replica(
        self, scope: Construct, id_: str, spec: BucketSpec, *, source: S3Bucket, network: AwsNetwork, key: AwsKey
    ) -> S3BucketReplica:
        """Make an S3 bucket, and have S3 copy to it."""
        del network
        return S3BucketReplica(scope, id_, spec, source=source, key=key)

    def backup_copy(
        self, scope: Construct, id_: str, spec: BackupSpec, *, source: AwsBackup, key: AwsKey
    ) -> AwsBackupCopy:
        """Make a vault, and have AWS Backup copy to it."""
        return AwsBackupCopy(scope, id_, spec, source=source, key=key)


AWS: Cloud[
    AwsNetwork, AwsKey, EksCluster, RdsPostgres, ElastiCacheValkey, S3Bucket, GlueCatalog, EcrRegistry, AwsBackup
] = Aws()
