"""What is logged and traced, and what never is."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from aeterna.service.observe import Observed, RequestMetrics
from aeterna.service.telemetry import configure_logs, redacted
from aeterna.service.testing import SigningKey
from aeterna.service.trace import current_trace_id, enter_trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aeterna.service.asgi import Message, Receive, Scope, Send


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Return what the process logs; the logging of the test run is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logs("shelf", "info", written)
    yield written
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_log_line_is_one_json_object_with_service_and_trace(stream: io.StringIO) -> None:
    enter_trace("4bf92f3577b34da6a3ce929d0e0e4736")

    structlog.stdlib.get_logger("a").info("book.added", pages=3)

    line = json.loads(stream.getvalue())
    assert (line["event"], line["pages"], line["service"]) == ("book.added", 3, "shelf")
    assert line["trace_id"] == current_trace_id()


def test_lines_of_libraries_look_like_ours(stream: io.StringIO) -> None:
    logging.getLogger("some.library").warning("it is %s", "late")

    assert json.loads(stream.getvalue())["event"] == "it is late"


@pytest.mark.parametrize(
    "event",
    [
        {"authorization": "Bearer s3cret"},
        {"access_token": "s3cret"},
        {"db_password": "s3cret"},
        {"dsn": "postgresql://ada:s3cret@db/threads"},
        {"event": "cannot reach postgresql://ada:s3cret@db/threads"},
        {"event": "cannot reach postgresql://:s3cret@db/threads"},
    ],
)
def test_what_is_secret_by_name_or_by_place_is_blanked(event: dict[str, str]) -> None:
    assert "s3cret" not in str(redacted(None, "info", dict(event)))


def test_a_token_is_blanked_wherever_it_turns_up() -> None:
    token = SigningKey().token()

    cleaned = redacted(None, "info", {"event": f"refused {token}, sorry", "exception": f"ValueError: {token}"})

    assert cleaned == {"event": "refused [redacted], sorry", "exception": "ValueError: [redacted]"}


def test_an_exception_is_logged_without_the_values_of_its_variables(stream: io.StringIO) -> None:
    def fail(pin: str) -> None:
        raise ValueError("wrong pin" if pin else "")

    try:
        fail(f"{1234}-canary")
    except ValueError:
        structlog.stdlib.get_logger("a").exception("failed")

    assert "ValueError: wrong pin" in stream.getvalue()
    assert "1234-canary" not in stream.getvalue()


@pytest.mark.anyio
async def test_a_span_is_named_after_the_route_and_continues_the_callers_trace() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    async def application(scope: Scope, _receive: Receive, send: Send) -> None:
        scope["route"] = type("Route", (), {"path": "/books/{title}"})
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        del message

    observed = Observed(application, metrics=RequestMetrics(CollectorRegistry()), spans=provider.get_tracer("test"))
    traceparent = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    scope: Scope = {"type": "http", "method": "GET", "path": "/books/emma", "headers": [(b"traceparent", traceparent)]}

    await observed(scope, receive, send)

    (span,) = exporter.get_finished_spans()
    assert (span.name, span.status.is_ok) == ("GET /books/{title}", False)
    assert format(span.context.trace_id if span.context else 0, "032x") == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert span.attributes is not None
    assert span.attributes["http.response.status_code"] == 503
