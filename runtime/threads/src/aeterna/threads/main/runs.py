"""Composes runs: who of an agent's processes runs which task, and which side effects were done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.observed import ObservedRuns
from aeterna.threads.adapters.postgres_ledger import PostgresLedger
from aeterna.threads.adapters.postgres_runs import PostgresRuns
from aeterna.threads.api.run_routes import router
from aeterna.threads.main.ground import Part

if TYPE_CHECKING:
    from aeterna.threads.main.ground import Ground


def runs(ground: Ground) -> Part:
    """Return the part that the processes of agents use beside the log."""
    counted = ObservedRuns(PostgresRuns(ground.pool), ground.metrics)
    return Part(routers=[router], state={"runs": counted, "ledger": PostgresLedger(ground.pool)})
