"""The thread that brings erasures to their end, whoever ordered them and however often the process was killed."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.graph.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from aeterna.graph.domain.certificates import Erasure
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.usecases.engine import World
    from aeterna.graph.usecases.erasing import Erasures

log = logging.getLogger(__name__)

_EVERY: Final = timedelta(minutes=10)  # what another process left undone waits so long
_AGAIN_SECONDS: Final = 60.0  # until what failed or is held is tried again
_ENDING_SECONDS: Final = 5.0


class ErasureJobs:
    """One erasure at a time in this process. Several processes may be at the same one: the catalog lets one win."""

    def __init__(
        self,
        of: Callable[[TenantId], Erasures],
        world: World,
        *,
        tenants: Callable[[], Iterable[TenantId]],
        every: timedelta = _EVERY,
    ) -> None:
        """``tenants`` gives every tenant that there is, open here or not."""
        self._of = of
        self._world = world
        self._tenants = tenants
        self._every = every.total_seconds()
        self._unfinished: dict[TenantId, datetime] = {}  # since when the oldest one waits
        self._ordered: list[TenantId] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def ordered(self, tenant: TenantId) -> None:
        """Note that a tenant has something to erase; returns at once."""
        with self._changed:
            self._ordered.append(tenant)
            self._changed.notify_all()

    @property
    def pending(self) -> int:
        """In how many tenants something waits to be erased for ever, as of the last look."""
        return len(self._unfinished)

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest of them waits; 0 when none does."""
        waiting = list(self._unfinished.values())
        return max(0.0, (self._world.clock() - min(waiting)).total_seconds()) if waiting else 0.0

    def start(self) -> None:
        """Begin to work in a thread, with what an earlier process left undone."""
        self._thread = threading.Thread(target=self._work, name="graph-erasure", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is under way ends soon or goes on in another process."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_ENDING_SECONDS)

    def sweep(self, tenants: Iterable[TenantId]) -> None:
        """Do what is left of the erasures of the tenants."""
        for tenant in tenants:
            if self._stopping:
                return
            try:
                self._run(tenant)
            except GraphError as failure:
                # Storage is away or busy: the next time will do, and the gauge says that it is late.
                log.warning("graph.erasure_delayed", extra={"code": failure.code})

    def _run(self, tenant: TenantId) -> None:
        erasures = self._of(tenant)
        self._note(tenant, erasures.unfinished())
        if tenant in self._unfinished:
            erasures.run()
            self._note(tenant, erasures.unfinished())

    def _note(self, tenant: TenantId, unfinished: tuple[Erasure, ...]) -> None:
        if unfinished:
            self._unfinished[tenant] = min(erasure.at for erasure in unfinished)
        else:
            self._unfinished.pop(tenant, None)

    def _work(self) -> None:
        looked_at: float | None = None  # at everybody, on the stopwatch
        while not self._stopping:
            try:
                now = self._world.stopwatch()
                if looked_at is None or now - looked_at >= self._every:
                    looked_at = now
                    self.sweep(self._tenants())
                else:
                    self.sweep(self._taken())
            except GraphError as failure:
                log.warning("graph.erasure_delayed", extra={"code": failure.code})
            except Exception:
                # A defect of ours must not end the erasures of all tenants for the life of the process.
                log.exception("graph.erasure_broken")
            with self._changed:
                patience = _AGAIN_SECONDS if self._unfinished else self._every
                self._changed.wait_for(lambda: self._stopping or bool(self._ordered), patience)

    def _taken(self) -> list[TenantId]:
        """Return who was ordered since, and whose erasures failed or were held before."""
        with self._changed:
            taken, self._ordered = [*self._ordered, *self._unfinished], []
            return list(dict.fromkeys(taken))
