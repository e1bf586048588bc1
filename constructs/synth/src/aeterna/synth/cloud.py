"""The one protocol that every cloud keeps, so that a stack is written once and deployed on any of them.

A cloud makes constructs and returns them as handles. What a handle is, is the cloud's own business: code that is
generic over the handle types can hand one to the cloud again and read its outputs, and looking deeper is a type error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from aeterna.contracts.backup import BackupOutputs, BackupSpec
from aeterna.contracts.bucket import BucketOutputs, BucketSpec
from aeterna.contracts.cache import CacheOutputs, CacheSpec
from aeterna.contracts.catalog import CatalogOutputs, CatalogSpec
from aeterna.contracts.cluster import ClusterOutputs, ClusterSpec
from aeterna.contracts.database import DatabaseOutputs, DatabaseSpec
from aeterna.contracts.keys import KeyOutputs, KeySpec
from aeterna.contracts.network import NetworkOutputs, NetworkSpec
from aeterna.contracts.registry import RegistryOutputs, RegistrySpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from aeterna.contracts.alerts import AlertsOutputs, AlertsSpec
    from aeterna.contracts.identity import IdentityOutputs, IdentitySpec
    from aeterna.contracts.parity import Parity
    from aeterna.contracts.place import PlaceOutputs
    from aeterna.contracts.recovery import ReplicaOutputs
    from aeterna.contracts.state import StateSpec, StateStoreOutputs, StateStoreSpec

Outputs_co = TypeVar("Outputs_co", covariant=True)


class Handle(Protocol[Outputs_co]):
    """A construct as neutral code sees it: what it tells once it is deployed, and nothing else."""

    @property
    def outputs(self) -> Outputs_co:
        """What others may know of it, in the words of the contracts."""
        ...


NetworkT = TypeVar("NetworkT", bound=Handle[NetworkOutputs])
KeyT = TypeVar("KeyT", bound=Handle[KeyOutputs])
ClusterT = TypeVar("ClusterT", bound=Handle[ClusterOutputs])
DatabaseT = TypeVar("DatabaseT", bound=Handle[DatabaseOutputs])
CacheT = TypeVar("CacheT", bound=Handle[CacheOutputs])
BucketT = TypeVar("BucketT", bound=Handle[BucketOutputs])
CatalogT = TypeVar("CatalogT", bound=Handle[CatalogOutputs])
RegistryT = TypeVar("RegistryT", bound=Handle[RegistryOutputs])
BackupT = TypeVar("BackupT", bound=Handle[BackupOutputs])


class Cloud(Protocol[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT, RegistryT, BackupT]):
    """A cloud: the maker of every construct that a platform stands on.

    Every method refuses a spec that cannot work with `InvalidSpecError`. Every store that it makes is encrypted with
    the key that it is given, and is reachable only from the network that it is given and the clusters that `admit`
    names. A handle may stand in another stack than the scope: what is made then reads that stack's state.
    """

    @property
    def name(self) -> str:
        """Its name in the entry-point group ``aeterna.clouds``."""
        ...

    @property
    def parity(self) -> Parity:
        """What it promises, and what it does not and why."""
        ...

    @property
    def catalog_in_cluster(self) -> bool:
        """Whether a server of the catalog is the customer's to run in the cluster, and gets an identity of its own."""
        ...

    def prepare(self, scope: Construct, *, region: str, tags: Mapping[str, str]) -> Handle[PlaceOutputs]:
        """Configure the cloud's providers for everything below the scope, which is usually a stack."""
        ...

    def keep_state(self, scope: Construct, spec: StateSpec, *, region: str) -> None:
        """Keep the state of the scope's stack in the cloud's own storage, by default in the given region."""
        ...

    def key(self, scope: Construct, id_: str, spec: KeySpec) -> KeyT:
        """Make an encryption key that the customer manages."""
        ...

    def state_store(self, scope: Construct, id_: str, spec: StateStoreSpec, *, key: KeyT) -> Handle[StateStoreOutputs]:
        """Make the bucket that states are kept in; the key encrypts it, and each state before it gets there."""
        ...

    def network(self, scope: Construct, id_: str, spec: NetworkSpec, *, key: KeyT) -> NetworkT:
        """Make a private network over several zones; the key encrypts its flow logs."""
        ...

    def database(self, scope: Construct, id_: str, spec: DatabaseSpec, *, network: NetworkT, key: KeyT) -> DatabaseT:
        """Make a PostgreSQL that nobody can reach until a cluster is admitted."""
        ...

    def cache(self, scope: Construct, id_: str, spec: CacheSpec, *, network: NetworkT, key: KeyT) -> CacheT:
        """Make a Redis-compatible cache that nobody can reach until a cluster is admitted."""
        ...

    def bucket(self, scope: Construct, id_: str, spec: BucketSpec, *, network: NetworkT, key: KeyT) -> BucketT:
        """Make a versioned object store that nothing public can reach; the network gets a private way to it."""
        ...

    def catalog(
        self,
        scope: Construct,
        id_: str,
        spec: CatalogSpec,
        *,
        key: KeyT,
        bucket: BucketT,
        database: DatabaseT,
    ) -> CatalogT:
        """Make an Iceberg catalog whose tables live in the bucket.

        Where the cloud has no catalog of its own, a server keeps it in the database.
        """
        ...

    def registry(self, scope: Construct, id_: str, spec: RegistrySpec, *, network: NetworkT, key: KeyT) -> RegistryT:
        """Make a registry of container images."""
        ...

    def backup(
        self,
        scope: Construct,
        id_: str,
        spec: BackupSpec,
        *,
        key: KeyT,
        protects: Sequence[DatabaseT | BucketT],
    ) -> BackupT:
        """Make a locked vault, and put backups of these stores into it."""
        ...

    def cluster(self, scope: Construct, id_: str, spec: ClusterSpec, *, network: NetworkT, key: KeyT) -> ClusterT:
        """Make a private Kubernetes cluster with workload identity; the key encrypts its secrets, disks and logs."""
        ...

    def admit(
        self, scope: Construct, id_: str, *, cluster: ClusterT, stores: Sequence[DatabaseT | CacheT | RegistryT]
    ) -> None:
        """Let the cluster's nodes reach these stores over the network, and pull from the registry."""
        ...

    def identity(
        self,
        scope: Construct,
        id_: str,
        spec: IdentitySpec,
        *,
        cluster: ClusterT,
        uses: Sequence[DatabaseT | CacheT | BucketT | CatalogT] = (),
    ) -> Handle[IdentityOutputs]:
        """Bind one service account of the cluster to an identity that may use these stores, and no others."""
        ...

    def administrator(
        self, scope: Construct, id_: str, spec: IdentitySpec, *, cluster: ClusterT, database: DatabaseT
    ) -> Handle[IdentityOutputs]:
        """Bind one service account, that of migrations, to an identity that may administer a database made here."""
        ...

    def alerts(
        self,
        scope: Construct,
        id_: str,
        spec: AlertsSpec,
        *,
        key: KeyT,
        watches: Sequence[ClusterT | DatabaseT | CacheT],
    ) -> Handle[AlertsOutputs]:
        """Make alarms on these; the key encrypts what is sent."""
        ...

    def database_replica(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        source: DatabaseT,
        network: NetworkT,
        key: KeyT,
    ) -> Handle[ReplicaOutputs]:
        """Make a read-only copy of the source, whose spec is given; scope, network and key are the second region's."""
        ...

    def bucket_replica(
        self, scope: Construct, id_: str, spec: BucketSpec, *, source: BucketT, network: NetworkT, key: KeyT
    ) -> Handle[BucketOutputs]:
        """Make the bucket of the spec and copy every object of the source to it; scope and key are its region's."""
        ...

    def backup_copy(
        self, scope: Construct, id_: str, spec: BackupSpec, *, source: BackupT, key: KeyT
    ) -> Handle[BackupOutputs]:
        """Make a vault and copy every backup of the source to it; scope and key are its region's."""
        ...
