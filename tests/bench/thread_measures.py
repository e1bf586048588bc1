"""How a rate is measured: every client does its work again and again for a while, after a tenth of that to warm up."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

SECONDS: Final = 4.0
_TICKS: Final = 100  # a second, which Linux fixed for /proc


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one way of writing came to; CPU time is a write's, of this process and of a service beside it."""

    per_second: float
    cpu_microseconds: float
    service_cpu_microseconds: float = 0.0
    retries: int = 0


async def measure(
    name: str, clients: Sequence[Callable[[int], Awaitable[int]]], *, service: int | None = None
) -> Measured:
    """Let every client work; ``service`` is the process that works for them, whose CPU time is counted apart.

    A client is given a number that nobody else gets, and returns how often it had to try again.
    """
    numbers = count()

    async def run(client: Callable[[int], Awaitable[int]], end: float) -> tuple[int, int]:
        done = retries = 0
        while time.perf_counter() < end:
            retries += await client(next(numbers))
            done += 1
        return done, retries

    async def all_for(seconds: float) -> list[tuple[int, int]]:
        end = time.perf_counter() + seconds
        return await asyncio.gather(*(run(client, end) for client in clients))

    await all_for(SECONDS / 10)
    elsewhere, cpu, begun = _cpu_of(service), time.process_time(), time.perf_counter()
    outcomes = await all_for(SECONDS)
    elapsed, cpu, elsewhere = time.perf_counter() - begun, time.process_time() - cpu, _cpu_of(service) - elsewhere
    written = sum(done for done, _ in outcomes)
    measured = Measured(
        per_second=written / elapsed,
        cpu_microseconds=cpu / written * 1e6,
        service_cpu_microseconds=elsewhere / written * 1e6,
        retries=sum(retries for _, retries in outcomes),
    )
    beside = f" + {measured.service_cpu_microseconds:.0f} us in the service" if service else ""
    say(f"{name:44} {measured.per_second:8.0f}/s  {measured.cpu_microseconds:6.0f} us CPU{beside}")
    return measured


def say(text: str) -> None:
    """Report progress."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def _cpu_of(process: int | None) -> float:
    """Return the seconds of CPU time that a process has used, in user and system mode."""
    if process is None:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
