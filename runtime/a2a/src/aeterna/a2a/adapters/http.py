"""The kit's ports over the thread store's REST, with the agent's own token."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import httpx

from aeterna.a2a.adapters.batches import Batches
from aeterna.a2a.adapters.calling import Patience, StoreCalls
from aeterna.a2a.adapters.wire import lease_of, page_of, push_json, push_of, step_of, tasks_of, view_of, written_of
from aeterna.a2a.domain.rows import Wake
from aeterna.a2a.errors import AgentError
from aeterna.enforcement.neighbour import Address, Neighbour
from aeterna.service.clock import steady_clock

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Collection, Mapping

    from aeterna.a2a.adapters.calling import Exchange
    from aeterna.a2a.domain.rows import (
        Lease,
        PushConfig,
        RowPage,
        Step,
        TaskPage,
        TaskQuery,
        TaskView,
        Write,
        Written,
    )
    from aeterna.contracts.json_value import JsonValue
    from aeterna.service.clock import Clock

_PREFIX: Final = "/api/v1"
_LANES: Final = 1
_CONNECTIONS: Final = 256
_MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024
"""A task that is read as a whole is bounded by what the store keeps of one; this is against a store that never ends."""
_CONNECT_SECONDS: Final = 2
_MAX_HELD: Final = 1000
# A stream says every few seconds that it lives; one that does not is dead although its connection stands.
_TIMEOUT: Final = httpx.Timeout(10, connect=_CONNECT_SECONDS, read=45)


class HttpStore:
    """The thread store over HTTP: ``log``, ``leases``, ``ledger`` and ``pushes``, over the same connections."""

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        *,
        patience: Patience | None = None,
        clock: Clock = steady_clock,
        jitter: Callable[[], float] = random.random,
        exchange: Exchange | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect nowhere yet; ``exchange`` makes calls and ``transport`` streams in the place of real connections.

        ``tls`` says whom to believe in the place of the system's authorities.
        """
        tls = tls or httpx.create_ssl_context(trust_env=False)
        self._neighbour = Neighbour(
            Address(url, tls=tls),
            connections=_CONNECTIONS,
            answer_bytes=_MAX_ANSWER_BYTES,
            connect_seconds=_CONNECT_SECONDS,
        )
        # A call costs httpx some milliseconds on a busy machine, which is more than the store needs for a batch.
        called = exchange or self._neighbour
        self._streams = httpx.AsyncClient(
            base_url=url,
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=None),
            transport=transport,
            trust_env=False,
            verify=tls,
        )
        chosen = patience or Patience()
        calls = StoreCalls(called, self._streams, token=token, patience=chosen, clock=clock, jitter=jitter)
        once = Patience(bound=timedelta(0), first=chosen.first, longest=chosen.longest)
        self._checks = StoreCalls(called, self._streams, token=token, patience=once, clock=clock, jitter=jitter)
        self.log: Final = HttpTaskLog(calls, jitter=jitter)
        # A beat that is late is worth nothing, and the next one comes anyway.
        self.leases: Final = HttpLeases(calls, once=self._checks)
        self.ledger: Final = HttpLedger(calls)
        self.pushes: Final = HttpPushConfigs(calls)

    async def check(self) -> None:
        """Return when the store answers, or raise `StoreAwayError`."""
        await self._checks.call("GET", f"{_PREFIX}/tasks", query={"owner": "-", "limit": 1})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._neighbour.aclose()
        await self._streams.aclose()


class HttpTaskLog:
    """A `TaskLog` over HTTP."""

    def __init__(self, calls: StoreCalls, *, jitter: Callable[[], float]) -> None:
        self._calls = calls
        self._batches = Batches(calls, lanes=_LANES)
        self._jitter = jitter

    async def write(self, write: Write) -> Written:
        """See `TaskLog.write`."""
        return await self._batches.write(write)

    async def cancel(self, task_id: str, *, owner: str, status: Mapping[str, JsonValue]) -> Written:
        """See `TaskLog.cancel`."""
        body = {"owner": owner, "status": status}
        return written_of(await self._calls.call("POST", f"{_task(task_id)}/cancel", body=body))

    async def task(
        self,
        task_id: str,
        *,
        owner: str,
        history_length: int | None = None,
        artifacts: bool = True,
        upto: int | None = None,
    ) -> TaskView:
        """See `TaskLog.task`."""
        query: dict[str, str | int] = {"owner": owner, "artifacts": "true" if artifacts else "false"}
        if history_length is not None:
            query["history_length"] = history_length
        if upto is not None:
            query["upto"] = upto
        return view_of(await self._calls.call("GET", _task(task_id), query=query))

    async def tasks(self, query: TaskQuery) -> TaskPage:
        """See `TaskLog.tasks`."""
        asked: dict[str, str | int] = {"owner": query.owner, "limit": query.limit}
        if query.context_id is not None:
            asked["context_id"] = query.context_id
        if query.state is not None:
            asked["state"] = query.state
        if query.status_after is not None:
            asked["status_after"] = query.status_after.isoformat()
        if query.cursor is not None:
            asked["cursor"] = query.cursor
        return tasks_of(await self._calls.call("GET", f"{_PREFIX}/tasks", query=asked))

    async def rows(self, task_id: str, *, owner: str, after: int, limit: int = 200) -> RowPage:
        """See `TaskLog.rows`."""
        query: dict[str, str | int] = {"owner": owner, "after": after, "limit": limit}
        return page_of(await self._calls.call("GET", f"{_task(task_id)}/rows", query=query))

    async def wakes(self) -> AsyncIterator[Wake]:
        """See `TaskLog.wakes`; the connection is made again for as long as somebody listens."""
        pause = 0.05
        while True:
            try:
                name = ""
                async for line in self._calls.lines(f"{_PREFIX}/tasks/wakes"):
                    pause = 0.05
                    if line.startswith("event:"):
                        name = line[6:].strip()
                    elif line.startswith("data:") and name == "wake":
                        told = json.loads(line[5:])
                        yield Wake(task_id=told["task_id"], version=told["version"])
                    elif not line and name == "all":
                        yield Wake(task_id=None)
                    if not line:
                        name = ""
            except AgentError:
                pass
            await asyncio.sleep(pause * (0.5 + self._jitter()))
            pause = min(pause * 2, 1.0)


class HttpLeases:
    """A `Leases` over HTTP."""

    def __init__(self, calls: StoreCalls, *, once: StoreCalls) -> None:
        self._calls = calls
        self._once = once

    async def beat(self, runner: str, *, ttl: timedelta) -> None:
        """See `Leases.beat`."""
        await self._once.call("PUT", _runner(runner), body={"ttl_seconds": ttl.total_seconds()})

    async def leave(self, runner: str) -> None:
        """See `Leases.leave`."""
        await self._calls.call("DELETE", _runner(runner))

    async def claim(self, runner: str, *, limit: int, held: Collection[str] = ()) -> tuple[Lease, ...]:
        """See `Leases.claim`."""
        body: dict[str, object] = {"limit": limit}
        if len(held) <= _MAX_HELD:
            body["held"] = list(held)
        answer = await self._once.call("POST", f"{_runner(runner)}/claims", body=body)
        return tuple(lease_of(lease) for lease in answer["leases"])

    async def release(self, task_id: str, *, epoch: int) -> None:
        """See `Leases.release`."""
        await self._calls.call("POST", f"{_task(task_id)}/release", body={"epoch": epoch})


class HttpLedger:
    """A `Ledger` over HTTP."""

    def __init__(self, calls: StoreCalls) -> None:
        self._calls = calls

    async def begin(self, task_id: str, key: str, *, epoch: int, fingerprint: str) -> Step:
        """See `Ledger.begin`."""
        body = {"epoch": epoch, "fingerprint": fingerprint}
        return step_of(await self._calls.call("PUT", _step(task_id, key), body=body))

    async def finish(self, task_id: str, key: str, *, epoch: int, result: JsonValue) -> Step:
        """See `Ledger.finish`."""
        body = {"epoch": epoch, "result": result}
        return step_of(await self._calls.call("PUT", f"{_step(task_id, key)}/result", body=body))


class HttpPushConfigs:
    """A `PushConfigs` over HTTP."""

    def __init__(self, calls: StoreCalls) -> None:
        self._calls = calls

    async def put(self, task_id: str, config: PushConfig, *, owner: str) -> PushConfig:
        """See `PushConfigs.put`."""
        path = f"{_task(task_id)}/push/{quote(config.config_id, safe='')}"
        return push_of(await self._calls.call("PUT", path, body=push_json(config, owner)))

    async def all(self, task_id: str, *, owner: str) -> tuple[PushConfig, ...]:
        """See `PushConfigs.all`."""
        answer = await self._calls.call("GET", f"{_task(task_id)}/push", query={"owner": owner})
        return tuple(push_of(config) for config in answer["configs"])

    async def delete(self, task_id: str, config_id: str, *, owner: str) -> None:
        """See `PushConfigs.delete`."""
        path = f"{_task(task_id)}/push/{quote(config_id, safe='')}?owner={quote(owner, safe='')}"
        await self._calls.call("DELETE", path)


def _task(task_id: str) -> str:
    return f"{_PREFIX}/tasks/{quote(task_id, safe='')}"


def _runner(runner: str) -> str:
    return f"{_PREFIX}/runners/{quote(runner, safe='')}"


def _step(task_id: str, key: str) -> str:
    return f"{_task(task_id)}/steps/{quote(key, safe='')}"
