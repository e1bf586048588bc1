"""What the injector needs of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping

    from aeterna.injector.domain.certificates import KeyPair
    from aeterna.injector.domain.definition import Definition
    from aeterna.injector.domain.lease import LeaseRecord
    from aeterna.injector.domain.missed import MissedPod, PodSeen, Reason
    from aeterna.injector.domain.registration import Registration
    from aeterna.injector.domain.stored import Stored


class Definitions(Protocol):
    """What is injected. Kept by ``adapters.definition_files``; faked in ``testing``."""

    def current(self) -> Definition:
        """Return what is in force, the same object as long as nothing changed; called for each admission."""
        ...

    @property
    def fault(self) -> str | None:
        """Why the documents that there are now could not be read, or None; what was in force before still is."""
        ...


# The cluster. Every method raises `ClusterUnavailableError` while the API is away, and `ClusterRefusedError` when it
# will not. A write names the version that it changes: `ClusterConflictError`, and nothing is written, when the object
# was changed or made since it was read.


class Secrets(Protocol):
    """Secrets of the injector's own namespace. Kept by ``adapters.cluster_objects``; faked in ``testing``."""

    async def read(self, name: str) -> Stored | None:
        """Return what the Secret holds, or None when there is none."""
        ...

    async def write(self, name: str, stored: Stored, *, tls: bool) -> None:
        """Make the Secret, or write over it; ``tls`` makes one of type ``kubernetes.io/tls``."""
        ...


class TrustMaps(Protocol):
    """The ConfigMaps ``aeterna-trust``. Kept by ``adapters.cluster_objects``; faked in ``testing``."""

    async def injected(self) -> Collection[str]:
        """Return the namespaces whose pods are looked at."""
        ...

    async def read_all(self) -> Mapping[str, Stored]:
        """Return every such ConfigMap that there is, by namespace, whether its namespace is looked at or not."""
        ...

    async def write(self, namespace: str, stored: Stored) -> None:
        """Make the namespace's, or write over it."""
        ...


class Registrations(Protocol):
    """The webhook's registration. Kept by ``adapters.cluster_webhook``; faked in ``testing``."""

    async def read(self) -> Registration | None:
        """Return it, or None when the webhook is not registered."""
        ...

    async def write(self, registration: Registration) -> None:
        """Write the hooks' bundles and selectors over those of the version."""
        ...


class ClusterKeys(Protocol):
    """The keys with which the cluster signs tokens of pods. Kept by ``adapters.cluster_keys``; faked in ``testing``."""

    async def read(self) -> str:
        """Return them as a JSON Web Key Set."""
        ...


class Leases(Protocol):
    """The Lease by which one replica leads. Kept by ``adapters.cluster_lease``; faked in ``testing``."""

    async def read(self) -> LeaseRecord | None:
        """Return who leads, or None when nobody ever did."""
        ...

    async def write(self, record: LeaseRecord) -> None:
        """Lead, or go on leading."""
        ...


class Pods(Protocol):
    """The pods of the cluster. Kept by ``adapters.cluster_pods``; faked in ``testing``."""

    def of(self, namespace: str) -> AsyncIterator[PodSeen]:
        """Return the pods of a namespace that have not ended."""
        ...

    async def report(self, pod: MissedPod) -> bool:
        """Write an Event about the pod; return False when there is one of this pod and reason already."""
        ...


class UpkeepObserver(Protocol):
    """Whoever counts what the upkeep does. Kept by ``api.upkeep_metrics``."""

    def passed(self, seconds: float) -> None:
        """Note a pass over everything that is kept, and how long it took."""
        ...

    def failed(self, part: str, code: str) -> None:
        """Note that a part of a pass could not be done."""
        ...

    def leads(self, leading: bool) -> None:  # noqa: FBT001 - a value
        """Note whether this replica leads."""
        ...

    def authority(self, generations: int, ends: float) -> None:
        """Note how many generations are trusted, and when the issuing one ends, since the epoch."""
        ...

    def served(self, service: str, ends: float) -> None:
        """Note when the certificate that a service is given ends, since the epoch."""
        ...

    def wrote(self, kind: str) -> None:
        """Note that an object was written: authority, certificate, trust or webhook."""
        ...

    def exposed(self, namespaces: int) -> None:
        """Note how many protected namespaces the webhook's selector could have matched."""
        ...

    def missed(self, found: Mapping[tuple[str, Reason], int]) -> None:
        """Note the pods that run without what they asked for, by namespace and reason: all that there are now."""
        ...


class Presenter(Protocol):
    """What shows this replica's certificate. Kept by ``adapters.serving_context``; faked in ``testing``."""

    def present(self, pair: KeyPair) -> None:
        """Show it in every handshake that begins from now on."""
        ...
