"""Composes the sidecar: its sources, what is made of them, and who is told how it is."""

from __future__ import annotations

import importlib.metadata
import os
import random
import secrets
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from aeterna.secrets.adapters.configuration_file import read_configuration
from aeterna.secrets.adapters.jinja_templates import JinjaTemplates
from aeterna.secrets.adapters.memory_volume import MemoryVolume
from aeterna.secrets.adapters.messenger import PodMessenger
from aeterna.secrets.api.app import SecretsApp
from aeterna.secrets.api.metrics import HandedMetrics
from aeterna.secrets.api.source_metrics import SourceMetrics
from aeterna.secrets.domain.counts import Counts
from aeterna.secrets.domain.handed import Handed
from aeterna.secrets.domain.moment import Moment
from aeterna.secrets.main.serving import Sidecar
from aeterna.secrets.main.sources import entrance
from aeterna.secrets.usecases.changes import Changes
from aeterna.secrets.usecases.handover import Handover
from aeterna.secrets.usecases.holdings import Holdings
from aeterna.secrets.usecases.keeping import SourceKeeper
from aeterna.secrets.usecases.living import Life
from aeterna.secrets.usecases.logins import Logins
from aeterna.secrets.usecases.rendering import Rendering
from aeterna.secrets.usecases.tending import Tending
from aeterna.service.beside import Beside
from aeterna.service.health import Health, ProbesOnly
from aeterna.service.lifecycle import Drain
from aeterna.service.metrics import new_registry

if TYPE_CHECKING:
    from aeterna.secrets.domain.configuration import Configuration
    from aeterna.secrets.settings import SecretsSettings

NAME: Final = "aeterna-secrets"


def build(settings: SecretsSettings) -> Sidecar:
    """Return the application; raise `AeternaError` when it cannot begin."""
    configuration = read_configuration(settings.config)
    counts, handed, drain = Counts(), Handed(), Drain()
    holdings = Holdings(configuration.secrets, now=now)
    changes = Changes(life=secrets.token_hex(4))
    rendering = _rendering(settings, configuration, changes, handed)
    handover = Handover(holdings, rendering, counts=counts, now=now, random=random.SystemRandom().random)
    keepers = _keepers(settings, configuration, holdings=holdings, handover=handover, counts=counts)
    registry = new_registry()
    SourceMetrics(registry, counts, holdings, keepers, now=now)
    HandedMetrics(registry, handed)
    life = Life(
        keepers,
        handover,
        holdings=holdings,
        wiping=rendering,
        revoke_timeout=settings.revoke_timeout,
        failed=partial(signal.raise_signal, signal.SIGTERM),
    )
    app = SecretsApp(holdings, changes, counts=handed, drain=drain, peers=settings.peers)
    health = Health(
        app,
        name=NAME,
        version=importlib.metadata.version(NAME),
        checks={"secrets": life.ready},
        drain=drain,
        registry=registry,
    )
    listener = Beside(ProbesOnly(health), host=settings.health_host, port=settings.health_port)
    rendering.begin()
    return Sidecar(app, life, health=listener, drain=drain)


def now() -> Moment:
    """Return the time of the machine, and that since it was started, which runs on while the machine sleeps."""
    return Moment(steady=time.clock_gettime(time.CLOCK_BOOTTIME), wall=time.time())


def _rendering(settings: SecretsSettings, configuration: Configuration, changes: Changes, handed: Handed) -> Rendering:
    return Rendering(
        configuration.files,
        declared=frozenset(configuration.secrets),
        templates=JinjaTemplates(),
        volume=MemoryVolume(settings.files, anywhere=settings.files_anywhere),
        messenger=PodMessenger(own_pid=os.getpid()),
        changes=changes,
        counts=handed,
    )


def _keepers(
    settings: SecretsSettings,
    configuration: Configuration,
    *,
    holdings: Holdings,
    handover: Handover,
    counts: Counts,
) -> list[SourceKeeper]:
    """Return a keeper for each source that any secret is of."""
    chance = random.SystemRandom().random
    found: list[SourceKeeper] = []
    for name, source in configuration.sources.items():
        declared = {key: one for key, one in configuration.secrets.items() if one.source == name}
        if declared:
            tending = Tending(
                name, declared, holdings=holdings, handover=handover, counts=counts, now=now, random=chance
            )
            way = entrance(source, timeout=settings.source_timeout)
            logins = Logins(now=now, random=chance)
            found.append(SourceKeeper(name, way, logins, tending, counts=counts, now=now, random=chance))
    return found
