"""What workers use as processes, and what their parent counted, told by whichever of them is scraped."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from prometheus_client import CollectorRegistry, Metric

    from aeterna.policy.domain.tally import Tally

KEEPER_METRICS: Final = "keeper.prom"
_TELLING_SECONDS: Final = 1.0

log = structlog.stdlib.get_logger(__name__)


class WorkerMetrics(Collector):
    """Shows each worker's memory and time, and the metrics of the parent, which listens to nobody's scrapes.

    The metrics that a process has by itself are the parent's: those of whichever worker answers would jump.
    """

    def __init__(self, registry: CollectorRegistry, workers: Sequence[Tally], *, keeper: Path) -> None:
        """Take the tallies of all workers, and the file that the parent writes its metrics to."""
        self._workers = workers
        self._keeper = keeper
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return what is known now; a worker that is being started again is left out."""
        resident = GaugeMetricFamily(
            "aeterna_policy_worker_resident_bytes", "Resident memory of a worker.", labels=("worker",)
        )
        seconds = CounterMetricFamily("aeterna_policy_worker_cpu_seconds", "Time on a processor.", labels=("worker",))
        for number, worker in enumerate(self._workers):
            used = _used(worker.process) if worker.process else None
            if used is not None:
                resident.add_metric((str(number),), used[0])
                seconds.add_metric((str(number),), used[1])
        yield resident
        yield seconds
        try:
            text = self._keeper.read_text(encoding="utf-8")
        except OSError:
            return
        yield from text_string_to_metric_families(text)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()


async def told_every_second(registry: CollectorRegistry, file: Path) -> None:
    """Keep the metrics of this process in a file that others read, until cancelled."""
    trouble: str | None = None
    while True:
        try:
            await asyncio.to_thread(_tell, registry, file)
            trouble = None
        except OSError as exc:
            # The metrics of yesterday stay there; that the disk is full is seen in what else it refuses.
            if trouble != (trouble := exc.strerror or type(exc).__name__):
                log.warning("policy.metrics_untold", reason=trouble)
        await asyncio.sleep(_TELLING_SECONDS)


def _tell(registry: CollectorRegistry, file: Path) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_bytes(generate_latest(registry))
    fresh.replace(file)


def _used(process: int) -> tuple[int, float] | None:
    """Return the resident bytes and the processor's seconds of a process; None where the system does not tell."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE"), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
