"""Each commit is one span, and no span names a tenant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.identifiers import SnapshotId
from fixtures.fix_graph import ACME

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def observer(spans: InMemorySpanExporter) -> Iterator[OpenTelemetryCommitObserver]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield OpenTelemetryCommitObserver(provider.get_tracer("test"))
    provider.shutdown()


def test_a_commit_is_a_span_with_what_happened(
    observer: OpenTelemetryCommitObserver, spans: InMemorySpanExporter
) -> None:
    with observer.commit(ACME) as trace:
        trace.sessions, trace.rows, trace.retries, trace.snapshot_id = 3, 40, 1, SnapshotId(7)
        trace.epoch, trace.lease_seconds, trace.queue_seconds = 5, 0.25, (0.5, 0.125)

    (span,) = spans.get_finished_spans()
    attributes = dict(span.attributes or {})
    assert span.name == "storage.iceberg.commit"
    assert len(str(attributes.pop("aeterna.tenant_hash"))) == 16
    assert attributes == {
        "aeterna.sessions": 3,
        "aeterna.rows": 40,
        "aeterna.retries": 1,
        "aeterna.lease_seconds": 0.25,
        "aeterna.queue_seconds": 0.5,
        "aeterna.epoch": 5,
        "aeterna.snapshot_id": "7",
    }
    assert "acme" not in str(span.to_json())


def test_a_failed_commit_is_a_failed_span(observer: OpenTelemetryCommitObserver, spans: InMemorySpanExporter) -> None:
    with observer.commit(ACME) as trace:
        trace.error = "graph.storage_full"

    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "graph.storage_full"
