"""AWS as a cloud: makes every construct of the contracts, and is found by the entry point ``aws``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from aeterna.aws.bucket import S3Bucket
from aeterna.aws.cache import ElastiCacheValkey
from aeterna.aws.catalog import GlueCatalog
from aeterna.aws.cluster import EksCluster
from aeterna.aws.database import RdsPostgres
from aeterna.aws.identity import AwsIdentity
from aeterna.aws.keys import AwsKey
from aeterna.aws.l1.provider import AwsProvider
from aeterna.aws.network import AwsNetwork
from aeterna.aws.regions import require_region
from aeterna.aws.state import keep_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from aeterna.contracts.bucket import BucketSpec
    from aeterna.contracts.cache import CacheSpec
    from aeterna.contracts.catalog import CatalogSpec
    from aeterna.contracts.cluster import ClusterSpec
    from aeterna.contracts.database import DatabaseSpec
    from aeterna.contracts.identity import IdentitySpec
    from aeterna.contracts.keys import KeySpec
    from aeterna.contracts.network import NetworkSpec
    from aeterna.contracts.state import StateSpec
    from aeterna.synth.cloud import Cloud

Store: TypeAlias = RdsPostgres | ElastiCacheValkey | S3Bucket | GlueCatalog


class Aws:
    """Amazon Web Services. Keeps the protocol `aeterna.synth.cloud.Cloud`, whose docstrings say what each makes."""

    name = "aws"

    def prepare(self, scope: Construct, *, region: str, tags: Mapping[str, str]) -> None:
        """Configure one provider. Credentials are whatever the environment of the one who applies offers."""
        require_region("Cloud", "region", region)
        AwsProvider(scope, "aws", region=region, default_tags=[{"tags": tags}])

    def keep_state(self, scope: Construct, spec: StateSpec, *, region: str) -> None:
        """Keep the stack's state in S3."""
        keep_state(scope, spec, region=region)

    def key(self, scope: Construct, id_: str, spec: KeySpec) -> AwsKey:
        """Make a KMS key."""
        return AwsKey(scope, id_, spec)

    def network(self, scope: Construct, id_: str, spec: NetworkSpec, *, key: AwsKey) -> AwsNetwork:
        """Make a VPC."""
        return AwsNetwork(scope, id_, spec, key=key)

    def cluster(self, scope: Construct, id_: str, spec: ClusterSpec, *, network: AwsNetwork, key: AwsKey) -> EksCluster:
        """Make an EKS cluster."""
        return EksCluster(scope, id_, spec, network=network, key=key)

    def database(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        network: AwsNetwork,
        key: AwsKey,
        clients: Sequence[EksCluster],
    ) -> RdsPostgres:
        """Make a PostgreSQL server on RDS."""
        return RdsPostgres(scope, id_, spec, network=network, key=key, clients=clients)

    def cache(
        self,
        scope: Construct,
        id_: str,
        spec: CacheSpec,
        *,
        network: AwsNetwork,
        key: AwsKey,
        clients: Sequence[EksCluster],
    ) -> ElastiCacheValkey:
        """Make a Valkey cache on ElastiCache."""
        return ElastiCacheValkey(scope, id_, spec, network=network, key=key, clients=clients)

    def bucket(self, scope: Construct, id_: str, spec: BucketSpec, *, key: AwsKey) -> S3Bucket:
        """Make an S3 bucket."""
        return S3Bucket(scope, id_, spec, key=key)

    def catalog(self, scope: Construct, id_: str, spec: CatalogSpec, *, key: AwsKey, bucket: S3Bucket) -> GlueCatalog:
        """Make a database of the Glue catalog; `aeterna.aws.catalog.S3TablesCatalog` is the alternative."""
        return GlueCatalog(scope, id_, spec, key=key, bucket=bucket)

    def identity(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: EksCluster, uses: Sequence[Store] = ()
    ) -> AwsIdentity:
        """Make a role for one service account, with a permission named after each store that it uses."""
        identity = AwsIdentity(scope, id_, spec, cluster=cluster)
        for store in uses:
            identity.allow(f"Use{store.node.id}", *store.access())
        return identity


AWS: Cloud[AwsNetwork, AwsKey, EksCluster, RdsPostgres, ElastiCacheValkey, S3Bucket, GlueCatalog] = Aws()
