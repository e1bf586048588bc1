"""What the steps of one process take, in time and in memory, for programs of any environment that has numpy."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints: TypeAlias = npt.NDArray[np.int64]
    Floats: TypeAlias = npt.NDArray[np.float64]
    Edges: TypeAlias = tuple[int, Ints, Ints, Floats]

MAX_SIZE = 10  # nodes of a community
SEED = 1


class Steps:
    """Seconds and processor seconds of each step, and the most memory held on top of what there was before."""

    def __init__(self) -> None:
        # From here on; not getrusage, which begins with what the parent held.
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        self._before = _status("VmRSS")
        self._steps: dict[str, dict[str, float]] = {}
        self._at = (time.perf_counter(), time.process_time())

    def done(self, step: str) -> None:
        """End a step, and begin the next."""
        now = (time.perf_counter(), time.process_time())
        wall, cpu = now[0] - self._at[0], now[1] - self._at[1]
        self._steps[step] = {"seconds": round(wall, 3), "cpu_seconds": round(cpu, 3)}
        self._at = now

    def cpu(self, step: str) -> float:
        """Return the processor seconds of a step."""
        return self._steps[step]["cpu_seconds"]

    def told(self) -> dict[str, object]:
        """Return the figures."""
        return {**self._steps, "mib_before": round(self._before, 1), "mib": round(_status("VmHWM") - self._before, 1)}


def read(path: str) -> Edges:
    """Read a stored graph."""
    with np.load(path) as stored:
        return int(stored["nodes"]), stored["source"], stored["target"], stored["weight"]


def names(nodes: int) -> tuple[str, ...]:
    """Return the ids of nodes."""
    return tuple(f"node {number:07}" for number in range(nodes))


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024
