"""Composes what decides: the application of a sidecar with one process, or of one worker of several."""

from __future__ import annotations

import random
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.policy.adapters.decision_log import ChainedDecisionLog
from aeterna.policy.adapters.decision_log_chain import ChainWriter, SegmentLimits
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.adapters.workers import parent_ended
from aeterna.policy.api.app import PolicyApp
from aeterna.policy.api.metrics import DecisionMetrics
from aeterna.policy.api.worker_metrics import KEEPER_METRICS, WorkerMetrics
from aeterna.policy.domain.tally import Tally
from aeterna.policy.main.keeping import keeping
from aeterna.policy.usecases.auditing import NOT_AUDITED, Auditor
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.following import Follower
from aeterna.policy.usecases.handing_over import HandingOver
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.metrics import new_registry

if TYPE_CHECKING:
    import socket

    from aeterna.policy.adapters.shared_tallies import SharedTallies
    from aeterna.policy.settings import PolicySettings
    from aeterna.policy.usecases.auditing import Audit

NAME: Final = "aeterna-policy"


def build(settings: PolicySettings, folder: Path | None = None, *, probes: socket.socket | None = None) -> PolicyApp:
    """Return the application of a sidecar with one process; raise `AeternaError` when it cannot begin."""
    folder = folder or settings.state or Path(tempfile.mkdtemp(prefix=f"{NAME}-"))
    publications, compiler = StateFolder(folder, clock=system_clock), HandingOver(CedarCompiler())
    registry = new_registry()
    decider = _decider(settings, Tally())
    follower = Follower(decider, publications, compiler)
    kept = keeping(settings, publications, compiler, nudge=follower.wake, registry=registry)
    follower.begin()
    DecisionMetrics(registry, [decider.tally], steady=steady_clock)
    return PolicyApp(
        decider,
        follower,
        settings=settings,
        registry=registry,
        audit=_audit(settings, decider.tally),
        beside=kept.beside,
        refresh=kept.keeper.refresh,
        notes=lambda: kept.keeper.state.faults(publications.fault),
        probes=probes,
    )


def build_worker(
    settings: PolicySettings,
    folder: Path,
    shared: SharedTallies,
    number: int,
    *,
    watched: int,
    probes: socket.socket | None = None,
) -> PolicyApp:
    """Return the application of one worker of several, which follows what its parent publishes in the folder."""
    decider = _decider(settings, shared.tallies[number])
    follower = Follower(decider, StateFolder(folder, clock=system_clock), CedarCompiler())
    follower.begin()
    registry = CollectorRegistry()
    DecisionMetrics(registry, shared.tallies, steady=steady_clock)
    WorkerMetrics(registry, shared.tallies, keeper=folder / KEEPER_METRICS)

    async def until_orphaned() -> None:
        await parent_ended(watched)
        signal.raise_signal(signal.SIGTERM)

    return PolicyApp(
        decider,
        follower,
        settings=settings,
        registry=registry,
        audit=_audit(settings, decider.tally),
        beside=(until_orphaned,),
        probes=probes,
    )


def _decider(settings: PolicySettings, tally: Tally) -> Decider:
    generator = random.SystemRandom()

    def cache() -> VerdictCache:
        return VerdictCache(
            ttl=settings.ttl, capacity=settings.cache_entries, clock=steady_clock, random=generator.random
        )

    return Decider(
        cache=cache, max_age=settings.trusted_for, namespace=settings.namespace, tenant=settings.tenant, tally=tally
    )


def _audit(settings: PolicySettings, tally: Tally) -> Audit:
    """Return what writes a worker's decisions down; it starts a thread, so a worker calls it after the fork."""
    if settings.audit_log is None:
        return NOT_AUDITED
    limits = SegmentLimits(
        span=settings.audit_segment_span,
        max_bytes=settings.audit_segment_bytes,
        retention=settings.audit_retention,
        max_total_bytes=settings.audit_max_bytes,
        sync_every=settings.audit_sync_every,
    )
    chain = ChainWriter(settings.audit_log, limits, clock=system_clock)
    return Auditor(
        ChainedDecisionLog(chain, capacity=settings.audit_queue, values=settings.audit_values, clock=system_clock),
        sample=settings.audit_sample,
        denies=settings.audit_denies,
        full=settings.audit_full,
        clock=system_clock,
        random=random.random,
        tally=tally,
    )
