"""Fakes of the ports of the injector."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aeterna.injector.domain.lease import LeaseRecord
from aeterna.injector.domain.missed import MissedPod, PodSeen
from aeterna.injector.domain.registration import Registration
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import ClusterConflictError, ClusterError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from aeterna.injector.domain.certificates import KeyPair
    from aeterna.injector.domain.definition import Definition
    from aeterna.injector.domain.missed import Reason


class FakeDefinitions:
    """Has whatever definition a test puts into it."""

    def __init__(self, definition: Definition, *, fault: str | None = None) -> None:
        self.definition = definition
        self._fault = fault

    @property
    def fault(self) -> str | None:
        """Why the newest definition could not be read, as the test says."""
        return self._fault

    def current(self) -> Definition:
        """Return what is in force."""
        return self.definition


@dataclass(slots=True, kw_only=True)
class FakeCluster:
    """A cluster in memory that the fakes of the cluster's ports share; tests look into it and break it.

    While ``fault`` is set every call raises it. ``refusing`` are namespaces that take nothing.
    """

    secrets: dict[str, Stored] = field(default_factory=dict[str, Stored])
    maps: dict[str, Stored] = field(default_factory=dict[str, Stored])
    injected: set[str] = field(default_factory=set[str])
    registration: Registration | None = None
    lease: LeaseRecord | None = None
    pods: list[PodSeen] = field(default_factory=list[PodSeen])
    reported: list[MissedPod] = field(default_factory=list[MissedPod])
    keys: str = '{"keys":[]}\n'
    fault: Exception | None = None
    refusing: dict[str, ClusterError] = field(default_factory=dict[str, ClusterError])
    versions: int = 0

    def called(self) -> None:
        """Raise the fault, if there is one."""
        if self.fault is not None:
            raise self.fault

    def written(self, what: str, found: str | None, named: str | None) -> str:
        """Return the version of a write that names the version which is there, or raise `ClusterConflictError`."""
        self.called()
        if found != named:
            raise ClusterConflictError(f"write {what}", "409 Conflict")
        self.versions += 1
        return str(self.versions)


class FakeSecrets:
    """Secrets in memory."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def read(self, name: str) -> Stored | None:
        """Return what the Secret holds, or None when there is none."""
        self._cluster.called()
        return self._cluster.secrets.get(name)

    async def write(self, name: str, stored: Stored, *, tls: bool) -> None:
        """Make the Secret, or write over it."""
        del tls
        found = self._cluster.secrets.get(name)
        version = self._cluster.written(name, found and found.version, stored.version)
        self._cluster.secrets[name] = Stored(entries=dict(stored.entries), version=version)


class FakeTrustMaps:
    """ConfigMaps in memory."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def injected(self) -> Collection[str]:
        """Return the namespaces whose pods are looked at."""
        self._cluster.called()
        return frozenset(self._cluster.injected)

    async def read_all(self) -> Mapping[str, Stored]:
        """Return every one that there is."""
        self._cluster.called()
        return dict(self._cluster.maps)

    async def write(self, namespace: str, stored: Stored) -> None:
        """Make the namespace's, or write over it."""
        if namespace in self._cluster.refusing:
            raise self._cluster.refusing[namespace]
        found = self._cluster.maps.get(namespace)
        version = self._cluster.written(namespace, found and found.version, stored.version)
        self._cluster.maps[namespace] = Stored(entries=dict(stored.entries), version=version)


class FakeRegistrations:
    """A registration in memory."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def read(self) -> Registration | None:
        """Return it, or None when the webhook is not registered."""
        self._cluster.called()
        return self._cluster.registration

    async def write(self, registration: Registration) -> None:
        """Write it over the one of its version."""
        found = self._cluster.registration
        version = self._cluster.written("the webhook", found and found.version, registration.version)
        self._cluster.registration = replace(registration, version=version)


class FakeLeases:
    """A Lease in memory."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def read(self) -> LeaseRecord | None:
        """Return who leads, or None when nobody ever did."""
        self._cluster.called()
        return self._cluster.lease

    async def write(self, record: LeaseRecord) -> None:
        """Lead, or go on leading."""
        found = self._cluster.lease
        version = self._cluster.written("the Lease", found and found.version, record.version)
        self._cluster.lease = replace(record, version=version)


class FakePods:
    """Pods in memory, and the Events about them."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def of(self, namespace: str) -> AsyncIterator[PodSeen]:
        """Return the pods of a namespace."""
        self._cluster.called()
        for pod in self._cluster.pods:
            if pod.namespace == namespace:
                yield pod

    async def report(self, pod: MissedPod) -> bool:
        """Keep the report, unless there is one of this pod and reason already."""
        self._cluster.called()
        if pod in self._cluster.reported:
            return False
        self._cluster.reported.append(pod)
        return True


class FakeClusterKeys:
    """The keys that a test says the cluster has."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    async def read(self) -> str:
        """Return the keys as a JSON Web Key Set."""
        self._cluster.called()
        return self._cluster.keys


class FakePresenter:
    """Keeps what it was given to show."""

    def __init__(self) -> None:
        self.shown: list[KeyPair] = []

    def present(self, pair: KeyPair) -> None:
        """Show it."""
        self.shown.append(pair)


class RecordedUpkeep:
    """Keeps what the upkeep said of itself; an ``UpkeepObserver``."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []
        self.writes: list[str] = []
        self.leading: list[bool] = []
        self.exposures: list[int] = []
        self.misses: Mapping[tuple[str, Reason], int] = {}
        self.ends: dict[str, float] = {}
        self.passes = 0

    def passed(self, seconds: float) -> None:
        """Note a pass."""
        del seconds
        self.passes += 1

    def failed(self, part: str, code: str) -> None:
        """Note a part that could not be done."""
        self.failures.append((part, code))

    def leads(self, leading: bool) -> None:  # noqa: FBT001 - as the port
        """Note whether it leads."""
        self.leading.append(leading)

    def authority(self, generations: int, ends: float) -> None:
        """Note the authority's end."""
        self.ends[f"authority of {generations}"] = ends

    def served(self, service: str, ends: float) -> None:
        """Note a certificate's end."""
        self.ends[service] = ends

    def wrote(self, kind: str) -> None:
        """Note a write."""
        self.writes.append(kind)

    def exposed(self, namespaces: int) -> None:
        """Note how many namespaces could have been locked out."""
        self.exposures.append(namespaces)

    def missed(self, found: Mapping[tuple[str, Reason], int]) -> None:
        """Note the pods that are reported."""
        self.misses = dict(found)
