"""Hands what is held over to whoever uses it, and takes it away the moment it ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.secrets.domain.handed import Refusal
from aeterna.secrets.domain.term import pause_after
from aeterna.secrets.errors import SecretsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aeterna.secrets.domain.counts import Counts
    from aeterna.secrets.domain.moment import Moment
    from aeterna.secrets.ports import Recipient
    from aeterna.secrets.usecases.holdings import Holdings

# How often the clocks are looked at: one may have been set, and a machine may have slept.
_TICK_SECONDS: Final = 1.0
# What changes soon after something else goes with the next: a hundred secrets at the start are no hundred switches.
_GATHER_SECONDS: Final = 0.2
_FILES: Final = "files"

log = structlog.stdlib.get_logger(__name__)


class Handover:
    """Tells the recipient of changes, one call at a time and until it took them, and of ends at once."""

    def __init__(
        self,
        holdings: Holdings,
        recipient: Recipient,
        *,
        counts: Counts,
        now: Callable[[], Moment],
        random: Callable[[], float],
    ) -> None:
        self._holdings = holdings
        self._recipient = recipient
        self._counts = counts
        self._now = now
        self._random = random
        self._pending: dict[str, list[Callable[[], None]]] = {}
        self._given: set[str] = set()
        self._worn: dict[str, Moment] = {}
        """When that ends which the recipient still has of a secret whose successor it did not take yet."""
        self._failures = 0
        self._changed = asyncio.Event()

    @property
    def complete(self) -> bool:
        """Whether every secret is held, and was handed over at least once since it was last taken away."""
        return self._given >= self._holdings.names and not self._holdings.missing

    def changed(self, name: str, then: Callable[[], None] | None = None, *, before: Moment | None = None) -> None:
        """Have a secret handed over that is held since now; ``then`` is called when the recipient took it.

        ``before`` is when the one before it ends, which the recipient is not to have any longer than that.
        """
        if before is not None and name in self._given:
            self._worn.setdefault(name, before)
        self._pending.setdefault(name, []).extend([then] if then is not None else [])
        self._changed.set()

    async def run(self) -> None:
        """Hand over and take away until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hand_over())
            tasks.create_task(self._take_away())

    async def _hand_over(self) -> None:
        pause = 0.0
        while True:
            # What changes while something is to be tried again does not wait for that.
            with suppress(TimeoutError):
                async with asyncio.timeout(pause or None):
                    await self._changed.wait()
            self._changed.clear()
            pause = await self.deliver()
            await asyncio.sleep(_GATHER_SECONDS)

    async def deliver(self) -> float:
        """Hand over what changed; return 0, or after how many seconds to try again."""
        pending, self._pending = self._pending, {}
        held = self._holdings.current()
        changed = frozenset(pending) & held.keys()
        if not changed:
            return 0.0
        try:
            refusal = await self._recipient.hand_over(held, changed)
        except SecretsError as exc:
            refusal = Refusal(reason=exc, untaken=changed, stale=changed)
        taken = changed - refusal.untaken if refusal is not None else changed
        fresh = changed - refusal.stale if refusal is not None else changed
        # What was taken away meanwhile was taken away from the recipient as well.
        self._given |= taken - self._holdings.missing
        self._worn = {name: end for name, end in self._worn.items() if name not in fresh}
        for then in [then for name in taken for then in pending[name]]:
            then()
        if refusal is not None:
            return self._refused({name: pending[name] for name in changed - taken}, refusal.reason)
        self._failures = 0
        return 0.0

    def _refused(self, pending: dict[str, list[Callable[[], None]]], exc: SecretsError) -> float:
        self._failures += 1
        self._counts.failures[_FILES, exc.code] += 1
        pause = pause_after(self._failures, self._random)
        log.warning("secrets.handover_failed", code=exc.code, reason=str(exc), retry_in=round(pause, 1))
        for name, thens in pending.items():
            self._pending[name] = [*thens, *self._pending.get(name, [])]
        return pause

    async def _take_away(self) -> None:
        while True:
            await self.expire()
            end = self.next_end()
            await asyncio.sleep(min(_TICK_SECONDS, self._now().until(end)) if end is not None else _TICK_SECONDS)

    async def expire(self) -> None:
        """Take away what has ended."""
        ended = self._holdings.ended()
        if ended:
            await self.withdraw(ended)
        worn = frozenset(name for name, end in self._worn.items() if not self._now().before(end))
        if worn:
            log.error("secrets.worn", names=sorted(worn))
            await self._take(worn)

    def next_end(self) -> Moment | None:
        """Return when the next of all that anybody has ends."""
        earliest = self._holdings.next_end()
        for end in self._worn.values():
            earliest = end.earliest(earliest)
        return earliest

    async def withdraw(self, names: Iterable[str]) -> None:
        """Forget these, and take them away from the recipient."""
        taken = frozenset(names)
        self._holdings.drop(taken)
        log.error("secrets.withdrawn", names=sorted(taken))
        await self._take(taken)

    async def _take(self, names: frozenset[str]) -> None:
        self._given -= names
        self._worn = {name: end for name, end in self._worn.items() if name not in names}
        self._counts.withdrawals.update(names)
        await self._recipient.withdraw(names)
