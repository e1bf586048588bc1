"""What one step of cleanup or of an erasure removed, and where the next one goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryPlace:
    """A place among the expired threads: by the day of birth, then by when they expired."""

    born: date
    expires_at: datetime
    tenant: TenantId
    thread_id: ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What a step removed, by kind; ``next_place`` is None when nothing is left to look at."""

    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    next_place: ExpiryPlace | None = None


class Advance(StrEnum):
    """What an erasure's step came to."""

    GOING = "going"
    """There is more to do at once."""
    WAITING = "waiting"
    """Transactions from before the order are still under way, or objects are still to be deleted: come back soon."""
    HELD = "held"
    """A legal hold that came after the order keeps what is left."""
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectKey:
    """Which object holds a large part: nobody but its own thread ever names it."""

    tenant: TenantId
    thread_id: ThreadId
    sha256: str
    size: int

    @property
    def path(self) -> str:
        """Return where the object is, below the store's root: tenant, digest of the thread's id, digest of the content.

        A thread's id may be longer than a file's name, and may differ from another one in case only.
        """
        thread = hashlib.sha256(self.thread_id.encode()).hexdigest()
        return f"{self.tenant}/{thread}/{self.sha256}"
