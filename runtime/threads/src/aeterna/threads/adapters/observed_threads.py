"""Counts and traces what is appended to conversations, and hands it on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import SpanKind

from aeterna.service.telemetry import tracer
from aeterna.threads.adapters.metrics import REPEATED, WRITTEN
from aeterna.threads.errors import ThreadsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import TenantId
    from aeterna.threads.adapters.metrics import StoreMetrics
    from aeterna.threads.domain.conversation import (
        Append,
        MessageDraft,
        MessagePage,
        Opened,
        Position,
        Receipt,
        Thread,
        ThreadDraft,
        ThreadId,
    )
    from aeterna.threads.ports import ThreadStore, ToldOfAppend

_THREAD: Final = "thread"
_spans: Final = tracer("aeterna.threads")


class ObservedThreadStore:
    """A `ThreadStore` that counts for another one; reads are counted by the requests that make them."""

    def __init__(self, store: ThreadStore, metrics: StoreMetrics) -> None:
        self._store = store
        self._metrics = metrics

    async def open(self, tenant: TenantId, draft: ThreadDraft, *, by: str) -> Opened:
        """See `ThreadStore.open`."""
        return await self._store.open(tenant, draft, by=by)

    async def thread(self, tenant: TenantId, thread_id: ThreadId) -> Thread:
        """See `ThreadStore.thread`."""
        return await self._store.thread(tenant, thread_id)

    async def threads(self, tenant: TenantId, *, after: Position | None, limit: int) -> tuple[Thread, ...]:
        """See `ThreadStore.threads`."""
        return await self._store.threads(tenant, after=after, limit=limit)

    async def append(
        self, tenant: TenantId, thread_id: ThreadId, draft: MessageDraft, *, by: str, expected_seq: int | None = None
    ) -> Receipt:
        """See `ThreadStore.append`."""
        begun = time.perf_counter()
        try:
            with _spans.start_as_current_span("threads.append", kind=SpanKind.CLIENT):
                receipt = await self._store.append(tenant, thread_id, draft, by=by, expected_seq=expected_seq)
        except ThreadsError as exc:
            self._count(exc)
            raise
        finally:
            self._metrics.seconds.labels(_THREAD).observe(time.perf_counter() - begun)
        self._count(receipt)
        return receipt

    async def append_all(self, tenant: TenantId, appends: Sequence[Append], told: ToldOfAppend) -> None:
        """See `ThreadStore.append_all`."""

        def counted(place: int, outcome: Receipt | ThreadsError) -> None:
            self._count(outcome)
            told(place, outcome)

        begun = time.perf_counter()
        try:
            with _spans.start_as_current_span("threads.append", kind=SpanKind.CLIENT) as span:
                span.set_attribute("aeterna.threads.writes", len(appends))
                await self._store.append_all(tenant, appends, counted)
        finally:
            self._metrics.seconds.labels(_THREAD).observe(time.perf_counter() - begun)

    async def messages(self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, limit: int) -> MessagePage:
        """See `ThreadStore.messages`."""
        return await self._store.messages(tenant, thread_id, after_seq=after_seq, limit=limit)

    def _count(self, outcome: Receipt | ThreadsError) -> None:
        made = WRITTEN if not isinstance(outcome, ThreadsError) and outcome.created else REPEATED
        self._metrics.writes.labels(_THREAD, outcome.code if isinstance(outcome, ThreadsError) else made).inc()
