"""Group commit: sessions that wait for the same tenant become one snapshot, and too many of them are turned away."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

from aeterna.graph.domain.changes import Session
from aeterna.graph.domain.snapshots import Receipt
from aeterna.graph.errors import GraphBusyError, GraphClosedError, GraphError

if TYPE_CHECKING:
    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.graph.usecases.engine import Engine
    from aeterna.graph.usecases.present import Present


_QUIET_SECONDS: Final = 0.004  # without a new session: who wanted to come back is here


@dataclass(frozen=True, slots=True)
class _Waiting:
    session: Session
    since: float
    future: Future[Receipt] = field(default_factory=Future[Receipt])


class GroupCommitter:
    """One tenant's queue. At most one thread commits for it; whatever arrives meanwhile is the next group."""

    def __init__(self, tenant: TenantId, present: Present, engine: Engine) -> None:
        self._tenant = tenant
        self._present = present
        self._executor = engine.executor
        self._observer = engine.observer
        self._limits = engine.limits
        self._upkeep = engine.upkeep
        self._snapshots = 0  # written since upkeep was last called
        self._stopwatch = engine.world.stopwatch
        self._queue: deque[_Waiting] = deque()
        self._chars = 0
        self._draining = False
        self._closed = False
        self._last_seconds = 0.1
        self._last_sessions = 1
        self._last_ended = 0.0
        self._changed = threading.Condition()

    def submit(self, session: Session) -> Future[Receipt]:
        """Queue the session and return at once; the future holds its receipt when it is durable, or the refusal.

        Raise `GraphBusyError` when too much waits already and `GraphClosedError` when the service stops. A future
        that is cancelled before its group begins is never written.
        """
        with self._changed:
            if self._closed:
                raise GraphClosedError
            full = len(self._queue) >= self._limits.waiting_sessions
            if full or (self._queue and self._chars + session.size > self._limits.waiting_chars):
                self._observer.turned_away(self._tenant, GraphBusyError.code)
                raise GraphBusyError(len(self._queue), self._retry_after())
            waiting = _Waiting(session, self._stopwatch())
            self._queue.append(waiting)
            self._chars += session.size
            if not self._draining:
                self._draining = True
                self._executor.submit(self._drain)
        return waiting.future

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being committed."""
        return not self._draining

    def close(self) -> None:
        """Take no more sessions, and return when those that wait are committed."""
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: not self._draining)

    def _drain(self) -> None:
        """Commit one group, then stand in line again: other tenants share the threads."""
        try:
            self._gather()
            self._commit(self._take())
        finally:
            with self._changed:
                if self._queue:
                    self._executor.submit(self._drain)
                else:
                    self._draining = False
                    self._changed.notify_all()

    def _gather(self) -> None:
        """Let those who were just answered come back before the next group begins.

        Clients that commit one session after the other would otherwise fall into two crowds, each of which waits for
        the other's commit and then for its own. It ends as soon as as many wait as before or nobody comes any more,
        and after half of what the last commit took at the latest.
        """
        end = self._last_ended + self._last_seconds / 2
        with self._changed:
            while self._stopwatch() < end and 0 < (waiting := len(self._queue)) < self._last_sessions:
                self._changed.wait(_QUIET_SECONDS)
                if len(self._queue) == waiting:
                    return

    def _take(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        chars = 0
        with self._changed:
            while self._queue and len(group) < self._limits.group_sessions:
                if group and chars + self._queue[0].session.size > self._limits.group_chars:
                    break
                waiting = self._queue.popleft()
                self._chars -= waiting.session.size
                chars += waiting.session.size
                if waiting.future.set_running_or_notify_cancel():
                    group.append(waiting)
        return group

    def _commit(self, group: list[_Waiting]) -> None:
        if not group:
            return
        begun = self._stopwatch()
        try:
            with self._observer.commit(self._tenant) as trace:
                trace.queue_seconds = tuple(begun - waiting.since for waiting in group)
                try:
                    outcomes = self._present.commit([waiting.session for waiting in group], trace)
                except GraphError as failure:
                    trace.error = failure.code
                    outcomes = [failure] * len(group)
        except BaseException as defect:
            # Nobody may wait for ever, whatever is wrong with us.
            for waiting in group:
                waiting.future.set_exception(defect)
            raise
        self._last_ended, self._last_sessions = self._stopwatch(), len(group)
        self._last_seconds = self._last_ended - begun
        for waiting, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Receipt):
                waiting.future.set_result(outcome)
            else:
                waiting.future.set_exception(outcome)
        # After the receipts: nobody waits for upkeep.
        if any(isinstance(outcome, Receipt) and not outcome.repeated for outcome in outcomes):
            self._count_snapshot()

    def _count_snapshot(self) -> None:
        self._snapshots += 1
        if self._upkeep is not None and self._snapshots >= self._limits.upkeep_every:
            self._snapshots = 0
            self._upkeep(self._tenant)

    def _retry_after(self) -> timedelta:
        """Estimate when the queue will have been worked off."""
        groups = ceil(len(self._queue) / self._limits.group_sessions)
        return timedelta(seconds=max(1, ceil(groups * self._last_seconds)))
