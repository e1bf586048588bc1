"""Composes the search, and the job that keeps its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.threads.adapters.postgres_cleanup import ROLE
from aeterna.threads.adapters.postgres_listing import PostgresThreadListing
from aeterna.threads.adapters.postgres_search import PostgresSearchIndex, PostgresThreadSearch
from aeterna.threads.api.search_routes import router
from aeterna.threads.main.ground import Part
from aeterna.threads.usecases.indexing import Indexing, IndexLimits

if TYPE_CHECKING:
    from aeterna.threads.main.ground import Ground


def search(ground: Ground) -> Part:
    """Return the part that finds threads, and what was said in them."""
    pool = ground.pool_of(ROLE, most=1)
    return Part(
        routers=[router],
        state={"search": PostgresThreadSearch(ground.pool), "listing": PostgresThreadListing(ground.pool)},
        resources=[pool],
        works=[Indexing(PostgresSearchIndex(pool), IndexLimits()).run],
    )
