"""What ends the life of threads, where their large parts lie, and what a tenant may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import timedelta
    from uuid import UUID

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.erasure import AuditRecord, Erasure, Target
    from aeterna.threads.domain.holds import Hold
    from aeterna.threads.domain.removal import Advance, ExpiryPlace, ObjectKey, Removed
    from aeterna.threads.domain.usage import Account


class Retention(Protocol):
    """Legal holds and erasures of one tenant, as they are ordered.

    Kept by ``adapters.postgres_retention``; faked in ``testing``. Each order is on record in the tenant's audit chain
    before it is answered. Any call may raise `StoreUnavailableError` or `StoreBusyError`, and may be repeated.
    """

    async def place(self, tenant: TenantId, hold: Hold) -> Hold:
        """Put the hold in force; one of the same id is replaced, and an equal one stays as it was placed first."""
        ...

    async def release(self, tenant: TenantId, hold_id: str, *, by: str) -> None:
        """End the hold, or raise `HoldNotFoundError`."""
        ...

    async def holds(self, tenant: TenantId) -> tuple[Hold, ...]:
        """Return the holds in force, by id."""
        ...

    async def order(self, tenant: TenantId, erasure_id: UUID, target: Target, *, by: str) -> Erasure:
        """Put the erasure on record, or return the one that an equal order put there.

        Raises `LegalHoldError` when a hold covers a part of what it would reach, `ErasureConflictError` when the id is
        another erasure's.
        """
        ...

    async def erasure(self, tenant: TenantId, erasure_id: UUID) -> Erasure:
        """Return the erasure, or raise `ErasureNotFoundError`."""
        ...

    async def erasures(self, tenant: TenantId, *, limit: int) -> tuple[Erasure, ...]:
        """Return the erasures, the newest first."""
        ...

    async def audit(self, tenant: TenantId, *, after: int, limit: int) -> tuple[AuditRecord, ...]:
        """Return what was ordered and done, in the order of the chain, after a number."""
        ...


class RetentionJobs(Protocol):
    """The work of cleanup and erasures, in steps that are short, whole and safe to repeat; of all tenants.

    Kept by ``adapters.postgres_cleanup``; faked in ``testing``. Whoever is killed between two steps, or in one, leaves
    nothing half-done. Any call may raise `StoreUnavailableError` or `StoreBusyError`.
    """

    def exclusively(self) -> AbstractAsyncContextManager[bool]:
        """Return a context that says whether this is the one process that works; another one's end frees the place."""
        ...

    async def expire(self, *, after: ExpiryPlace | None, limit: int) -> Removed:
        """Remove at most ``limit`` expired threads that no hold keeps, from a place on."""
        ...

    async def upkeep(self, *, grace: timedelta, limit: int) -> Mapping[str, int]:
        """Make the log's next partitions, drop one that is empty, remove dead runners; return how many of each."""
        ...

    async def pending(self) -> tuple[tuple[TenantId, UUID], ...]:
        """Return the erasures that are not done, the oldest first."""
        ...

    async def advance(self, tenant: TenantId, erasure_id: UUID, *, limit: int) -> Advance:
        """Do the erasure's next step over at most ``limit`` threads."""
        ...

    async def settle(self, *, grace: timedelta, limit: int) -> int:
        """Decide for objects older than the grace whether a row names them; return for how many it was decided."""
        ...

    def doomed(self, *, limit: int) -> AbstractAsyncContextManager[tuple[ObjectKey, ...]]:
        """Return a context of objects that no row names: they are forgotten when it ends well, and kept when not."""
        ...

    async def measure(self, *, age: timedelta) -> int:
        """Count what each tenant holds, unless that was done so recently; return the number of tenants."""
        ...


class ObjectLedger(Protocol):
    """Knows of every object before it exists. Kept by ``adapters.postgres_retention``; faked in ``testing``."""

    async def note(self, tenant: TenantId, keys: Sequence[ObjectKey]) -> None:
        """Put on record that the objects are about to be written; waits for who is deleting one of them."""
        ...


class ObjectStore(Protocol):
    """Keeps large parts under their SHA-256. Kept by ``adapters.object_store``; faked in ``testing``.

    Any call may raise `ObjectsUnavailableError`. A tenant's objects are its own, and a thread's are its own.
    """

    async def put(self, key: ObjectKey, content: bytes) -> None:
        """Write the object durably; one that is there already has the same content."""
        ...

    async def get(self, key: ObjectKey) -> bytes | None:
        """Return the object's content as it is, or None when there is none."""
        ...

    async def delete(self, keys: Sequence[ObjectKey]) -> None:
        """Delete the objects; those that are gone already do no harm."""
        ...


class Accounts(Protocol):
    """What tenants hold and may hold. Kept by ``adapters.postgres_usage``; faked in ``testing``."""

    async def account(self, tenant: TenantId) -> Account:
        """Return the tenant's account; raises `StoreUnavailableError` or `StoreBusyError`."""
        ...
