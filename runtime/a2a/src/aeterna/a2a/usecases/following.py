"""Follows a task from any place in its log, without a gap and without telling anything twice, whoever runs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from a2a.types import Message

from aeterna.a2a.domain.events import TERMINAL, Event, event_of, state_after
from aeterna.a2a.domain.fold import appearance
from aeterna.a2a.ports import TaskLog
from aeterna.a2a.usecases.channels import Channels

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aeterna.a2a.domain.rows import StoredRow
    from aeterna.a2a.usecases.channels import Channel, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """An event that is durable, its place in the log, and the task's state after it (None while there is no task)."""

    event: Event
    seq: int
    state: str | None


@dataclass(slots=True, kw_only=True)
class Follower:
    """One subscriber's way through a task's log.

    ``until`` is the seq of a message, after whose handling the way ends. ``patience`` says in how many seconds the log
    is read again although nothing told of news, in case that a wake was lost.
    """

    log: TaskLog
    channels: Channels
    task_id: str
    owner: str
    context_id: str
    cursor: int
    until: int | None
    patience: float
    state: str | None = None
    ended: bool = False

    async def events(self) -> AsyncIterator[Followed]:
        """Give out what a subscriber sees, until nothing can follow."""
        with self.channels.open(self.task_id) as channel, channel.waiting() as news:
            unsure = not channel.runs
            # A place that nobody here has come to may be none at all: the store says so.
            stale = unsure or self.cursor > channel.top
            while not self.ended:
                news.clear()
                hints, top = channel.hints, channel.top
                if (entry := channel.after(self.cursor)) is not None:
                    if (followed := self._entered(entry)) is not None:
                        yield followed
                    continue
                if stale or top > self.cursor:
                    page = await self.log.rows(self.task_id, owner=self.owner, after=self.cursor)
                    for row in page.rows:
                        if (followed := await self._read(row)) is not None:
                            yield followed
                    # The store reads the rows before it reads where the log ends and in which state.
                    at_end = page.version <= self.cursor
                    stale = not at_end or channel.hints != hints
                    if at_end and not page.rows:
                        if channel.top == top:
                            # What was hinted at is not there, as after a restore of the store to an earlier time.
                            channel.top = self.cursor
                        self.ended = page.state in TERMINAL
                elif (rest := await self._rest(channel, unsure=unsure)) == "wait":
                    woken = await _within(news, self.patience)
                    unsure = not channel.runs and self.until is not None
                    stale = not channel.runs and (not woken or channel.hints != hints)
                else:
                    stale, self.ended = rest == "read", rest == "end"

    async def _rest(self, channel: Channel, *, unsure: bool) -> Literal["end", "read", "wait"]:
        """Say what follows when the log was read to its end; ``unsure`` whether the message was handled elsewhere."""
        if self.until is not None and channel.handled < self.until and unsure:
            view = await self.log.task(self.task_id, owner=self.owner, history_length=0, artifacts=False)
            channel.handled = max(channel.handled, view.task.handled_seq)
            channel.top = max(channel.top, view.task.version)
        if channel.top > self.cursor:
            # Also what another follower here has found: that a message was handled is told after how.
            return "read"
        if channel.closed or (self.until is not None and channel.handled >= self.until):
            return "end"
        return "wait"

    def _entered(self, entry: Entry) -> Followed | None:
        self.cursor, self.state = entry.seq, entry.state
        return None if entry.event is None else self._told(entry.event)

    async def _read(self, row: StoredRow) -> Followed | None:
        self.cursor, self.state = row.seq, state_after(row.row, self.state)
        if not row.row.streamed:
            return None
        if row.row.kind == "task":
            view = await self.log.task(self.task_id, owner=self.owner, upto=row.seq)
            return self._told(appearance(view, row.row))
        return self._told(event_of(row.row, task_id=self.task_id, context_id=self.context_id))

    def _told(self, event: Event) -> Followed:
        self.ended = self.state in TERMINAL or isinstance(event, Message)
        return Followed(event=event, seq=self.cursor, state=self.state)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
