"""Leases in a SQL catalog's own database: kept between commits, handed over on demand, taken over from the dead."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from aeterna.graph.adapters.leases.rows import LeaseRow, LeaseRows
from aeterna.graph.domain.identifiers import TenantId
from aeterna.graph.errors import StorageError, WriterFencedError

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Engine

    from aeterna.graph.usecases.engine import World

log = logging.getLogger(__name__)

_WATCH_SECONDS: Final = 0.02  # between looks whether somebody waits for what is held here
_TURN_SECONDS: Final = 0.1  # a busy holder goes on for so long before it yields: seeing others' commits has its price
_IDLE_SECONDS: Final = 1.0  # after this long without a commit a lease is given up, and watching it ends
_ASK_SECONDS: Final = 1.0  # how long a raised flag counts, and in what time a living holder renews its lease
_LEAST_PAUSE: Final = 0.005
_MOST_PAUSE: Final = 0.04
_HEAD_START: Final = 0.06  # for those who waited, before who gave the lease up may take it again


@dataclass(slots=True)
class _Lease:
    """One tenant's lease as this process sees it; ``turn`` is held by the thread that commits."""

    tenant: TenantId
    turn: threading.Lock = field(default_factory=threading.Lock)
    epoch: int | None = None  # None while it is not held
    until: float = 0.0  # on the stopwatch, never later than in the database
    taken_at: float = 0.0
    used_at: float = 0.0
    wanted: bool = False
    gave_epoch: int = -1
    gave_at: float = 0.0


class SqlWriterLeases:
    """`WriterLeases` in a table ``aeterna_writer_leases``, for processes that share a SQLite or PostgreSQL catalog.

    A held lease costs no statement for a commit: one thread asks the database every 20 ms whether anybody waits for
    what this process holds, renews it, and gives it up when it has been idle for a second.
    """

    def __init__(self, engine: Engine, *, holder: str, world: World, lease: timedelta = timedelta(seconds=5)) -> None:
        """Keep leases as the process ``holder``, a name that no other has.

        Who does not renew its lease loses it after the time ``lease``, and after a second when somebody waits.
        """
        self._rows = LeaseRows(engine, holder)
        self._holder = holder
        self._world = world
        self._seconds = lease.total_seconds()
        self._patience = 3 * self._seconds
        self._leases: dict[TenantId, _Lease] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None

    @staticmethod
    def possible(engine: Engine) -> bool:
        """Whether leases can be kept in this kind of database."""
        return LeaseRows.possible(engine)

    @contextlib.contextmanager
    def holding(self, tenant: TenantId, *, not_below: int = 0) -> Generator[int | None]:
        """Wait for the lease, hold it for one commit, and give its epoch."""
        with self._changed:
            lease = self._leases.setdefault(tenant, _Lease(tenant))
        with lease.turn:
            if not self._is_held(lease) or (lease.epoch or 0) < not_below:
                self._acquire(lease, not_below)
            try:
                yield lease.epoch
            except WriterFencedError:
                lease.epoch = None
                raise
            finally:
                lease.used_at = now = self._world.stopwatch()
                if lease.wanted and now - lease.taken_at >= _TURN_SECONDS:
                    self._give(lease)

    def close(self) -> None:
        """Give up every lease that is kept."""
        self._closing.set()
        with self._changed:
            self._changed.notify_all()
            leases = list(self._leases.values())
        for lease in leases:
            with lease.turn:
                self._give(lease)
        if self._watcher is not None:
            self._watcher.join()

    def _is_held(self, lease: _Lease) -> bool:
        return lease.epoch is not None and self._world.stopwatch() < lease.until

    def _acquire(self, lease: _Lease, not_below: int) -> None:
        lease.epoch = None
        begun = self._world.stopwatch()
        while True:
            row = self._rows.look(lease.tenant)
            if self._may_take(lease, row) and self._take(lease, row, not_below):
                return
            if self._world.stopwatch() - begun > self._patience:
                # Better to collide than to wait for ever: the parent's compare-and-swap keeps the history right.
                log.warning("graph.lease_given_up", extra={"holder": row.holder if row else ""})
                return
            if row is not None and row.holder not in {"", self._holder} and not row.wanted:
                self._rows.ask(lease.tenant, row.epoch, _ASK_SECONDS)
            self._world.step_aside(_LEAST_PAUSE, _MOST_PAUSE)

    def _may_take(self, lease: _Lease, row: LeaseRow | None) -> bool:
        if row is None or row.holder == self._holder:
            return True
        if row.epoch == lease.gave_epoch and self._world.stopwatch() - lease.gave_at < _HEAD_START:
            return False
        return not row.holder

    def _take(self, lease: _Lease, row: LeaseRow | None, not_below: int) -> bool:
        asked_at = self._world.stopwatch()
        if row is not None and row.holder == self._holder and row.epoch >= not_below:
            epoch = row.epoch  # still ours: only this process had lost track of it
            taken = self._rows.renew(lease.tenant, epoch, self._seconds)
        else:
            epoch = max(row.epoch if row else 0, not_below) + 1
            taken = self._rows.take(lease.tenant, row, epoch, self._seconds)
        if taken:
            with self._changed:
                lease.epoch, lease.until, lease.wanted = epoch, asked_at + self._seconds, False
                lease.taken_at = lease.used_at = self._world.stopwatch()
                self._start_watching()
        return taken

    def _give(self, lease: _Lease) -> None:
        """Give the lease up; its turn is held."""
        epoch, lease.epoch, lease.wanted = lease.epoch, None, False
        if epoch is None:
            return
        try:
            self._rows.give(lease.tenant, epoch)
        except StorageError:
            # It ends by itself; what was committed under it stays committed.
            log.warning("graph.lease_not_given_up", exc_info=True)
        lease.gave_epoch, lease.gave_at = epoch, self._world.stopwatch()

    def _start_watching(self) -> None:
        if self._watcher is None and not self._closing.is_set():
            self._watcher = threading.Thread(target=self._watch, name="graph-leases", daemon=True)
            self._watcher.start()
        self._changed.notify_all()

    def _watch(self) -> None:
        while not self._closing.wait(_WATCH_SECONDS):
            with self._changed:
                self._changed.wait_for(lambda: self._closing.is_set() or self._kept())
                kept = self._kept()
            try:
                self._look_after(kept)
            except StorageError:
                log.warning("graph.leases_not_seen", exc_info=True)

    def _kept(self) -> dict[TenantId, int]:
        # Copied: other threads add tenants meanwhile.
        leases = list(self._leases.values())
        return {lease.tenant: epoch for lease in leases if (epoch := lease.epoch) is not None}

    def _look_after(self, kept: dict[TenantId, int]) -> None:
        """See to what was held before the database is asked; what is taken later is the next round's."""
        mine = self._rows.mine() if kept else {}
        for tenant, epoch in kept.items():
            lease, row = self._leases[tenant], mine.get(tenant)
            if lease.epoch != epoch:
                continue
            now = self._world.stopwatch()
            if row is None or row.epoch != epoch:
                lease.until = 0.0  # lost: whoever commits next finds out who has it
                continue
            lease.wanted = lease.wanted or row.wanted  # a commit that is under way gives it up at its end
            if self._give_if_idle(lease, now):
                continue
            # Whoever waits has cut the rest of it short, to find out whether its holder lives.
            if row.left < self._seconds * 2 / 3 and self._rows.renew(tenant, epoch, self._seconds):
                lease.until = now + self._seconds

    def _give_if_idle(self, lease: _Lease, now: float) -> bool:
        if not lease.turn.acquire(blocking=False):
            return False
        try:
            idle = lease.wanted or now - lease.used_at > _IDLE_SECONDS
            if idle:
                self._give(lease)
            return idle
        finally:
            lease.turn.release()
