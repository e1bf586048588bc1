"""Keeps what clients trust: a ConfigMap in each namespace that is injected and in our own, and the webhook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.contracts.injection import names
from aeterna.injector.domain.certificates import read_certificates
from aeterna.injector.domain.registration import Registration, protected_namespaces
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import (
    CertificateUnreadableError,
    ClusterConflictError,
    ClusterError,
    ClusterRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from aeterna.injector.domain.authority import Authority
    from aeterna.injector.ports import Registrations, TrustMaps, UpkeepObserver

    Besides: TypeAlias = Callable[[str], Mapping[str, str | None]]
    """Returns the further entries for a namespace; None for one that cannot be read now."""

BUNDLE: Final = names.CA_FILE.rpartition("/")[2]

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What clients trust now, as it was read: the ConfigMaps by namespace, and the webhook if it is registered."""

    maps: Mapping[str, Stored] = field(repr=False)
    injected: frozenset[str]
    registration: Registration | None = field(repr=False)


class TrustKeeper:
    """All places from which clients read whom to trust."""

    def __init__(
        self,
        maps: TrustMaps,
        registrations: Registrations,
        *,
        namespace: str,
        besides: Besides,
        observer: UpkeepObserver,
    ) -> None:
        """Take the injector's own namespace, and what else its ConfigMap tells a namespace."""
        self._maps = maps
        self._namespace = namespace
        self._registrations = registrations
        self._protected = protected_namespaces(namespace)
        self._besides = besides
        self._observer = observer
        self._refused: frozenset[str] = frozenset()

    async def read(self) -> Trust:
        """Return what clients trust now."""
        return Trust(
            injected=frozenset({*await self._maps.injected(), self._namespace}),
            maps=await self._maps.read_all(),
            registration=await self._registrations.read(),
        )

    def known_everywhere(self, trust: Trust) -> frozenset[str]:
        """Return the fingerprints of the authorities that every client trusts.

        A namespace that refuses to be written to has itself to blame: it must not keep the authority from rotating. One
        that has no ConfigMap yet has no clients either, since their pods wait for it.
        """
        bundles = [
            stored.entries.get(BUNDLE, "") for namespace, stored in trust.maps.items() if namespace not in self._refused
        ]
        if trust.registration is not None:
            bundles += [hook.bundle for hook in trust.registration.hooks]
        known = [_fingerprints(bundle) for bundle in bundles]
        return known[0].intersection(*known) if known else frozenset()

    async def keep(self, trust: Trust, authority: Authority) -> None:
        """Write the bundle wherever it is another one; having done all that can be done, raise the last problem."""
        problem: ClusterError | None = None
        try:
            await self._keep_webhook(trust.registration, authority.bundle)
        except ClusterError as exc:
            problem = exc
        refused: set[str] = set()
        for namespace in sorted(trust.injected | trust.maps.keys()):
            try:
                await self._keep_map(namespace, trust.maps.get(namespace, Stored()), authority.bundle)
            except ClusterConflictError:
                log.info("trust.raced", namespace=namespace)
            except ClusterError as exc:
                problem = exc
                if isinstance(exc, ClusterRefusedError):
                    refused.add(namespace)
                    log.warning("trust.refused", namespace=namespace, reason=exc.reason)
        self._refused = frozenset(refused)
        if problem is not None:
            raise problem

    async def _keep_map(self, namespace: str, stored: Stored, bundle: str) -> None:
        entries = {BUNDLE: bundle}
        for name, content in self._besides(namespace).items():
            # What cannot be read, as for a moment while it is replaced, stays as pods have been given it.
            found = content if content is not None else stored.entries.get(name)
            if found is not None:
                entries[name] = found
        if entries != stored.entries:
            await self._maps.write(namespace, stored.holding(entries))
            self._observer.wrote("trust")
            log.info("trust.written", namespace=namespace)

    async def _keep_webhook(self, registration: Registration | None, bundle: str) -> None:
        if registration is None:
            return
        exposed = registration.exposed(self._protected)
        self._observer.exposed(len(exposed))
        if exposed:
            log.error("webhook.would_lock_out", namespaces=list(exposed))
        kept = registration.kept(bundle, self._protected)
        if kept != registration:
            await self._registrations.write(kept)
            self._observer.wrote("webhook")
            log.info("webhook.written")


@lru_cache(maxsize=64)
def _fingerprints(bundle: str) -> frozenset[str]:
    try:
        return frozenset(each.fingerprint for each in read_certificates(bundle)) if bundle else frozenset()
    except CertificateUnreadableError:
        return frozenset()
