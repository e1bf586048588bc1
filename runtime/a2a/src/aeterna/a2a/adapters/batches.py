"""Gathers the writes of many tasks into one request: while one is under way, the next ones wait for it together."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.a2a.adapters.calling import error_of, json_bytes, told
from aeterna.a2a.adapters.wire import write_json, written_of
from aeterna.a2a.domain.rows import Written
from aeterna.a2a.errors import AgentError, StoreAwayError

if TYPE_CHECKING:
    from aeterna.a2a.adapters.calling import StoreCalls
    from aeterna.a2a.domain.rows import Write

MAX_WRITES: Final = 256
MAX_BYTES: Final = 512 * 1024
"""One request is no larger, unless a single write is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    task_id: str
    content: bytes
    outcome: asyncio.Future[Written]


class Batches:
    """Sends writes in the order in which they came, those of one task never in one request, over a few lanes."""

    def __init__(self, calls: StoreCalls, *, lanes: int) -> None:
        self._calls = calls
        self._free = lanes
        self._waiting: deque[_Waiting] = deque()
        self._busy: set[str] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._gathering = False

    async def write(self, write: Write) -> Written:
        """Make the write with the others of its time."""
        content = json_bytes(write_json(write))
        loop = asyncio.get_running_loop()
        waiting = _Waiting(task_id=write.task_id, content=content, outcome=loop.create_future())
        self._waiting.append(waiting)
        self._start_soon()
        return await waiting.outcome

    def _start_soon(self) -> None:
        """Send in the loop's next turn: what others are about to write in this one goes with it.

        Sent at once, the first of many writes would go alone, and all others would wait for its answer.
        """
        if self._free and not self._gathering:
            self._gathering = True
            asyncio.get_running_loop().call_soon(self._start)

    def _start(self) -> None:
        self._gathering = False
        while self._free and (batch := self._cut()):
            self._free -= 1
            sending = asyncio.get_running_loop().create_task(self._send(batch))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    def _cut(self) -> list[_Waiting]:
        """Take the next batch; what is of a task that is under way stays, with all that is of the same task."""
        batch, size = list[_Waiting](), 0
        left: deque[_Waiting] = deque()
        held = set(self._busy)
        while self._waiting:
            waiting = self._waiting.popleft()
            if waiting.outcome.cancelled():
                continue
            full = len(batch) == MAX_WRITES or (batch and size + len(waiting.content) > MAX_BYTES)
            if full or waiting.task_id in held:
                held.add(waiting.task_id)
                left.append(waiting)
                if full:
                    left.extend(self._waiting)
                    self._waiting.clear()
                continue
            held.add(waiting.task_id)
            batch.append(waiting)
            size += len(waiting.content)
        self._waiting = left
        self._busy.update(waiting.task_id for waiting in batch)
        return batch

    async def _send(self, batch: list[_Waiting]) -> None:
        try:
            content = b'{"writes":[' + b",".join(waiting.content for waiting in batch) + b"]}"
            answer = await self._calls.send("POST", "/api/v1/tasks/writes", content=content)
            for waiting, result in zip(batch, answer["results"], strict=True):
                if waiting.outcome.done():
                    continue
                if (problem := result.get("problem")) is None:
                    waiting.outcome.set_result(written_of(result))
                else:
                    error = error_of(problem["code"], told(problem), task_id=waiting.task_id)
                    waiting.outcome.set_exception(error)
        except AgentError as error:
            _refuse(batch, error)
        except (KeyError, TypeError, ValueError) as error:
            _refuse(batch, StoreAwayError(f"an answer that is none ({type(error).__name__})"))
        except asyncio.CancelledError:
            _refuse(batch, StoreAwayError("this process ends"))
            raise
        finally:
            self._free += 1
            self._busy.difference_update(waiting.task_id for waiting in batch)
            self._start_soon()


def _refuse(batch: list[_Waiting], error: AgentError) -> None:
    for waiting in batch:
        if not waiting.outcome.done():
            waiting.outcome.set_exception(error)
