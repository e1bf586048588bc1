"""Composes the injector and serves it."""

from __future__ import annotations

import gc
import importlib.metadata
from typing import TYPE_CHECKING, Final

from aeterna.injector.adapters.definition_files import DefinitionFiles
from aeterna.injector.api.admission_metrics import AdmissionMetrics
from aeterna.injector.api.app import InjectorApp, nowhere
from aeterna.injector.main.keeping import keeping
from aeterna.injector.settings import InjectorSettings
from aeterna.injector.usecases.admitting import Admitter
from aeterna.service.beside import Beside
from aeterna.service.clock import steady_clock
from aeterna.service.health import Health
from aeterna.service.lifecycle import Drain, one_line_refusals, serve
from aeterna.service.metrics import new_registry
from aeterna.service.settings import load
from aeterna.service.telemetry import configure
from aeterna.service.tls import ServingCertificate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from prometheus_client import CollectorRegistry

    from aeterna.injector.api.app import Presented
    from aeterna.injector.ports import Definitions
    from aeterna.service.asgi import App
    from aeterna.service.health import Check

NAME: Final = "aeterna-injector"
_NO_CHECKS: Final[Mapping[str, Check]] = {}


def probed(
    definitions: Definitions, *, registry: CollectorRegistry, drain: Drain, checks: Mapping[str, Check] = _NO_CHECKS
) -> App:
    """Return what answers probes and Prometheus; ``checks`` decide whether the injector is ready."""

    def faults() -> dict[str, object]:
        return {} if definitions.fault is None else {"definition": definitions.fault}

    version = importlib.metadata.version(NAME)
    return Health(nowhere, name=NAME, version=version, checks=checks, drain=drain, registry=registry, notes=faults)


def build(
    settings: InjectorSettings,
    *,
    definitions: Definitions,
    registry: CollectorRegistry,
    drain: Drain,
    rest: App,
    beside: Sequence[Callable[[], Awaitable[None]]] = (),
    tls: Presented | None = None,
) -> InjectorApp:
    """Return the application over these ports; ``beside`` runs with it, and without ``tls`` it is plain HTTP."""
    metrics = AdmissionMetrics(registry, definitions)
    return InjectorApp(
        Admitter(definitions), settings=settings, metrics=metrics, rest=rest, drain=drain, beside=beside, tls=tls
    )


def main() -> None:
    """Serve until told to stop; exit with status 1 and one line when that cannot even begin."""
    with one_line_refusals(NAME):
        settings = load(InjectorSettings)
        configure(NAME, settings)
        definitions = DefinitionFiles(
            installation=settings.installation, workloads=settings.workloads, steady=steady_clock
        )
        registry, drain = new_registry(), Drain()
        kept = keeping(settings, definitions, registry) if settings.upkeep else None
        checks = {} if kept is None else {"certificate": kept.ready}
        rest = probed(definitions, registry=registry, drain=drain, checks=checks)
        probes = Beside(rest, host=settings.health_host, port=settings.health_port)
        app = build(
            settings,
            definitions=definitions,
            registry=registry,
            drain=drain,
            rest=rest,
            beside=(probes.run,) if kept is None else (probes.run, kept.run),
            tls=ServingCertificate.of(settings, registry) if kept is None else kept.tls,
        )
        # What was made to begin with stays: no collection need look at it again and make a pod wait.
        gc.freeze()
        serve(
            app,
            host=settings.host,
            port=settings.port,
            drain_delay=settings.drain_delay,
            drain_timeout=settings.drain_timeout,
            most_connections=settings.max_connections,
        )
