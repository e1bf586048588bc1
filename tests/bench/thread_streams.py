"""What streams cost: how late a subscriber hears, what an idle stream holds, how long a conversation stands still."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from typing import TYPE_CHECKING, Final

import httpx
from thread_measures import say

if TYPE_CHECKING:
    from thread_service import Ground, Running

APPENDS: Final = 300
STREAMS: Final = 2000
KILLS: Final = 8
THREADS: Final = "/api/v1/threads"


async def report(ground: Ground) -> dict[str, float]:
    """Return the figures of streams."""
    return await lateness(ground) | await idle_streams(ground) | await takeovers(ground)


async def lateness(ground: Ground) -> dict[str, float]:
    """Append, and measure how long after the answer a subscriber of the thread has the message."""
    headers = {"Authorization": f"Bearer {ground.token()}"}
    heard: dict[str, float] = {}
    answered: dict[str, float] = {}
    took: list[float] = []
    async with httpx.AsyncClient(base_url=ground.store.url, headers=headers, timeout=30) as http:
        await http.post(THREADS, json={"thread_id": "late"})
        everything = asyncio.Event()

        async def listen() -> None:
            async with http.stream("GET", f"{THREADS}/late/events") as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        heard[json.loads(line[6:])["message_id"]] = time.perf_counter()
                        if len(heard) == APPENDS:
                            everything.set()
                            return

        listening = asyncio.create_task(listen())
        for n in range(APPENDS):
            body = {"message_id": f"m-{n}", "role": "agent", "parts": ["a word"]}
            begun = time.perf_counter()
            (await http.post(f"{THREADS}/late/messages", json=body)).raise_for_status()
            answered[f"m-{n}"] = time.perf_counter()
            took.append(answered[f"m-{n}"] - begun)
            await asyncio.sleep(0.005)
        await everything.wait()
        await listening
    late = [1000 * (heard[message] - answered[message]) for message in answered]
    figures = {
        "event_after_append_p50_ms": statistics.median(late),
        "event_after_append_p95_ms": statistics.quantiles(late, n=20)[-1],
        "append_over_http_p50_ms": 1000 * statistics.median(took),
    }
    say(f"event after its append, p95                  {figures['event_after_append_p95_ms']:8.1f} ms")
    return figures


async def idle_streams(ground: Ground) -> dict[str, float]:
    """Open streams on which nothing happens, and measure what the store's memory grows by."""
    address = ground.store.url.removeprefix("http://")
    host, port = address.rsplit(":", 1)
    head = f"Host: {address}\r\nAuthorization: Bearer {ground.token()}\r\n\r\n"
    before = ground.store.resident_megabytes

    async def opened() -> asyncio.StreamWriter:
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {THREADS}/late/events?after_seq={APPENDS} HTTP/1.1\r\n{head}".encode())
        status = await reader.readline()
        assert b"200" in status, status
        await reader.readuntil(b"\r\n\r\n")
        return writer

    writers: list[asyncio.StreamWriter] = []
    for _ in range(STREAMS // 100):
        writers += await asyncio.gather(*(opened() for _ in range(100)))
    held = ground.store.resident_megabytes
    for writer in writers:
        writer.close()
    say(f"{STREAMS} idle streams                            {held - before:8.0f} MB more, {held:.0f} MB in all")
    return {"idle_streams": STREAMS, "idle_streams_megabytes": held - before, "service_megabytes_with_streams": held}


async def takeovers(ground: Ground) -> dict[str, float]:
    """Kill the process that answers, and measure how long a subscriber at another one waits for the next word."""
    waits: list[float] = []
    journal = ground.folder / "journal"
    journal.touch()
    with ground.agent(str(journal), "0.05") as witness:
        for n in range(KILLS):
            with ground.agent(str(journal), "0.05") as victim:
                waits.append(await _takeover(ground, victim, witness, n))
    say(f"takeover after a kill, worst of {KILLS}             {max(waits):8.2f} s")
    return {"takeover_median_seconds": statistics.median(waits), "takeover_worst_seconds": max(waits)}


async def _takeover(ground: Ground, victim: Running, witness: Running, n: int) -> float:
    headers = {"Authorization": f"Bearer {ground.token()}", "A2A-Version": "1.0"}
    message = {"messageId": f"takeover-{n}", "role": "ROLE_USER", "parts": [{"text": f"takeover {n}"}]}
    configuration = {"returnImmediately": True}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        sent = await http.post(f"{victim.url}/message:send", json={"message": message, "configuration": configuration})
        sent.raise_for_status()
        task = sent.json()["task"]["id"]
        killed = 0.0
        words = 0
        async with http.stream("GET", f"{witness.url}/tasks/{task}:subscribe") as answer:
            async for line in answer.aiter_lines():
                if not line.startswith("data: ") or "artifactUpdate" not in line:
                    continue
                words += 1
                if killed:
                    return time.perf_counter() - killed
                if words == 3:
                    victim.process.kill()
                    victim.process.wait()
                    killed = time.perf_counter()
    raise RuntimeError("the answer ended before anybody took over")
