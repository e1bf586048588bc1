"""A Lease of coordination.k8s.io, as far as one of several replicas leads by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRecord:
    """Who leads, and since which renewal. ``version`` is the server's, and absent for what is not there yet.

    ``renewed`` is by the clock of whoever wrote it: others may compare it with what it was, and not with their own.
    """

    holder: str
    renewed: datetime
    lasts: timedelta
    changes: int = 0
    version: str | None = None
