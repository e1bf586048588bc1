"""Hands what was just made durable to the followers in this process, and tells them of what others may have."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.a2a.domain.events import Event

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable


RECENT: Final = 512
"""So many events of a task are kept for its followers; one that is further behind reads the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row that is durable; ``event`` is None where subscribers do not see it."""

    seq: int
    event: Event | None
    state: str | None


class Channel:
    """What is known here of one task's log."""

    def __init__(self) -> None:
        self._recent: dict[int, Entry] = {}
        self._waiters: set[asyncio.Event] = set()
        self.users = 0
        self.runs = 0
        self.top = 0
        self.handled = 0
        self.hints = 0
        self.closed = False

    def after(self, seq: int) -> Entry | None:
        """Return the row after a place in the log, where it is at hand."""
        return self._recent.get(seq + 1)

    def publish(self, entries: Iterable[Entry]) -> None:
        """Take rows that are durable now."""
        for entry in entries:
            self._recent[entry.seq] = entry
            self.top = max(self.top, entry.seq)
        while len(self._recent) > RECENT:
            del self._recent[next(iter(self._recent))]
        self.wake()

    def hint(self, version: int) -> None:
        """Note that the log may have grown."""
        self.top = max(self.top, version)
        self.hints += 1
        self.wake()

    def settle(self, seq: int) -> None:
        """Note that the messages up to there were handled."""
        self.handled = max(self.handled, seq)
        self.wake()

    def wake(self) -> None:
        """Have every follower look again."""
        for waiter in self._waiters:
            waiter.set()

    @contextmanager
    def waiting(self) -> Generator[asyncio.Event]:
        """Return an event that is set whenever there may be news."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)


class Channels:
    """The channels of the tasks that somebody here follows or runs."""

    def __init__(self) -> None:
        self._open: dict[str, Channel] = {}
        self._closed = False

    @contextmanager
    def open(self, task_id: str, *, runs: bool = False) -> Generator[Channel]:
        """Return the task's channel while somebody uses it; ``runs`` says that what is new comes here first."""
        channel = self._open.setdefault(task_id, Channel())
        channel.closed = self._closed
        channel.users += 1
        channel.runs += runs
        try:
            yield channel
        finally:
            channel.users -= 1
            channel.runs -= runs
            channel.wake()
            if not channel.users and self._open.get(task_id) is channel:
                del self._open[task_id]

    def hint(self, task_id: str | None, version: int) -> None:
        """Note that a task's log may have grown; without a task, that any may have."""
        if task_id is None:
            for channel in self._open.values():
                channel.hint(0)
        elif (channel := self._open.get(task_id)) is not None:
            channel.hint(version)

    def close(self) -> None:
        """Let every follower end."""
        self._closed = True
        for channel in self._open.values():
            channel.closed = True
            channel.wake()
