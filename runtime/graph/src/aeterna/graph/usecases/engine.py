"""What all tenants' graphs share: the ports, the limits, and time and chance."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.domain.limits import Limits
from aeterna.graph.ports import (
    Clock,
    CommitObserver,
    GraphStores,
    LensFactory,
    Notices,
    Pause,
    Stopwatch,
    WriterLeases,
)
from aeterna.graph.usecases.past import PastLenses
from aeterna.graph.usecases.recent_reads import RecentReads


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Time and chance, as the graph meets them."""

    clock: Clock
    stopwatch: Stopwatch
    pause: Pause
    chance: Callable[[], float]  # 0 to 1

    def step_aside(self, least: float = 0.01, most: float = 0.3) -> None:
        """Pause for some seconds in between, by chance: writers that met once shall not meet again."""
        self.pause(least + self.chance() * (most - least))


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What a tenant's graph is opened with."""

    stores: GraphStores
    leases: WriterLeases
    notices: Notices
    new_lens: LensFactory
    observer: CommitObserver
    executor: Executor
    past: PastLenses
    limits: Limits
    world: World
    upkeep: Callable[[TenantId], None] | None = None  # told of every `Limits.upkeep_every` snapshots; returns at once
    reads: RecentReads = field(default_factory=RecentReads)
