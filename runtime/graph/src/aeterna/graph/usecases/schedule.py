"""Upkeep that nobody has to think of: after so many commits of a tenant, and once in a while."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.upkeep import TASKS
from aeterna.graph.errors import GraphClosedError, GraphError
from aeterna.graph.usecases.upkeep import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.domain.upkeep import Progress, Task
    from aeterna.graph.usecases.engine import World
    from aeterna.graph.usecases.upkeep import Maintenance

log = logging.getLogger(__name__)

_MOST_WAIT: Final = 60.0
_AFTER_COMMITS: Final[tuple[Task, ...]] = ("compact", "expire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """How often every open tenant gets a whole round; each at a time of its own, so that not all come at once."""

    every: timedelta = timedelta(minutes=30)


class Due:
    """Tenants that have had enough commits for their small files to be merged, each once, in order."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[TenantId, None] = OrderedDict()
        self._changed = threading.Condition()
        self._closed = False

    def add(self, tenant: TenantId) -> None:
        """Note a tenant; returns at once."""
        with self._changed:
            self._tenants[tenant] = None
            self._changed.notify_all()

    def take(self) -> TenantId | None:
        """Return the tenant that waits longest, and forget it."""
        with self._changed:
            return self._tenants.popitem(last=False)[0] if self._tenants else None

    def wait(self, seconds: float) -> None:
        """Wait until a tenant is due, this is closed, or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._tenants), seconds)

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Schedule:
    """Which tenant is due for what, and a thread that does it, one tenant at a time."""

    def __init__(
        self,
        maintenance: Maintenance,
        world: World,
        *,
        due: Due,
        tenants: Callable[[], Iterable[TenantId]],
        cadence: Cadence,
    ) -> None:
        """``tenants`` gives those that are open here."""
        self._maintenance = maintenance
        self._world = world
        self._tenants = tenants
        self._every = cadence.every.total_seconds()
        self._due = due
        self._next: dict[TenantId, float] = {}  # on the stopwatch
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work in a thread."""
        self._thread = threading.Thread(target=self._work, name="graph-upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give up the task in hand, which may be done at any step, and end; another process goes on with the rest."""
        self._stopping = True
        self._due.close()
        if self._thread is not None:
            self._thread.join()

    def step(self) -> float:
        """Do what is due for one tenant; return how many seconds nothing will be due, 0 when something was done."""
        now = self._world.stopwatch()
        tenant, tasks = self._taken(now)
        if tenant is None:
            waiting = [at - now for at in self._next.values()]
            return max(0.0, min([*waiting, self._every]))
        try:
            self._maintenance.run(tenant, Order(tasks=tasks), self._watch)
        except GraphError as failure:
            # Someone else is at it, storage is away, or this ends: in all cases the next time will do.
            log.info("graph.upkeep_skipped", extra={"code": failure.code})
        return 0.0

    def _watch(self, _progress: Progress) -> None:
        if self._stopping:
            raise GraphClosedError

    def _taken(self, now: float) -> tuple[TenantId | None, tuple[Task, ...]]:
        open_ = tuple(self._tenants())
        for tenant in open_:
            self._next.setdefault(tenant, now + self._world.chance() * self._every)
        for tenant, at in self._next.items():
            if at <= now:
                # The jitter of the first round lasts: everybody keeps their own beat. Who was closed meanwhile gets
                # this last round: where many take turns to be open, nobody is for long.
                del self._next[tenant]
                if tenant in open_:
                    self._next[tenant] = now + self._every
                return tenant, TASKS
        # Behind the rounds, which are rare: tenants that never rest must not keep the others from their backups.
        if (tenant := self._due.take()) is not None:
            return tenant, _AFTER_COMMITS
        return None, ()

    def _work(self) -> None:
        while not self._stopping:
            try:
                idle = self.step()
            except Exception:
                # A defect of ours must not end the upkeep of all tenants for the life of the process.
                log.exception("graph.upkeep_broken")
                idle = self._every
            # At most a minute: tenants that are opened meanwhile have a time of their own.
            self._due.wait(min(idle, _MOST_WAIT))
