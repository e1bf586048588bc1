"""A whole foundation: everything that the platform stands on in one environment, as one spec and one set of outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from aeterna.contracts.addresses import parse_block, require_disjoint
from aeterna.contracts.alerts import AlertsOutputs, AlertsSpec
from aeterna.contracts.backup import BackupOutputs, BackupSpec
from aeterna.contracts.bucket import BucketOutputs, BucketSpec
from aeterna.contracts.cache import CacheOutputs, CacheSpec
from aeterna.contracts.catalog import CatalogOutputs, CatalogSpec
from aeterna.contracts.cluster import ClusterOutputs, ClusterSpec, NodePoolSpec
from aeterna.contracts.database import DatabaseOutputs, DatabaseSpec
from aeterna.contracts.errors import InvalidSpecError
from aeterna.contracts.identity import LABEL, IdentityOutputs
from aeterna.contracts.keys import KeyOutputs, KeySpec
from aeterna.contracts.naming import REGION, require_name
from aeterna.contracts.network import NetworkOutputs, NetworkSpec
from aeterna.contracts.place import PlaceOutputs
from aeterna.contracts.recovery import RecoveryOutputs
from aeterna.contracts.registry import RegistryOutputs, RegistrySpec
from aeterna.contracts.sizes import SIZES, Part, Size, Sizing
from aeterna.contracts.state import StateSpec, StateStoreSpec

LONGEST_ENVIRONMENT = 16
"""Leaves every service's limit room for the suffix of each part."""

RECOVERY_BLOCK = "10.1.0.0/16"
"""The block of the second region's network; apart from the first one's default, so that the two can be connected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundationSpec:
    """One environment in one region. What is left out is made with the defaults of its own spec and of the size.

    - ``name`` is the environment's and leads every name in it; at most 16 characters.
    - ``region`` is the cloud's own name of the region.
    - ``owner`` is the organisation's: it leads the names that are shared with the whole world, such as a bucket's.
    - ``size`` says what the environment survives; see the table of sizes. Default: it survives the loss of a zone.
    - ``recovery_region`` is where the copies of a critical environment stand. Only that size has copies.
    - ``parts`` are the optional parts to make. Default: those of the size.
    - ``network`` … ``alerts`` replace the spec of that part. Default: the part's own defaults under ``name``.
    - ``thread_bucket`` replaces that of the thread store's large parts. Default: one of its own, under its own key.
    - ``recovery_network`` replaces the spec of the network in the second region. Default: 10.1.0.0/16.
    - ``namespace`` is the one in the cluster in which the runtime's service accounts live. Default: "aeterna".
    - ``tags`` go onto everything that can carry them. Default: none beside the environment and this project's name.
    - ``state`` keeps the states in a bucket. Default: a file beside each stack, which is for trying out only.
    """

    name: str
    region: str
    owner: str
    size: Size = Size.STANDARD
    recovery_region: str | None = None
    parts: frozenset[Part] | None = None
    network: NetworkSpec | None = None
    cluster: ClusterSpec | None = None
    database: DatabaseSpec | None = None
    cache: CacheSpec | None = None
    bucket: BucketSpec | None = None
    thread_bucket: BucketSpec | None = None
    catalog: CatalogSpec | None = None
    registry: RegistrySpec | None = None
    backup: BackupSpec | None = None
    alerts: AlertsSpec | None = None
    recovery_network: NetworkSpec | None = None
    namespace: str = "aeterna"
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    state: StateSpec | None = None

    def __post_init__(self) -> None:
        """Refuse parts that cannot stand together."""
        kind = type(self).__name__
        require_name(kind, "name", self.name, longest=LONGEST_ENVIRONMENT)
        require_name(kind, "owner", self.owner, longest=LONGEST_ENVIRONMENT)
        _require_region(kind, "region", self.region)
        if not LABEL.fullmatch(self.namespace):
            raise InvalidSpecError(
                kind, "namespace", f"{self.namespace!r} is not a namespace", "write its exact name (RFC 1123 label)"
            )
        self._check_choices(kind)
        self._check_recovery(kind)
        self._check_parts(kind)
        self._check_blocks(kind)

    def _check_choices(self, kind: str) -> None:
        if self.size not in SIZES:
            raise InvalidSpecError(kind, "size", f"{self.size!r} is not a size", f"use one of {', '.join(Size)}")
        unknown = sorted(self.present - set(Part))
        if unknown:
            remedy = f"use a set of {', '.join(Part)}"
            raise InvalidSpecError(kind, "parts", f"there is no part {', '.join(unknown)}", remedy)

    def _check_recovery(self, kind: str) -> None:
        if self.sizing.second_region:
            if self.recovery_region is None:
                problem = f"a {self.size} environment has copies in a second region, and none is named"
                raise InvalidSpecError(kind, "recovery_region", problem, "name a region other than the first")
            _require_region(kind, "recovery_region", self.recovery_region)
            if self.recovery_region == self.region:
                problem = f"{self.region!r} is the first region as well, and would be lost with it"
                raise InvalidSpecError(kind, "recovery_region", problem, "name another region")
            return
        for name in ("recovery_region", "recovery_network"):
            if getattr(self, name) is not None:
                problem = f"given, and a {self.size} environment has nothing in a second region"
                raise InvalidSpecError(kind, name, problem, f"leave it out, or use the size {Size.CRITICAL}")

    def _check_parts(self, kind: str) -> None:
        for part in Part:
            if part not in self.present and getattr(self, part.value) is not None:
                problem = f"given, and the part {part} is switched off"
                raise InvalidSpecError(kind, part.value, problem, f"leave it out, or add {part} to parts")

    def _check_blocks(self, kind: str) -> None:
        network, cluster = self.network_spec(), self.cluster_spec()
        services = parse_block(kind, "cluster", cluster.service_cidr)
        taken = [network.cidr, *network.connected]
        if self.recovery_region is not None:
            second = parse_block(kind, "recovery_network", self.recovery_network_spec().cidr)
            for text in taken:
                other = parse_block(kind, "network", text)
                require_disjoint(kind, "recovery_network", second, other, "which the first network carries")
            taken.append(str(second))
        for text in taken:
            other = parse_block(kind, "network", text)
            require_disjoint(kind, "cluster", services, other, "which the network carries; these are its services")

    @property
    def sizing(self) -> Sizing:
        """Return what the size turns on."""
        return SIZES[self.size]

    @property
    def present(self) -> frozenset[Part]:
        """Return the optional parts that are made."""
        return self.sizing.parts if self.parts is None else frozenset(self.parts)

    def key_spec(self, purpose: str) -> KeySpec:
        """Return the key of one purpose."""
        return KeySpec(purpose=purpose, environment=self.name, protected=self.sizing.protected)

    def network_spec(self) -> NetworkSpec:
        """Return the network to make."""
        return self.network or self._network(self.name)

    def recovery_network_spec(self) -> NetworkSpec:
        """Return the network to make in the second region; nothing runs there until someone switches over."""
        return self.recovery_network or replace(self._network(f"{self.name}-recovery"), cidr=RECOVERY_BLOCK)

    def cluster_spec(self) -> ClusterSpec:
        """Return the cluster to make."""
        sizing = self.sizing
        pool = NodePoolSpec(name="general", fewest=sizing.fewest_nodes, most=sizing.most_nodes)
        return self.cluster or ClusterSpec(
            name=self.name, pools=(pool,), log_days=sizing.log_days, protected=sizing.protected
        )

    def database_spec(self) -> DatabaseSpec:
        """Return the database to make."""
        sizing = self.sizing
        return self.database or DatabaseSpec(
            name=f"{self.name}-threads",
            vcpus=sizing.vcpus,
            memory_gib=sizing.memory_gib,
            storage_gib=sizing.storage_gib,
            most_storage_gib=sizing.storage_gib * 10,
            highly_available=sizing.highly_available,
            backup_days=sizing.point_in_time_days,
            log_days=sizing.log_days,
            protected=sizing.protected,
        )

    def cache_spec(self) -> CacheSpec:
        """Return the cache to make."""
        sizing = self.sizing
        return self.cache or CacheSpec(
            name=f"{self.name}-cache",
            memory_gib=sizing.cache_gib,
            replicas=sizing.cache_replicas,
            backup_days=sizing.cache_backup_days,
            log_days=sizing.log_days,
        )

    def bucket_spec(self) -> BucketSpec:
        """Return the bucket to make; its name is unique as long as the owner's is."""
        return self.bucket or self._bucket(self.region)

    def recovery_bucket_spec(self) -> BucketSpec:
        """Return the bucket that receives the copies."""
        mine, region = self.bucket_spec(), self.recovery_region or self.region
        return replace(mine, name=self._bucket(region).name, access_log_bucket=None)

    def thread_bucket_spec(self) -> BucketSpec:
        """Return the bucket of the thread store's large parts, which nobody else can read."""
        return self.thread_bucket or self._bucket(self.region, "parts")

    def recovery_thread_bucket_spec(self) -> BucketSpec:
        """Return the bucket that receives the copies of large parts."""
        mine, region = self.thread_bucket_spec(), self.recovery_region or self.region
        return replace(mine, name=self._bucket(region, "parts").name, access_log_bucket=None)

    def catalog_spec(self) -> CatalogSpec:
        """Return the catalog to make."""
        return self.catalog or CatalogSpec(name=f"{self.name}-graph")

    def registry_spec(self) -> RegistrySpec:
        """Return the registry to make."""
        return self.registry or RegistrySpec(name=f"{self.owner}-{self.name}", protected=self.sizing.protected)

    def backup_spec(self) -> BackupSpec:
        """Return the vault to make."""
        return self.backup or BackupSpec(name=f"{self.name}-backup", protected=self.sizing.protected)

    def alerts_spec(self) -> AlertsSpec:
        """Return the alarms to make."""
        return self.alerts or AlertsSpec(name=self.name)

    def state_store_spec(self) -> StateStoreSpec:
        """Return the bucket of the states: the one of ``state`` where that is given, so that the two agree."""
        name = f"{self.owner}-{self.name}-{self.region}-state" if self.state is None else self.state.bucket
        return StateStoreSpec(name=name, protected=self.sizing.protected)

    def _network(self, name: str) -> NetworkSpec:
        sizing = self.sizing
        return NetworkSpec(
            name=name,
            zones=sizing.zones,
            egress=sizing.egress,
            private_endpoints=sizing.private_endpoints,
            flow_log_days=sizing.log_days,
        )

    def _bucket(self, region: str, content: str = "graph") -> BucketSpec:
        sizing = self.sizing
        return BucketSpec(
            name=f"{self.owner}-{self.name}-{region}-{content}",
            noncurrent_days=sizing.noncurrent_days,
            protected=sizing.protected,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundationOutputs:
    """A deployed foundation, the same on every cloud: what the platform that stands on it has to know."""

    version: ClassVar[int] = 2
    """Of this shape. A field is only ever added; anything else makes a new version."""

    cloud: str
    """The cloud's name among the installed ones, which says how a client gets its tokens."""
    place: PlaceOutputs
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
    registry: RegistryOutputs | None = None
    backup: BackupOutputs | None = None
    alerts: AlertsOutputs | None = None
    recovery: RecoveryOutputs | None = None
    thread_bucket: BucketOutputs | None = None
    """The thread store's large parts; of an environment that was deployed before it had one, none."""


def _require_region(kind: str, field_name: str, region: str) -> None:
    if not REGION.fullmatch(region):
        raise InvalidSpecError(kind, field_name, f"{region!r} is not a region", "use the cloud's own name of it")
