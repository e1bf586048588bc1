"""Counts and traces what is asked of a store and of leases, and hands it on."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from aeterna.service.telemetry import tracer
from aeterna.threads.adapters.metrics import REPEATED, WRITTEN
from aeterna.threads.domain.task import State
from aeterna.threads.errors import LeaseLostError, ThreadsError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Mapping, Sequence
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.service.json_value import JsonValue
    from aeterna.threads.adapters.metrics import StoreMetrics
    from aeterna.threads.domain.conversation import ThreadId
    from aeterna.threads.domain.task import (
        AgentId,
        Freed,
        Lease,
        RowPage,
        RunnerId,
        StuckPlace,
        StuckTask,
        TaskPage,
        TaskQuery,
        TaskView,
        Write,
        Written,
    )
    from aeterna.threads.ports import Runs, TaskLog, Told

_TASK: Final = "task"
_spans: Final = tracer("aeterna.threads")


class ObservedTaskLog:
    """A `TaskLog` that counts for another one; reads are traced alone, since a request counts them already."""

    def __init__(self, log: TaskLog, metrics: StoreMetrics) -> None:
        self._log = log
        self._metrics = metrics

    async def write(
        self, tenant: TenantId, agent: AgentId, writes: Sequence[Write], told: Told | None = None
    ) -> tuple[Written | ThreadsError, ...]:
        """See `TaskLog.write`."""
        with _timed(self._metrics, "threads.write", len(writes)):
            results = await self._log.write(tenant, agent, writes, told)
        for write, result in zip(writes, results, strict=True):
            if isinstance(result, ThreadsError):
                self._refused(result)
            else:
                self._written(write, result)
        return results

    async def cancel(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, status: Mapping[str, JsonValue]
    ) -> Written:
        """See `TaskLog.cancel`."""
        try:
            with _timed(self._metrics, "threads.cancel", 1):
                written = await self._log.cancel(tenant, agent, task_id, owner=owner, status=status)
        except ThreadsError as exc:
            self._refused(exc)
            raise
        self._metrics.writes.labels(_TASK, WRITTEN).inc()
        self._metrics.states.labels(State.CANCELED.value).inc()
        return written

    async def task(
        self,
        tenant: TenantId,
        agent: AgentId,
        task_id: ThreadId,
        *,
        owner: str,
        history_length: int | None,
        artifacts: bool,
        upto: int | None = None,
    ) -> TaskView:
        """See `TaskLog.task`."""
        with _spans.start_as_current_span("threads.task", kind=SpanKind.CLIENT):
            return await self._log.task(
                tenant,
                agent,
                task_id,
                owner=owner,
                history_length=history_length,
                artifacts=artifacts,
                upto=upto,
            )

    async def tasks(self, tenant: TenantId, agent: AgentId, query: TaskQuery) -> TaskPage:
        """See `TaskLog.tasks`."""
        with _spans.start_as_current_span("threads.tasks", kind=SpanKind.CLIENT):
            return await self._log.tasks(tenant, agent, query)

    async def rows(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str, after: int, limit: int
    ) -> RowPage:
        """See `TaskLog.rows`."""
        with _spans.start_as_current_span("threads.rows", kind=SpanKind.CLIENT):
            return await self._log.rows(tenant, agent, task_id, owner=owner, after=after, limit=limit)

    def _written(self, write: Write, written: Written) -> None:
        self._metrics.writes.labels(_TASK, REPEATED if written.repeated else WRITTEN).inc()
        if written.repeated:
            return
        for row in write.rows:
            self._metrics.rows.labels(row.kind.value).inc()
        if write.state is not None:
            self._metrics.states.labels(write.state.value).inc()
        if write.claim is not None and written.epoch is not None:
            self._metrics.leases.labels("first").inc()

    def _refused(self, error: ThreadsError) -> None:
        self._metrics.writes.labels(_TASK, error.code).inc()
        if isinstance(error, LeaseLostError):
            self._metrics.lost.inc()


class ObservedRuns:
    """A `Runs` that counts for another one."""

    def __init__(self, runs: Runs, metrics: StoreMetrics) -> None:
        self._runs = runs
        self._metrics = metrics

    async def beat(self, tenant: TenantId, agent: AgentId, runner: RunnerId, *, ttl: timedelta) -> None:
        """See `Runs.beat`."""
        await self._runs.beat(tenant, agent, runner, ttl=ttl)

    async def leave(self, tenant: TenantId, agent: AgentId, runner: RunnerId) -> None:
        """See `Runs.leave`."""
        await self._runs.leave(tenant, agent, runner)

    async def claim(
        self,
        tenant: TenantId,
        agent: AgentId,
        runner: RunnerId,
        *,
        limit: int,
        held: Collection[ThreadId] | None = None,
    ) -> tuple[Lease, ...]:
        """See `Runs.claim`."""
        with _spans.start_as_current_span("threads.claim", kind=SpanKind.CLIENT) as span:
            leases = await self._runs.claim(tenant, agent, runner, limit=limit, held=held)
            span.set_attribute("aeterna.threads.leases", len(leases))
        for lease in leases:
            self._metrics.leases.labels("taken_over" if lease.attempts > 1 else "first").inc()
        return leases

    async def release(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, epoch: int) -> None:
        """See `Runs.release`."""
        await self._runs.release(tenant, agent, task_id, epoch=epoch)

    async def stuck(self, tenant: TenantId, *, after: StuckPlace | None, limit: int) -> tuple[StuckTask, ...]:
        """See `Runs.stuck`."""
        return await self._runs.stuck(tenant, after=after, limit=limit)

    async def free(self, tenant: TenantId, task_id: ThreadId) -> Freed:
        """See `Runs.free`."""
        return await self._runs.free(tenant, task_id)


@contextmanager
def _timed(metrics: StoreMetrics, name: str, size: int) -> Generator[None]:
    """Trace a call that writes, and note how many writes it makes and how long they take."""
    metrics.batch.observe(size)
    begun = time.perf_counter()
    with _spans.start_as_current_span(name, kind=SpanKind.CLIENT, attributes={"aeterna.threads.writes": size}):
        try:
            yield
        finally:
            metrics.seconds.labels(_TASK).observe(time.perf_counter() - begun)
            trace.get_current_span().set_attribute("db.system.name", "postgresql")
