"""Erasures and legal holds of the thread store, as its client gives them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aeterna.client.json_value import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadErasure:
    """An erasure of the thread store, ``pending`` or ``done``, and then it is the certificate."""

    erasure_id: str
    state: str
    scope: str
    target_digest: str | None
    ordered_by: str
    ordered_at: datetime
    done_at: datetime | None
    held_by: str | None
    removed: Mapping[str, JsonValue]
    """Counts by kind of thing, so far."""
    facts: Mapping[str, JsonValue]
    """Whatever else the certificate says, such as what is kept and its place in the audit."""

    @property
    def done(self) -> bool:
        """Whether everything is gone for ever."""
        return self.state == "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadHold:
    """A legal hold in force: of a thread, of a subject, or of everything when both are None."""

    hold_id: str
    thread_id: str | None
    subject: str | None
    reason: str
    placed_by: str
    placed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadUsage:
    """What the tenant holds in the thread store, as counted last; ``quotas`` has None where there is no limit."""

    threads: int
    bytes: int
    open_tasks: int
    measured_at: datetime | None
    quotas: Mapping[str, JsonValue]
