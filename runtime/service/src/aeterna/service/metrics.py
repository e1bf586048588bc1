"""The registry of a process's metrics, with those that every process has."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector


def new_registry() -> CollectorRegistry:
    """Return a registry with the metrics of the process; a service adds its own to it.

    Not the library's global one: two applications in one process, as in tests, would share their counts.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry
