"""How long a question waits while a new bundle is taken on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import time
from typing import TYPE_CHECKING

from policy_corpus import Corpus
from policy_servers import connected, post, running

if TYPE_CHECKING:
    from pathlib import Path

    from policy_servers import Server

SWAPS = 5
PACE = 0.001
LIMIT = 30.0


def longest_wait_ms(server: Server, folder: Path) -> dict[str, float]:
    """Swap bundles of the same size under a question each millisecond; return the longest wait of the median swap.

    Beside it stands the longest wait of as long a time without a swap: what is the machine's is not the swap's.
    """
    texts = [Corpus(policies=1_000, entities=9_999 - number).files() for number in range(SWAPS)]
    with running(server) as (pid, _):
        waits, calm = asyncio.run(_swapped(server, pid, folder / "swap", texts))
    return {"swap_longest_wait_ms": statistics.median(waits), "calm_longest_wait_ms": statistics.median(calm)}


async def _swapped(
    server: Server, pid: int, bundle: Path, texts: list[dict[str, str]]
) -> tuple[list[float], list[float]]:
    waits: list[float] = []
    calm: list[float] = []
    question = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    async with connected(server.port) as connection:

        async def asked(number: int) -> tuple[float, str]:
            # Each question is another, so that none is answered from the cache.
            question["context"] = {}
            question["subject"]["id"] = f"agent-{number % 4_000}"
            begun = time.perf_counter()
            answer = json.loads(await connection.ask(post("/access/v1/evaluation", json.dumps(question).encode())))
            return (time.perf_counter() - begun) * 1000, answer["context"]["digest"]

        number = 0
        _, digest = await asked(number)
        for files in texts:
            for path, text in files.items():
                fresh = bundle.parent / f"fresh-{path}"
                await asyncio.to_thread(fresh.write_text, text)
                await asyncio.to_thread(os.replace, fresh, bundle / path)
            os.kill(pid, signal.SIGHUP)
            begun, longest, before = time.monotonic(), 0.0, digest
            while digest == before:
                if time.monotonic() - begun > LIMIT:
                    raise SystemExit("the new bundle was not taken on")
                number += 1
                took, digest = await asked(number)
                longest = max(longest, took)
                await asyncio.sleep(PACE)
            waits.append(longest)
            lasted, begun, longest = time.monotonic() - begun, time.monotonic(), 0.0
            while time.monotonic() - begun < lasted:
                number += 1
                longest = max(longest, (await asked(number))[0])
                await asyncio.sleep(PACE)
            calm.append(longest)
    return waits, calm
