"""The document of namespaces and tenants on disk, read again whenever it changes: whole, or not at all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aeterna.contracts.workloads import Workloads, WorkloadsInvalidError, read_workloads
from aeterna.service.errors import WorkloadsUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from prometheus_client import CollectorRegistry, Metric

# Twice what a ConfigMap can hold.
_MAX_BYTES: Final = 2 * 1024 * 1024

log = structlog.stdlib.get_logger(__name__)


class WorkloadsFile:
    """Keeps the last good document in force while a newer one is broken or gone; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] | None = None
        self._good: Workloads | None = None
        self._looked = False
        self.fault: str | None = None
        """What is wrong with what is there now; None where it is in force."""

    def current(self) -> Workloads:
        """Return the document in force; raise `WorkloadsUnavailableError` where there never was a good one."""
        if not self.unchanged():
            with self._lock:
                if not self.unchanged():
                    self._read()
        if self._good is None:
            raise WorkloadsUnavailableError
        return self._good

    def unchanged(self) -> bool:
        """Tell whether the file is the one that was read last; it costs one look at the file system."""
        return self._looked and self._stamp() == self._seen

    def in_force(self, document: Workloads) -> bool:
        """Tell whether a document is still what counts, without reading anything."""
        return document is self._good and self.unchanged()

    def look(self) -> Workloads | None:
        """Return the document in force, or None."""
        try:
            return self.current()
        except WorkloadsUnavailableError:
            return None

    def _read(self) -> None:
        # Its stamp first: what is written while we read is then read again.
        seen = self._stamp()
        try:
            with self._path.open("rb") as file:
                text = file.read(_MAX_BYTES + 1)
            good = _parsed(text)
        except WorkloadsInvalidError as exc:
            self._faulty(str(exc))
        except UnicodeDecodeError:
            self._faulty("is not UTF-8")
        except RecursionError:
            self._faulty("is nested too deeply")
        except OSError as exc:
            self._faulty(exc.strerror or type(exc).__name__)
        else:
            self._good, self.fault = good, None
            log.info("workloads.read", namespaces=len(good.namespaces))
        self._seen, self._looked = seen, True

    def _faulty(self, fault: str) -> None:
        self.fault = fault
        log.error("workloads.unreadable", path=str(self._path), reason=fault, in_force=self._good is not None)

    def _stamp(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def _parsed(text: bytes) -> Workloads:
    if len(text) > _MAX_BYTES:
        raise WorkloadsInvalidError("the document", "is too large to be one")
    return read_workloads(text.decode("utf-8"))


class WorkloadsMetrics(Collector):
    """Shows whether the document on disk is in force, and of how many namespaces it tells; each scrape looks at it."""

    def __init__(self, file: WorkloadsFile, registry: CollectorRegistry) -> None:
        self._file = file
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Return what is found now."""
        document = self._file.look()
        yield GaugeMetricFamily(
            "aeterna_workloads_faulty",
            "1 while the document of namespaces and tenants cannot be used, and the one before it stays in force.",
            float(self._file.fault is not None),
        )
        yield GaugeMetricFamily(
            "aeterna_workloads_namespaces",
            "Namespaces that have a tenant, in the document in force.",
            float(len(document.namespaces)) if document is not None else 0.0,
        )

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the registry would otherwise collect once to learn the names."""
        return ()
