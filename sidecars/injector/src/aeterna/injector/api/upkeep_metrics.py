"""What the upkeep does, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

    from aeterna.injector.domain.missed import Reason
    from aeterna.service.clock import Clock


class UpkeepMetrics:
    """Counts passes and what they wrote, and says when what is kept ends."""

    def __init__(self, registry: CollectorRegistry, *, clock: Clock) -> None:
        self._clock = clock
        self._passes = Histogram(
            "aeterna_injector_pass_seconds",
            "Passes of the leader over all that is kept.",
            buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60),
            registry=registry,
        )
        self._last = Gauge(
            "aeterna_injector_last_pass_timestamp_seconds", "When the leader ended a pass.", registry=registry
        )
        self._failures = Counter(
            "aeterna_injector_upkeep_failures", "Parts of a pass that failed.", ("part", "code"), registry=registry
        )
        self._leads = Gauge("aeterna_injector_leads", "1 on the replica that leads.", registry=registry)
        self._generations = Gauge(
            "aeterna_injector_authority_generations", "Authorities that are trusted.", registry=registry
        )
        self._authority = Gauge(
            "aeterna_injector_authority_ends_timestamp_seconds", "When the issuing authority ends.", registry=registry
        )
        self._served = Gauge(
            "aeterna_injector_certificate_ends_timestamp_seconds",
            "When the certificate ends that a service is given.",
            ("service",),
            registry=registry,
        )
        self._writes = Counter("aeterna_injector_writes", "Objects that were written.", ("kind",), registry=registry)
        self._exposed = Gauge(
            "aeterna_injector_webhook_exposed_namespaces",
            "Protected namespaces that the webhook's selector could have matched when it was last read.",
            registry=registry,
        )
        self._missed = Gauge(
            "aeterna_injector_missed_pods",
            "Pods without the sidecars they asked for, or with outdated ones.",
            ("namespace", "reason"),
            registry=registry,
        )

    def passed(self, seconds: float) -> None:
        """Note a pass, and how long it took."""
        self._passes.observe(seconds)
        self._last.set(self._clock())

    def failed(self, part: str, code: str) -> None:
        """Note that a part of a pass could not be done."""
        self._failures.labels(part, code).inc()

    def leads(self, leading: bool) -> None:  # noqa: FBT001 - as the port
        """Note whether this replica leads; who does not knows nothing of pods."""
        self._leads.set(leading)
        if not leading:
            self._missed.clear()

    def authority(self, generations: int, ends: float) -> None:
        """Note the authorities that are trusted, and when the issuing one ends."""
        self._generations.set(generations)
        self._authority.set(ends)

    def served(self, service: str, ends: float) -> None:
        """Note when a service's certificate ends."""
        self._served.labels(service).set(ends)

    def wrote(self, kind: str) -> None:
        """Note a write."""
        self._writes.labels(kind).inc()

    def exposed(self, namespaces: int) -> None:
        """Note how many protected namespaces could have been matched."""
        self._exposed.set(namespaces)

    def missed(self, found: Mapping[tuple[str, Reason], int]) -> None:
        """Note the pods that are reported, in place of those of the look before."""
        self._missed.clear()
        for (namespace, reason), count in found.items():
            self._missed.labels(namespace, reason.value).set(count)
