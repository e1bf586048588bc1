"""What running a program costs: time, and the memory of all its processes together."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLE_SECONDS = 0.01
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, over the whole tree of its processes."""

    wall: float
    cpu: float
    resident: float


def say(text: str) -> None:
    """Report progress."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def tree(root: int) -> list[int]:
    """Return the process and its descendants."""
    found = [root]
    for pid in found:
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:  # it ended in the meantime
            continue
        found.extend(int(child) for child in children)
    return found


def resident(pids: list[int]) -> int:
    """Return the bytes that these processes hold in memory together."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except (OSError, IndexError):  # it ended in the meantime
            continue
    return total


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Cost:
    """Run a program in the folder to its end; fail loudly if it fails."""
    log = folder / "log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
    done = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while not done.wait(SAMPLE_SECONDS):
            peak = max(peak, resident(tree(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    done.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak / MIB)


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.resident for cost in costs),
    )


def measured(
    name: str, command: Sequence[str], folder: Path, runs: int, environment: Mapping[str, str] | None = None
) -> Cost:
    """Return the median of several runs, after one that fills the caches of files and of the engine."""
    run(command, folder, environment)
    costs: list[Cost] = []
    for turn in range(runs):
        costs.append(run(command, folder, environment))
        say(f"{name} {turn + 1}/{runs}: {costs[-1]}")
    return median(costs)
