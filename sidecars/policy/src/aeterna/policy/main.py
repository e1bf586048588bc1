"""The composition root of the policy sidecar."""

from __future__ import annotations

import importlib.metadata
import random
import tempfile
from pathlib import Path

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.api.app import PolicyApp
from aeterna.policy.api.metrics import DecisionMetrics
from aeterna.policy.settings import PolicySettings
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.following import Follower
from aeterna.policy.usecases.refresh import Refresher
from aeterna.service.clock import steady_clock, system_clock
from aeterna.service.lifecycle import one_line_refusals, serve
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure

_NAME = "aeterna-policy"


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


def main() -> None:
    """Serve until told to stop; exit with status 1 and one line when that cannot even begin."""
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
