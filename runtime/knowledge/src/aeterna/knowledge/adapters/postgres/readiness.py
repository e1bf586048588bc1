"""Says whether the ledger's database answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.knowledge.adapters.postgres.database import DATABASE
from aeterna.postgres.translation import translated

if TYPE_CHECKING:
    from aeterna.postgres.pool import Pool


async def require_answer(pool: Pool) -> None:
    """Return when the database answers as the ledger needs it; raise one of `KnowledgeError` when not."""
    with translated(DATABASE.errors):
        async with pool.connection() as connection:
            await connection.execute(b"SELECT FROM knowledge.documents LIMIT 0")
