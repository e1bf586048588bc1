"""The composition root of the policy sidecar."""

from __future__ import annotations

import importlib.metadata
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policy.adapters.decision_log import ChainedDecisionLog
from aeterna.policy.adapters.decision_log_chain import ChainWriter, SegmentLimits
from aeterna.policy.adapters.decision_log_check import check_log
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.api.app import PolicyApp
from aeterna.policy.api.metrics import DecisionMetrics
from aeterna.policy.settings import PolicySettings
from aeterna.policy.usecases.auditing import NOT_AUDITED, Auditor
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.following import Follower
from aeterna.policy.usecases.refresh import Refresher
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.lifecycle import one_line_refusals, serve
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure

if TYPE_CHECKING:
    from aeterna.policy.domain.tally import Tally
    from aeterna.policy.usecases.auditing import Audit

_NAME = "aeterna-policy"
_VERIFY_LOG = "verify-log"


def build(settings: PolicySettings) -> PolicyApp:
    """Return the application of a sidecar with one process; raise `BundleError` when there is nothing to begin with."""
    folder = settings.state or Path(tempfile.mkdtemp(prefix="aeterna-policy-"))
    publications, compiler = StateFolder(folder, clock=system_clock), CedarCompiler()
    decider = _decider(settings)
    follower = Follower(decider, publications, compiler)
    keeper = Refresher(
        DirectoryBundleSource(settings.bundle),
        compiler,
        publications,
        interval=settings.refresh_interval.total_seconds(),
        nudge=follower.wake,
    )
    keeper.begin()
    follower.begin()
    registry = new_registry()
    DecisionMetrics(registry, [decider.tally], steady=steady_clock)
    return PolicyApp(
        decider,
        follower,
        settings=settings,
        version=importlib.metadata.version(_NAME),
        registry=registry,
        beside=(keeper.run,),
        refresh=keeper.refresh,
    )


def _decider(settings: PolicySettings) -> Decider:
    generator = random.SystemRandom()

    def cache() -> VerdictCache:
        return VerdictCache(
            ttl=settings.ttl, capacity=settings.cache_entries, clock=steady_clock, random=generator.random
        )

    return Decider(cache=cache, max_age=settings.max_age, namespace=settings.namespace, tenant=settings.tenant)


def audit_of(settings: PolicySettings, tally: Tally) -> Audit:
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


def verify_log(folder: Path) -> int:
    """Say of each chain of a decision log whether it holds; return 1 when one does not, or there is none."""
    try:
        reports = check_log(folder)
    except OSError as exc:
        sys.stderr.write(f"{_NAME}: {exc.filename or folder}: {exc.strerror}\n")
        return 1
    for report in reports:
        state = f"broken: {report.broken}" if report.broken else "holds"
        sys.stdout.write(f"{report.chain}: {report.records} records up to {report.head}: {state}\n")
    if not reports:
        sys.stderr.write(f"{_NAME}: {folder}: there is no decision log\n")
    return int(not reports or any(report.broken for report in reports))


def main() -> None:
    """Serve until told to stop; exit with status 1 and one line when that cannot even begin."""
    if sys.argv[1:2] == [_VERIFY_LOG]:
        raise SystemExit(verify_log(Path(*sys.argv[2:3])))
    with one_line_refusals(_NAME):
        settings = load(PolicySettings)
        configure(_NAME, settings)
        serve(
            build(settings),
            host=settings.host,
            port=settings.port,
            uds=str(settings.socket) if settings.socket is not None else None,
            drain_delay=settings.drain_delay,
            drain_timeout=settings.drain_timeout,
        )
