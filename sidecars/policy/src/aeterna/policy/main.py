"""The composition root of the policy sidecar."""

from __future__ import annotations

import importlib.metadata
import random
from typing import TYPE_CHECKING

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.adapters.directory import DirectoryBundleSource
from aeterna.policy.api.app import PolicyApp
from aeterna.policy.api.metrics import DecisionMetrics
from aeterna.policy.settings import PolicySettings
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.refresh import Refresher
from aeterna.service.clock import steady_clock
from aeterna.service.lifecycle import one_line_refusals, serve
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure

if TYPE_CHECKING:
    from aeterna.service.clock import Clock

_NAME = "aeterna-policy"


def build(settings: PolicySettings, *, clock: Clock = steady_clock) -> PolicyApp:
    """Return the application with its first edition loaded; raise `BundleError` when there is none to load."""
    source, compiler = DirectoryBundleSource(settings.bundle), CedarCompiler()
    bundle = source.read()
    generator = random.SystemRandom()

    def cache() -> VerdictCache:
        return VerdictCache(ttl=settings.ttl, capacity=settings.cache_entries, clock=clock, random=generator.random)

    decider = Decider(compiler.compile(bundle), bundle.digest(), cache=cache, clock=clock, max_age=settings.max_age)
    registry = new_registry()
    return PolicyApp(
        decider,
        Refresher(decider, source, compiler),
        settings=settings,
        version=importlib.metadata.version(_NAME),
        metrics=DecisionMetrics(registry, decider),
        registry=registry,
    )


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
