"""Leading by a Lease: one replica does the upkeep, so that the others need not; nothing breaks when two do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from aeterna.injector.domain.lease import LeaseRecord
from aeterna.injector.errors import ClusterConflictError, ClusterError, ClusterRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from aeterna.injector.ports import Leases
    from aeterna.service.clock import Clock

log = structlog.stdlib.get_logger(__name__)


class Leadership:
    """One replica's part in the election.

    A lease is over when nobody has renewed it for as long as it lasts by *this* replica's own watch: what is written in
    it is by the clock of another node.
    """

    def __init__(
        self, leases: Leases, *, identity: str, lasts: timedelta, now: Callable[[], datetime], steady: Clock
    ) -> None:
        self._leases = leases
        self._identity = identity
        self._lasts = lasts
        self._now = now
        self._steady = steady
        self._watched: tuple[str, datetime] | None = None
        self._since = 0.0

    async def hold(self) -> bool:
        """Lead, or go on leading, if nobody else does; return whether this replica leads.

        Without the right to the Lease it leads: a certificate that nobody renews is worse than two who look after it.
        """
        try:
            found = await self._leases.read()
            if found is not None and found.holder != self._identity and self._is_alive(found):
                return False
            await self._leases.write(self._taken(found))
        except ClusterConflictError:
            return False
        except ClusterRefusedError as exc:
            log.warning("leadership.without_lease", reason=str(exc))
        return True

    async def release(self) -> None:
        """Let another replica lead at once; for the end of this one."""
        try:
            found = await self._leases.read()
            if found is not None and found.holder == self._identity:
                await self._leases.write(replace(found, holder=""))
        except ClusterError as exc:
            log.info("leadership.not_released", reason=str(exc))

    def _is_alive(self, found: LeaseRecord) -> bool:
        if not found.holder:
            return False
        if self._watched != (found.holder, found.renewed):
            self._watched = (found.holder, found.renewed)
            self._since = self._steady()
        return self._steady() - self._since < self._lasts.total_seconds()

    def _taken(self, found: LeaseRecord | None) -> LeaseRecord:
        record = (
            found if found is not None else LeaseRecord(holder=self._identity, renewed=self._now(), lasts=self._lasts)
        )
        changes = record.changes + (record.holder != self._identity)
        return replace(record, holder=self._identity, renewed=self._now(), lasts=self._lasts, changes=changes)
