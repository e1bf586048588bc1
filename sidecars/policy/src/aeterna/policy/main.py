"""The composition root of the policy sidecar."""

from __future__ import annotations

import asyncio
import gc
import random
import signal
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog
from prometheus_client import CollectorRegistry

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource, read_schema
from aeterna.policy.adapters.decision_log import ChainedDecisionLog
from aeterna.policy.adapters.decision_log_chain import ChainWriter, SegmentLimits
from aeterna.policy.adapters.decision_log_check import check_log
from aeterna.policy.adapters.shared_tallies import SharedTallies
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.adapters.token_file import TokenFile
from aeterna.policy.adapters.version_file import VersionFile
from aeterna.policy.adapters.workers import Workers, parent_ended
from aeterna.policy.api.admin import AdminApp
from aeterna.policy.api.app import PolicyApp
from aeterna.policy.api.feed_metrics import FeedMetrics
from aeterna.policy.api.metrics import DecisionMetrics
from aeterna.policy.api.worker_metrics import KEEPER_METRICS, WorkerMetrics, told_every_second
from aeterna.policy.domain.tally import Tally
from aeterna.policy.settings import PolicySettings
from aeterna.policy.usecases.auditing import NOT_AUDITED, Auditor
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.following import Follower
from aeterna.policy.usecases.handing_over import HandingOver
from aeterna.policy.usecases.keeping import Keeper, PolledFeed
from aeterna.policy.usecases.publishing import Publisher
from aeterna.policy.usecases.pushing import PushedFeed
from aeterna.policy.usecases.staging import Staging
from aeterna.service.beside import Beside
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.lifecycle import address_of, listen, one_line_refusals, serve
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure

if TYPE_CHECKING:
    from aeterna.cedar.ports import Compiler
    from aeterna.policy.ports import BundleSource, Resync
    from aeterna.policy.usecases.auditing import Audit

_PROGRAM: Final = (sys.executable, "-P", "-m", "aeterna.policy")
_WORKER: Final = "worker"
# What a worker gets beyond its drain before it is ended.
_GRACE: Final = timedelta(seconds=5)

_COLLECT_AFTER: Final = (50_000, 20, 1000)

log = structlog.stdlib.get_logger(__name__)

# What runs as long as its process, once it is called.
Run: TypeAlias = Callable[[], Awaitable[None]]

_NAME = "aeterna-policy"
_VERIFY_LOG = "verify-log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What keeps a sidecar's bundle: once in every sidecar, in its only process or in the parent of its workers."""

    keeper: Keeper
    beside: Sequence[Run]


def keeping(
    settings: PolicySettings,
    publications: StateFolder,
    compiler: Compiler,
    *,
    nudge: Callable[[], None],
    registry: CollectorRegistry,
) -> Kept:
    """Return the keeper of what is published, begun, and what runs beside it; raise what keeps it from beginning."""
    publications.claim()
    publisher = Publisher(publications, compiler, clock=system_clock, nudge=nudge)
    FeedMetrics(registry, publisher.state, state_faults=lambda: publications.faults)
    pushed = settings.fed_by == "pushes"
    feed, beside = _pushed(settings, publisher) if pushed else (_polled(settings, publisher, publications), ())
    keeper = Keeper(publisher, feed, seed=DirectoryBundleSource(settings.bundle))
    keeper.begin()
    return Kept(keeper=keeper, beside=(keeper.run, *beside))


def _polled(settings: PolicySettings, publisher: Publisher, publications: StateFolder) -> PolledFeed:
    """Return the feed from the folder or, where there is one, from the address."""
    source: BundleSource = DirectoryBundleSource(settings.bundle)
    if settings.bundle_url is not None and settings.bundle_keys is not None:
        # An HTTP client and its cryptography cost every start 120 ms and 12 MB, and only some need them.
        from aeterna.policy.adapters.http_bundle import HttpBundleSource  # noqa: PLC0415 - see above

        source = HttpBundleSource(
            settings.bundle_url,
            keys=settings.bundle_keys,
            versions=VersionFile(publications.folder),
            replica=settings.replica,
            timeout=settings.bundle_timeout,
            token=settings.bundle_token_file,
        )
    return PolledFeed(
        source,
        publisher,
        interval=settings.refresh_interval,
        random=random.SystemRandom().random,
        local=settings.fed_by == "directory",
    )


def _pushed(settings: PolicySettings, publisher: Publisher) -> tuple[PushedFeed, Sequence[Run]]:
    """Return the feed that is pushed to, and the listener that takes the pushes."""
    schema = read_schema(settings.schema_file) if settings.schema_file is not None else None
    seed = DirectoryBundleSource(settings.bundle)
    staging = Staging(publisher, schema=schema, seed=seed, quiet=settings.quiet_period, clock=steady_clock)
    resync: Resync | None = None
    if settings.opal_url is not None:
        from aeterna.policy.adapters.opal_client import OpalClient  # noqa: PLC0415 - as for the bundle's address

        resync = OpalClient(settings.opal_url, timeout=settings.bundle_timeout)
    admin = AdminApp(
        staging,
        publisher,
        matches=TokenFile(settings.admin_token_file).matches if settings.admin_token_file is not None else None,
        max_body_bytes=settings.admin_max_body_bytes,
        timeout=settings.request_timeout,
    )
    listener = Beside(admin, port=settings.admin_port or 0, uds=settings.admin_socket)
    feed = PushedFeed(
        staging, publisher, resync=resync, interval=settings.opal_interval, random=random.SystemRandom().random
    )
    return feed, (listener.run,)


def build(settings: PolicySettings, folder: Path | None = None) -> PolicyApp:
    """Return the application of a sidecar with one process; raise `AeternaError` when it cannot begin."""
    folder = folder or settings.state or Path(tempfile.mkdtemp(prefix=f"{_NAME}-"))
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
        audit=audit_of(settings, decider.tally),
        beside=kept.beside,
        refresh=kept.keeper.refresh,
        notes=lambda: kept.keeper.state.faults(publications.fault),
    )


def build_worker(settings: PolicySettings, folder: Path, shared: SharedTallies, number: int, watched: int) -> PolicyApp:
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
        audit=audit_of(settings, decider.tally),
        beside=(until_orphaned,),
    )


async def supervise(settings: PolicySettings, folder: Path, listener: socket.socket) -> None:
    """Keep what is published and the workers that follow it, until told to stop."""
    shared = SharedTallies.created(settings.workers)
    workers = Workers(
        (*_PROGRAM, _WORKER, str(folder)),
        listener=listener,
        shared=shared,
        grace=settings.drain_delay + settings.drain_timeout + _GRACE,
        clock=steady_clock,
    )
    registry = new_registry()
    kept = keeping(
        settings, StateFolder(folder, clock=system_clock), CedarCompiler(), nudge=workers.nudge, registry=registry
    )
    loop = asyncio.get_running_loop()
    hangups = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, hangups.set)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, workers.stop)

    async def refreshing() -> None:
        while True:
            await hangups.wait()
            hangups.clear()
            await kept.keeper.refresh()
            workers.nudge()

    async def telling() -> None:
        await told_every_second(registry, folder / KEEPER_METRICS)

    log.info("service.listening", address=address_of(listener), workers=settings.workers)
    beside = [asyncio.ensure_future(run()) for run in (*kept.beside, refreshing, telling)]
    try:
        await workers.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    log.info("service.stopped")


def _decider(settings: PolicySettings, tally: Tally) -> Decider:
    generator = random.SystemRandom()

    def cache() -> VerdictCache:
        return VerdictCache(
            ttl=settings.ttl, capacity=settings.cache_entries, clock=steady_clock, random=generator.random
        )

    return Decider(
        cache=cache, max_age=settings.trusted_for, namespace=settings.namespace, tenant=settings.tenant, tally=tally
    )


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
        if sys.argv[1:2] == [_WORKER]:
            folder, *numbers = sys.argv[2:]
            _serve_worker(settings, Path(folder), *map(int, numbers))
            return
        uds = str(settings.socket) if settings.socket is not None else None
        # Before anything is kept or compiled: whose address is taken has nothing to begin.
        listener = listen(host=settings.host, port=settings.port, uds=uds)
        try:
            with tempfile.TemporaryDirectory(prefix=f"{_NAME}-") if settings.state is None else nullcontext() as made:
                folder = Path(made) if made is not None else settings.state or Path()
                if settings.workers > 1:
                    asyncio.run(supervise(settings, folder, listener))
                else:
                    _serve(settings, build(settings, folder), listener)
        finally:
            listener.close()
            if settings.socket is not None:
                settings.socket.unlink(missing_ok=True)


def _serve_worker(
    settings: PolicySettings, folder: Path, number: int, listening: int, tallies: int, watched: int
) -> None:
    shared = SharedTallies(tallies, settings.workers)
    app = build_worker(settings, folder, shared, number, watched)
    _serve(settings, app, socket.socket(fileno=listening))


def _serve(settings: PolicySettings, app: PolicyApp, listener: socket.socket) -> None:
    # What was made to begin with stays: a collection need not look at it again and make somebody wait. And questions
    # leave no cycles behind, so the collector need not run after every few hundred of them.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    serve(
        app,
        host=settings.host,
        port=settings.port,
        drain_delay=settings.drain_delay,
        drain_timeout=settings.drain_timeout,
        listener=listener,
    )
