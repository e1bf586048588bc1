"""Pushing: a feed that others push to, and that asks them, where it can, to push everything again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aeterna.policy.usecases.resyncing import Resyncing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.policy.ports import Resync
    from aeterna.policy.usecases.publishing import Publisher
    from aeterna.policy.usecases.staging import Staging


class PushedFeed:
    """Staging, and somebody to ask.

    OPAL's client pushes only what changes, and says that it is online seconds after its server died. A whole push that
    was asked for proves that policies and data were just read from the control plane; without one nothing is confirmed.
    """

    def __init__(
        self,
        staging: Staging,
        publisher: Publisher,
        *,
        resync: Resync | None,
        interval: timedelta,
        random: Callable[[], float],
    ) -> None:
        self._staging = staging
        self._resyncing = (
            Resyncing(
                resync,
                interval=interval,
                random=random,
                begun=staging.expect_all,
                failed=publisher.unreachable,
                without_entities=staging.expect_no_entities,
            )
            if resync is not None
            else None
        )

    def begin(self) -> None:
        """Begin from what was published last."""
        self._staging.begin()

    async def run(self) -> None:
        """Publish what settles and ask for more, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._staging.run())
            if self._resyncing is not None:
                tasks.create_task(self._resyncing.run())

    async def refresh(self) -> None:
        """Ask now, and publish what is staged."""
        if self._resyncing is not None:
            await self._resyncing.ask()
        await self._staging.refresh()
