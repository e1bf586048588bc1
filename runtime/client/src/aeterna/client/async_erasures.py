"""Erasures and legal holds as asynchronous code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import erasure_operations as operations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.erasure_values import Erasure, Hold, Verification


class AsyncErasures:
    """The part of the graph that `AsyncGraph` has for what must be forgotten and what must not."""

    _runner: AsyncRunner

    async def erase(
        self,
        subject: str | None = None,
        *,
        nodes: Sequence[str] = (),
        tenant: bool = False,
        erasure_id: str | None = None,
    ) -> Erasure:
        """Erase what a subject committed, nodes about a person with their edges, or the whole tenant.

        When it returns no read shows it any more; ask `erasure` until it is done. There is no way back. Raise
        `LegalHoldError` while a hold forbids it. Without an id one is drawn, which makes this call safe to retry.
        """
        return await self._runner.run(
            operations.erase(subject, nodes=nodes, tenant=tenant, erasure_id=erasure_id or str(uuid4()))
        )

    async def erasure(self, erasure_id: str) -> Erasure:
        """Read an erasure, which is a certificate when it is done; raise `ErasureNotFoundError`."""
        return await self._runner.run(operations.erasure(erasure_id))

    async def erasures(self) -> tuple[Erasure, ...]:
        """Read every erasure, oldest first."""
        return await self._runner.run(operations.erasures())

    async def verify_erasure(
        self, erasure_id: str, *, subject: str | None = None, nodes: Sequence[str] = ()
    ) -> Verification:
        """Look for what was erased in every byte that is left: name it again, the certificate does not know it."""
        return await self._runner.run(operations.verify_erasure(erasure_id, subject=subject, nodes=nodes))

    async def holds(self) -> tuple[Hold, ...]:
        """Read every legal hold in force."""
        return await self._runner.run(operations.holds())

    async def hold(self, hold_id: str, *, reason: str, subject: str | None = None) -> Hold:
        """Forbid to erase what a subject committed, or anything without one, until the hold is released."""
        return await self._runner.run(operations.hold(hold_id, subject=subject, reason=reason))

    async def release(self, hold_id: str) -> None:
        """End a legal hold; raise `HoldNotFoundError`."""
        await self._runner.run(operations.release(hold_id))
