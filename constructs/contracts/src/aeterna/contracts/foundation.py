"""A whole foundation: everything that the platform stands on in one environment, as one spec and one set of outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from aeterna.contracts.addresses import parse_block, require_disjoint
from aeterna.contracts.bucket import BucketOutputs, BucketSpec
from aeterna.contracts.cache import CacheOutputs, CacheSpec
from aeterna.contracts.catalog import CatalogOutputs, CatalogSpec
from aeterna.contracts.cluster import ClusterOutputs, ClusterSpec
from aeterna.contracts.database import DatabaseOutputs, DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import LABEL, IdentityOutputs
from aeterna.contracts.keys import KeyOutputs
from aeterna.contracts.naming import REGION, require_name
from aeterna.contracts.network import NetworkOutputs, NetworkSpec
from aeterna.contracts.state import StateSpec

LONGEST_ENVIRONMENT = 16
"""Leaves every service's limit room for the suffix of each part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundationSpec:
    """One environment in one region. What is left out is made with the defaults of its own spec.

    - ``name`` is the environment's and leads every name in it; at most 16 characters.
    - ``region`` is the cloud's own name of the region.
    - ``owner`` is the organisation's: it leads the names that are shared with the whole world, such as a bucket's.
    - ``network`` … ``catalog`` replace the spec of that part. Default: the part's own defaults under ``name``.
    - ``namespace`` is the one in the cluster in which the runtime's service accounts live. Default: "aeterna".
    - ``tags`` go onto everything that can carry them. Default: none beside the environment and this project's name.
    - ``state`` keeps the state in a bucket. Default: a file beside the stack, which is for trying out only.
    """

    name: str
    region: str
    owner: str
    network: NetworkSpec | None = None
    cluster: ClusterSpec | None = None
    database: DatabaseSpec | None = None
    cache: CacheSpec | None = None
    bucket: BucketSpec | None = None
    catalog: CatalogSpec | None = None
    namespace: str = "aeterna"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    state: StateSpec | None = None

    def __post_init__(self) -> None:
        """Refuse parts that cannot stand together."""
        kind = type(self).__name__
        require_name(kind, "name", self.name, longest=LONGEST_ENVIRONMENT)
        require_name(kind, "owner", self.owner, longest=LONGEST_ENVIRONMENT)
        if not REGION.fullmatch(self.region):
            raise InvalidSpecError(kind, "region", f"{self.region!r} is not a region", "use the cloud's own name of it")
        if not LABEL.fullmatch(self.namespace):
            raise InvalidSpecError(
                kind, "namespace", f"{self.namespace!r} is not a namespace", "write its exact name (RFC 1123 label)"
            )
        network, cluster = self.network_spec(), self.cluster_spec()
        services = parse_block(kind, "cluster", cluster.service_cidr)
        for text in (network.cidr, *network.connected):
            other = parse_block(kind, "network", text)
            require_disjoint(kind, "cluster", services, other, "which the network carries; these are its services")

    def network_spec(self) -> NetworkSpec:
        """Return the network to make."""
        return self.network or NetworkSpec(name=self.name)

    def cluster_spec(self) -> ClusterSpec:
        """Return the cluster to make."""
        return self.cluster or ClusterSpec(name=self.name)

    def database_spec(self) -> DatabaseSpec:
        """Return the database to make."""
        return self.database or DatabaseSpec(name=f"{self.name}-threads")

    def cache_spec(self) -> CacheSpec:
        """Return the cache to make."""
        return self.cache or CacheSpec(name=f"{self.name}-cache")

    def bucket_spec(self) -> BucketSpec:
        """Return the bucket to make; its name is unique as long as the owner's is."""
        return self.bucket or BucketSpec(name=f"{self.owner}-{self.name}-{self.region}-graph")

    def catalog_spec(self) -> CatalogSpec:
        """Return the catalog to make."""
        return self.catalog or CatalogSpec(name=f"{self.name}-graph")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundationOutputs:
    """A deployed foundation, the same on every cloud: what the platform that stands on it has to know."""

    version: ClassVar[int] = 1
    """Of this shape. A field is only ever added; anything else makes a new version."""

    network: NetworkOutputs
    cluster: ClusterOutputs
    database: DatabaseOutputs
    cache: CacheOutputs
    bucket: BucketOutputs
    catalog: CatalogOutputs
    keys: Mapping[str, KeyOutputs]
    """By purpose."""
    identities: Mapping[str, IdentityOutputs]
    """By service account."""
