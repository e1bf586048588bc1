"""Follows a thread from a place in it for as long as the reader stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from datetime import timedelta

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import Message, ThreadId
    from aeterna.threads.ports import ThreadStore, Wakes

BATCH: Final = 100


class Silence:
    """Nothing was said for one heartbeat."""


SILENCE: Final = Silence()


class Follower:
    """Follows threads, saying so each ``heartbeat`` in which there was nothing new."""

    def __init__(self, store: ThreadStore, wakes: Wakes, heartbeat: timedelta) -> None:
        self._store = store
        self._wakes = wakes
        self._heartbeat = heartbeat

    async def follow(
        self, tenant: TenantId, thread_id: ThreadId, *, after_seq: int, ending: Callable[[], bool]
    ) -> AsyncGenerator[Message | Silence]:
        """Yield every message after ``after_seq`` once and in order, and `SILENCE` in between, until ``ending``.

        Messages come from the store alone. A wake only says when to look, and each heartbeat looks anyway, so a lost
        wake delays a message by one heartbeat and never loses it. Raises what `ThreadStore.messages` raises.
        """
        async with self._wakes.subscribe(tenant, thread_id) as waiter:
            while not ending():
                page = await self._store.messages(tenant, thread_id, after_seq=after_seq, limit=BATCH)
                for message in page.messages:
                    yield message
                    after_seq = message.seq
                at_end = not page.messages or after_seq >= page.last_seq
                if at_end and not ending() and not await waiter.wait(self._heartbeat):
                    yield SILENCE
