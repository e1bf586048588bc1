"""Erasures and legal holds of the thread store as blocking code sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import retention_operations as operations

if TYPE_CHECKING:
    from aeterna.client.retention_values import ThreadErasure, ThreadHold, ThreadUsage
    from aeterna.client.sync_runner import SyncRunner


class SyncRetention:
    """What must be forgotten of the tenant's conversations, and what must not; for administrators."""

    def __init__(self, runner: SyncRunner) -> None:
        self._runner = runner

    def erase(
        self,
        subject: str | None = None,
        *,
        thread_id: str | None = None,
        tenant: bool = False,
        erasure_id: str | None = None,
    ) -> ThreadErasure:
        """Erase what a subject owns and wrote, a thread or task, or the whole tenant; name one of the three.

        Ask `erasure` until it is done. There is no way back. Raise `ThreadHoldError` while a hold forbids it. Without
        an id one is drawn, which makes this call safe to retry.
        """
        id_ = erasure_id or str(uuid4())
        return self._runner.run(operations.erase(subject=subject, thread_id=thread_id, tenant=tenant, erasure_id=id_))

    def erasure(self, erasure_id: str) -> ThreadErasure:
        """Read an erasure, which is a certificate when it is done; raise `ThreadErasureNotFoundError`."""
        return self._runner.run(operations.erasure(erasure_id))

    def erasures(self) -> tuple[ThreadErasure, ...]:
        """Read the newest erasures."""
        return self._runner.run(operations.erasures())

    def holds(self) -> tuple[ThreadHold, ...]:
        """Read every legal hold in force."""
        return self._runner.run(operations.holds())

    def hold(
        self, hold_id: str, *, reason: str, thread_id: str | None = None, subject: str | None = None
    ) -> ThreadHold:
        """Keep a thread, what a subject owns and wrote, or everything without both, until the hold is released."""
        return self._runner.run(operations.hold(hold_id, thread_id=thread_id, subject=subject, reason=reason))

    def release(self, hold_id: str) -> None:
        """End a legal hold; raise `ThreadHoldNotFoundError`."""
        self._runner.run(operations.release(hold_id))

    def usage(self) -> ThreadUsage:
        """Read what the tenant holds and may hold; for operators."""
        return self._runner.run(operations.usage())
