"""The one protocol that every cloud keeps, so that a stack is written once and deployed on any of them.

A cloud makes constructs and returns them as handles. What a handle is, is the cloud's own business: code that is
generic over the handle types can hand one to the cloud again and read its outputs, and looking deeper is a type error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from aeterna.contracts.bucket import BucketOutputs, BucketSpec
from aeterna.contracts.cache import CacheOutputs, CacheSpec
from aeterna.contracts.catalog import CatalogOutputs, CatalogSpec
from aeterna.contracts.cluster import ClusterOutputs, ClusterSpec
from aeterna.contracts.database import DatabaseOutputs, DatabaseSpec
from aeterna.contracts.keys import KeyOutputs, KeySpec
from aeterna.contracts.network import NetworkOutputs, NetworkSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from constructs import Construct

    from aeterna.contracts.identity import IdentityOutputs, IdentitySpec
    from aeterna.contracts.state import StateSpec

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


class Cloud(Protocol[NetworkT, KeyT, ClusterT, DatabaseT, CacheT, BucketT, CatalogT]):
    """A cloud: the maker of every construct that a platform stands on.

    Every method refuses a spec that cannot work with `InvalidSpecError`. Every store that it makes is encrypted with
    the key that it is given, and is reachable only from the network and the clusters that it is given.
    """

    @property
    def name(self) -> str:
        """Its name in the entry-point group ``aeterna.clouds``."""
        ...

    def prepare(self, scope: Construct, *, region: str, tags: Mapping[str, str]) -> None:
        """Configure the cloud's providers for everything below the scope, which is usually a stack."""
        ...

    def keep_state(self, scope: Construct, spec: StateSpec, *, region: str) -> None:
        """Keep the state of the scope's stack in the cloud's own storage, by default in the given region."""
        ...

    def key(self, scope: Construct, id_: str, spec: KeySpec) -> KeyT:
        """Make an encryption key that the customer manages."""
        ...

    def network(self, scope: Construct, id_: str, spec: NetworkSpec, *, key: KeyT) -> NetworkT:
        """Make a private network over several zones; the key encrypts its flow logs."""
        ...

    def cluster(self, scope: Construct, id_: str, spec: ClusterSpec, *, network: NetworkT, key: KeyT) -> ClusterT:
        """Make a private Kubernetes cluster with workload identity; the key encrypts its secrets, disks and logs."""
        ...

    def database(
        self,
        scope: Construct,
        id_: str,
        spec: DatabaseSpec,
        *,
        network: NetworkT,
        key: KeyT,
        clients: Sequence[ClusterT],
    ) -> DatabaseT:
        """Make a PostgreSQL whose only clients are the pods of these clusters."""
        ...

    def cache(
        self, scope: Construct, id_: str, spec: CacheSpec, *, network: NetworkT, key: KeyT, clients: Sequence[ClusterT]
    ) -> CacheT:
        """Make a Redis-compatible cache whose only clients are the pods of these clusters."""
        ...

    def bucket(self, scope: Construct, id_: str, spec: BucketSpec, *, key: KeyT) -> BucketT:
        """Make a versioned object store that nothing public can reach."""
        ...

    def catalog(self, scope: Construct, id_: str, spec: CatalogSpec, *, key: KeyT, bucket: BucketT) -> CatalogT:
        """Make an Iceberg catalog whose tables live in the bucket."""
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
