"""What became of pods, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from aeterna.injector.domain.admission import Result

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from aeterna.injector.domain.admission import Admission
    from aeterna.injector.ports import Definitions

_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class AdmissionMetrics:
    """Counts admissions by result and reason, and how long each took in the process."""

    def __init__(self, registry: CollectorRegistry, definitions: Definitions) -> None:
        self._admissions = Counter(
            "aeterna_injector_admissions",
            "Pods by what became of them, and why.",
            ("result", "reason"),
            registry=registry,
        )
        self._seconds = Histogram(
            "aeterna_injector_admission_seconds", "Time of an admission.", buckets=_BUCKETS, registry=registry
        )
        faulty = Gauge(
            "aeterna_injector_definition_faulty",
            "1 while a document of what is injected cannot be read, and the one before is in force.",
            registry=registry,
        )
        faulty.set_function(lambda: definitions.fault is not None)
        self._admissions.labels(Result.INJECTED.value, "asked")

    def admitted(self, admission: Admission, seconds: float) -> None:
        """Note what became of a pod, and how long that took."""
        self._admissions.labels(admission.result.value, admission.reason).inc()
        self._seconds.observe(seconds)
