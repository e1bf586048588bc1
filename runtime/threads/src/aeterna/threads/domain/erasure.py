"""What an erasure is about and what it came to: an order that becomes its own certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from aeterna.service.json_value import JsonValue
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.holds import digest_of_name, require_subject
from aeterna.threads.errors import InvalidErasureError

ERASED: Final = "erased"
"""What stands where a name stood."""

KEPT: Final[Mapping[str, str]] = {
    "tombstones": "an empty row stays where the subject wrote in threads of others, so that their numbering has no gap",
    "agent": "which agent ran a task of another owner stays on that task, because the owner's task needs it",
    "audit": "who placed holds and ordered erasures stays in the chain of hashes; whom they were about is not in it",
    "backups": "backups and write-ahead logs of the database, and versions that the object store keeps, are out of our "
    "reach: they end when their own retention ends",
}
"""What no erasure of the thread store removes, and why; it is part of each certificate."""


class ErasureState(StrEnum):
    """How far an erasure is."""

    PENDING = "pending"
    """Ordered; what it reaches is being hidden and removed, or a hold that came later keeps it."""
    DONE = "done"
    """Nothing that it reaches is left in the database or in the object store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom or what an erasure is about: a subject, one thread, or the whole tenant. Build it with `target_of`."""

    subject: str | None = None
    thread_id: ThreadId | None = None
    tenant: bool = False

    @property
    def scope(self) -> str:
        """Return what sort of target it is: ``subject``, ``thread`` or ``tenant``."""
        if self.tenant:
            return "tenant"
        return "subject" if self.thread_id is None else "thread"

    @property
    def name(self) -> str | None:
        """Return whom or what it names; None for the whole tenant."""
        return self.subject or self.thread_id

    def digest(self, erasure_id: UUID) -> str | None:
        """Return what confirms the name to whoever knows it, salted with the erasure's id."""
        return None if self.name is None else digest_of_name(self.name, str(erasure_id))

    def without_name(self, by: str) -> str:
        """Return who ordered it, unless that is the subject itself, which is not to stay in the certificate."""
        return ERASED if by == self.subject else by


def target_of(*, subject: str | None, thread_id: ThreadId | None, tenant: bool) -> Target:
    """Check and make a target; raise `InvalidErasureError`."""
    if [subject is not None, thread_id is not None, tenant].count(True) != 1:
        raise InvalidErasureError("subject", "name one of subject, thread_id and tenant")
    require_subject(subject)
    return Target(subject=subject, thread_id=thread_id, tenant=tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place in the tenant's audit chain (`aeterna.service.hash_chain`)."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What was ordered or done about holds and erasures, as it stands in the tenant's chain."""

    number: int
    record: Mapping[str, JsonValue]
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """An erasure; when it is done it is a certificate. Whom it is about only its digest tells, to who knows the name.

    ``removed`` counts by what was removed; ``remains`` by table what a look after the work still found, which is
    nothing. ``held_by`` names the hold that stops it.
    """

    erasure_id: UUID
    state: ErasureState
    scope: str
    target_digest: str | None
    ordered_by: str
    ordered_at: datetime
    done_at: datetime | None = None
    held_by: str | None = None
    removed: Mapping[str, int] = field(default_factory=dict[str, int])
    remains: Mapping[str, int] | None = None
    link: Link | None = None
