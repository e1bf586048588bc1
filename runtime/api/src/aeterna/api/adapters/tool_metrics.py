"""Calls of tools as Prometheus metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class PrometheusToolObserver:
    """A `ToolObserver` that counts. Names of tools and codes are the code's own, so that their number is bounded."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "aeterna_mcp_call_duration_seconds",
            "Time of a tool's call, by tool.",
            ("tool",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "aeterna_mcp_call_failures",
            "Calls that ended by an error, by tool and code.",
            ("tool", "code"),
            registry=registry,
        )

    def called(self, tool: str, code: str | None, seconds: float) -> None:
        """Note a call of a tool that exists, and the stable code of the error that it ended with."""
        self._seconds.labels(tool).observe(seconds)
        if code is not None:
            self._failures.labels(tool, code).inc()
