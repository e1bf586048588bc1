"""Logs and traces of a process: JSON lines on stderr, spans to a collector where one is configured."""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Final, TextIO

import structlog
from opentelemetry import trace

from aeterna.service.trace import current_trace_id

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from opentelemetry.trace import Tracer
    from structlog.typing import EventDict, Processor, WrappedLogger

    from aeterna.service.settings import ListenSettings

_SECRET_NAMES: Final = re.compile(r"authorization|token|password|secret|cookie|dsn|credential|private", re.IGNORECASE)
# Three base64url parts: what a JSON Web Token looks like, wherever it turns up.
_JWT: Final = re.compile(r"eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*")
_URL_PASSWORD: Final = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")
_REDACTED: Final = "[redacted]"


def configure(service: str, settings: ListenSettings) -> None:
    """Set up the process's logs and, with ``otlp_endpoint``, its traces; called once, by ``main``."""
    configure_logs(service, settings.log_level)
    if settings.otlp_endpoint is not None:
        _export_spans(service, settings.otlp_endpoint)


def tracer(name: str) -> Tracer:
    """Return the tracer of a part of the service; its spans cost next to nothing while no collector is configured."""
    return trace.get_tracer(name)


def configure_logs(service: str, level: str, stream: TextIO | None = None) -> None:
    """Send every log line of the process, the libraries' included, to one stream as JSON."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _identified(service),
        structlog.processors.format_exc_info,
        redacted,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These tell of every request made and every step of a start, at the level that we want for ourselves.
    for noisy in ("httpx", "httpcore", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def redacted(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank what is named like a secret or looks like one; a processor for structlog."""
    return {
        key: _REDACTED if _SECRET_NAMES.search(key) and isinstance(value, str) else _clean(value)
        for key, value in event.items()
    }


def _clean(value: object) -> object:
    if not isinstance(value, str):
        return value
    return _URL_PASSWORD.sub(rf"\1:{_REDACTED}", _JWT.sub(_REDACTED, value))


def _identified(service: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
        event["service"] = service
        if trace_id := current_trace_id():
            event["trace_id"] = trace_id
        return event

    return add


def _export_spans(service: str, endpoint: str) -> None:
    """Send spans to a collector; loaded only then, since its protobuf costs every start 100 ms that few need."""
    from aeterna.service import otlp  # noqa: PLC0415 - see above

    otlp.export_spans(service, endpoint)
