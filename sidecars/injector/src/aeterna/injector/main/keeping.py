"""Composes the upkeep over the cluster: what it keeps, and the certificate that the listener shows."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aeterna.injector.adapters.cluster_calls import Connection, connected
from aeterna.injector.adapters.cluster_keys import DiscoveredKeys
from aeterna.injector.adapters.cluster_lease import ClusterLeases
from aeterna.injector.adapters.cluster_objects import ClusterSecrets, ClusterTrustMaps
from aeterna.injector.adapters.cluster_pods import ClusterPods
from aeterna.injector.adapters.cluster_webhook import ClusterRegistrations
from aeterna.injector.adapters.serving_context import ServingContext
from aeterna.injector.api.upkeep_metrics import UpkeepMetrics
from aeterna.injector.domain.authority import Terms
from aeterna.injector.usecases.authority import AuthorityKeeper
from aeterna.injector.usecases.leading import Leadership
from aeterna.injector.usecases.missing import MissedPods
from aeterna.injector.usecases.serving import OwnCertificate, ServingCertificates
from aeterna.injector.usecases.telling import Telling
from aeterna.injector.usecases.trust import TrustKeeper
from aeterna.injector.usecases.upkeep import Upkeep
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.health import Check

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client import CollectorRegistry

    from aeterna.injector.ports import Definitions
    from aeterna.injector.settings import InjectorSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What to serve with, what runs beside the listener, and what says whether there is a certificate."""

    tls: ServingContext
    run: Callable[[], Awaitable[None]]
    ready: Check


def keeping(settings: InjectorSettings, definitions: Definitions, registry: CollectorRegistry) -> Kept:
    """Return the upkeep of this replica; raise `ClusterUnavailableError` where there is no cluster to speak to."""
    connection = connected(settings.kubeconfig, timeout=settings.cluster_timeout)
    serving = ServingContext()
    upkeep = _upkeep(settings, definitions, connection, serving, UpkeepMetrics(registry, clock=system_clock))

    async def run() -> None:
        try:
            await upkeep.run()
        finally:
            await connection.close()

    return Kept(tls=serving, run=run, ready=upkeep.ready)


def _upkeep(
    settings: InjectorSettings,
    definitions: Definitions,
    connection: Connection,
    presenter: ServingContext,
    metrics: UpkeepMetrics,
) -> Upkeep:
    namespace = definitions.current().installation.namespace
    terms = _terms(settings, namespace)
    secrets = ClusterSecrets(connection.objects, namespace)
    telling = Telling(
        bundle_keys=lambda: _text(settings.bundle_keys),
        workloads=lambda: definitions.current().workloads,
        cluster_keys=DiscoveredKeys(connection.http),
        observer=metrics,
    )
    return Upkeep(
        leadership=_leadership(settings, ClusterLeases(connection.objects, namespace)),
        authority=AuthorityKeeper(secrets, terms=terms, observer=metrics),
        serving=ServingCertificates(secrets, settings.services, terms=terms, observer=metrics),
        trust=TrustKeeper(
            ClusterTrustMaps(connection.objects),
            ClusterRegistrations(connection.objects),
            namespace=namespace,
            besides=telling,
            observer=metrics,
        ),
        telling=telling,
        missed=MissedPods(ClusterPods(connection.objects, now=_now), definitions=definitions, observer=metrics),
        own=OwnCertificate(secrets, settings.own_service, presenter),
        observer=metrics,
        interval=settings.upkeep_interval,
        look_every=settings.look_interval,
        now=_now,
        steady=steady_clock,
        random=random.SystemRandom().random,
    )


def _terms(settings: InjectorSettings, namespace: str) -> Terms:
    return Terms(
        namespace=namespace,
        authority_life=settings.authority_life,
        serving_life=settings.certificate_life,
        overlap=settings.trust_overlap,
    )


def _leadership(settings: InjectorSettings, leases: ClusterLeases) -> Leadership:
    return Leadership(leases, identity=settings.replica, lasts=settings.lease_duration, now=_now, steady=steady_clock)


def _now() -> datetime:
    return datetime.now(UTC)


def _text(path: Path | None) -> str | None:
    """Return a file's text, or None while there is none."""
    try:
        return None if path is None else path.read_text()
    except (OSError, ValueError):
        return None
