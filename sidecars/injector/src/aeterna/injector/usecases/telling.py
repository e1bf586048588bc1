"""What the trust ConfigMap tells a namespace beside whom to trust: by which keys policies and pods prove themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.contracts.injection import names
from aeterna.contracts.workloads import Workloads
from aeterna.injector.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.injector.ports import ClusterKeys, UpkeepObserver

BUNDLE_KEYS: Final = names.BUNDLE_KEYS.rpartition("/")[2]
WORKLOADS: Final = names.WORKLOADS_FILE.rpartition("/")[2]
WORKLOAD_KEYS: Final = names.WORKLOAD_KEYS.rpartition("/")[2]


class Telling:
    """The entries, of which the tenancy differs from tenant to tenant: none is told of another's namespaces."""

    def __init__(
        self,
        *,
        bundle_keys: Callable[[], str | None],
        workloads: Callable[[], Workloads | None],
        cluster_keys: ClusterKeys,
        observer: UpkeepObserver,
    ) -> None:
        """Take what returns the public keys of policies and the tenancy of namespaces; None while they are away."""
        self._bundle_keys = bundle_keys
        self._workloads = workloads
        self._cluster_keys = cluster_keys
        self._observer = observer
        self._known: str | None = None

    async def refresh(self) -> None:
        """Ask the cluster for its keys; while it does not say, the last ones stay."""
        try:
            self._known = await self._cluster_keys.read()
        except ClusterError as exc:
            self._observer.failed("workload_keys", exc.code)

    def __call__(self, namespace: str) -> Mapping[str, str | None]:
        """Return the entries for a namespace."""
        workloads = self._workloads()
        return {
            BUNDLE_KEYS: self._bundle_keys(),
            WORKLOADS: None if workloads is None else _of_the_tenant(workloads, namespace).document(),
            WORKLOAD_KEYS: self._known,
        }


def _of_the_tenant(workloads: Workloads, namespace: str) -> Workloads:
    own = workloads.namespaces.get(namespace)
    return Workloads(
        namespaces={
            name: each for name, each in workloads.namespaces.items() if own is not None and each.tenant == own.tenant
        }
    )
