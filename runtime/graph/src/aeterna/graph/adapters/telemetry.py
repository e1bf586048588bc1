"""Commits as OpenTelemetry spans."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from opentelemetry.trace import Status, StatusCode

from aeterna.graph.domain.identifiers import tenant_hash
from aeterna.graph.ports import CommitTrace

if TYPE_CHECKING:
    from collections.abc import Generator

    from opentelemetry.trace import Tracer

    from aeterna.graph.domain.identifiers import TenantId


class OpenTelemetryCommitObserver:
    """A `CommitObserver` that makes a span ``storage.iceberg.commit`` of each commit.

    The tenant is a hash: a trace leaves the tenant's own boundary, a name should not.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextlib.contextmanager
    def commit(self, tenant: TenantId) -> Generator[CommitTrace]:
        """Watch one commit; what the trace holds at the end is what happened."""
        trace = CommitTrace()
        with self._tracer.start_as_current_span("storage.iceberg.commit") as span:
            span.set_attribute("aeterna.tenant_hash", tenant_hash(tenant))
            try:
                yield trace
            finally:
                span.set_attribute("aeterna.sessions", trace.sessions)
                span.set_attribute("aeterna.rows", trace.rows)
                span.set_attribute("aeterna.retries", trace.retries)
                span.set_attribute("aeterna.lease_seconds", trace.lease_seconds)
                span.set_attribute("aeterna.queue_seconds", max(trace.queue_seconds, default=0.0))
                if trace.epoch is not None:
                    span.set_attribute("aeterna.epoch", trace.epoch)
                if trace.snapshot_id is not None:
                    span.set_attribute("aeterna.snapshot_id", str(trace.snapshot_id))
                if trace.error is not None:
                    span.set_attribute("error.type", trace.error)
                    span.set_status(Status(StatusCode.ERROR, trace.error))

    def turned_away(self, tenant: TenantId, code: str) -> None:
        """Add nothing: a session that was not queued is part of its request's span."""
