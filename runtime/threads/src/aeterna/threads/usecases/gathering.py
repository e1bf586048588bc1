"""Gathers writes that come while others are on their way, so that many share one transaction."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from aeterna.threads.errors import StoreBusyError, StoreDefectError, ThreadsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Key = TypeVar("Key", bound="Hashable")
Item = TypeVar("Item")
Result = TypeVar("Result")

MOST: Final = 256


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    log: Hashable
    marks: Sequence[Hashable]
    result: asyncio.Future[Result]


@dataclass(slots=True)
class _Line(Generic[Item, Result]):
    """What waits and what is on its way, under one key."""

    waiting: deque[_Waiting[Item, Result]] = field(default_factory=deque["_Waiting[Item, Result]"])
    logs_away: Counter[Hashable] = field(default_factory=Counter["Hashable"])
    away: int = 0
    writes_away: int = 0
    looking: bool = False


class Gathering(Generic[Key, Item, Result]):
    """Makes writes of many callers together: under each key two batches are on their way while the next one gathers.

    Two, so that one is worked on while the other waits for the disk.

    Every write has a result of its own, and none waits for a slow one: a batch is over for the next one as soon as any
    of it is settled. Writes of one log are made in the order in which they came. Who gives up waiting takes nothing
    back that is on its way, and nothing from the others.
    """

    def __init__(
        self,
        make: Callable[[Key, Sequence[Item], Callable[[int, Result | ThreadsError], None]], Awaitable[None]],
        *,
        log_of: Callable[[Item], Hashable],
        marks_of: Callable[[Item], Sequence[Hashable]],
        at_once: int = 2,
        most_waiting: int = 4096,
    ) -> None:
        """Take what makes a batch and tells of each write that is settled.

        ``log_of`` names the log of a write. Two writes that have a mark in common never share a batch.
        ``most_waiting`` bounds the writes that wait under one key.
        """
        self._make = make
        self._log_of = log_of
        self._marks_of = marks_of
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._lines: dict[Key, _Line[Item, Result]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def add(self, key: Key, item: Item) -> Result:
        """Make the write with others of its key, and return or raise its result; `StoreBusyError` if too many wait."""
        (result,) = self.add_all(key, [item])
        return await result

    def add_all(self, key: Key, items: Sequence[Item]) -> Sequence[asyncio.Future[Result]]:
        """Make the writes with others of their key, and return their results to be awaited; see `add`."""
        loop = asyncio.get_running_loop()
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = _Line()
        results = list[asyncio.Future[Result]]()
        for item in items:
            result: asyncio.Future[Result] = loop.create_future()
            results.append(result)
            if len(line.waiting) < self._most_waiting:
                line.waiting.append(_Waiting(item, self._log_of(item), self._marks_of(item), result))
            else:
                result.set_exception(StoreBusyError())
        self._send_soon(key, line)
        return results

    def _send_soon(self, key: Key, line: _Line[Item, Result]) -> None:
        """Send once everybody has spoken whom the event loop wakes in this turn or in the next one.

        Whose writes shared a batch are told in one turn, and write again in the next. If the first of them were sent on
        its own, it would cost all the others a commit to wait for.
        """
        if not line.looking:
            line.looking = True
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._send, key, line)

    def _send(self, key: Key, line: _Line[Item, Result]) -> None:
        """Let as many batches go as may be on their way, of about the same size.

        A few writes do not leave while many are on their way: their commit would cost as much as that of the many.
        """
        line.looking = False
        while line.away < self._at_once and 2 * len(line.waiting) * line.away >= line.writes_away:
            batch = _next(line, min(MOST, -(-len(line.waiting) // (self._at_once - line.away))))
            if not batch:
                break
            line.away += 1
            line.writes_away += len(batch)
            line.logs_away.update(waiting.log for waiting in batch)
            task = asyncio.get_running_loop().create_task(self._carry(key, line, batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if not line.waiting and not line.logs_away and not line.away and self._lines.get(key) is line:
            del self._lines[key]

    async def _carry(self, key: Key, line: _Line[Item, Result], batch: Sequence[_Waiting[Item, Result]]) -> None:
        first = True

        def settle(place: int, outcome: Result | ThreadsError) -> None:
            nonlocal first
            waiting = batch[place]
            if not waiting.result.done():
                if isinstance(outcome, ThreadsError):
                    waiting.result.set_exception(outcome)
                else:
                    waiting.result.set_result(outcome)
            settled.add(place)
            line.logs_away[waiting.log] -= 1
            if not line.logs_away[waiting.log]:
                del line.logs_away[waiting.log]
            if first:
                first = False
                line.away -= 1
                line.writes_away -= len(batch)
                self._send_soon(key, line)

        settled: set[int] = set()
        error: ThreadsError = StoreDefectError(None)
        try:
            await self._make(key, [waiting.item for waiting in batch], settle)
        except ThreadsError as exc:
            error = exc
        finally:
            for place in range(len(batch)):
                if place not in settled:
                    settle(place, error)
            self._send_soon(key, line)


def _next(line: _Line[Item, Result], most: int) -> list[_Waiting[Item, Result]]:
    """Take the writes that may go together, and leave the others in their order."""
    batch = list[_Waiting[Item, Result]]()
    left = deque[_Waiting[Item, Result]]()
    marks = set[Hashable]()
    held = set[Hashable]()
    while line.waiting and len(batch) < most:
        waiting = line.waiting.popleft()
        if waiting.result.done():
            continue
        if waiting.log in held or waiting.log in line.logs_away or not marks.isdisjoint(waiting.marks):
            # What comes after it in the same log must stay after it.
            held.add(waiting.log)
            left.append(waiting)
            continue
        marks.update(waiting.marks)
        batch.append(waiting)
    left.extend(line.waiting)
    line.waiting = left
    return batch
