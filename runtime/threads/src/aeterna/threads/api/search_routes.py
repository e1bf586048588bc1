"""The search in what plain threads say, under ``/api/v1/threads/search``."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from aeterna.threads.api import search_cursor as cursors
from aeterna.threads.api.access import ReaderOfAll
from aeterna.threads.api.search_queries import SearchQuery, the_search
from aeterna.threads.domain.search import Hit
from aeterna.threads.ports import ThreadSearch

router = APIRouter(prefix="/api/v1/threads", tags=["threads"])


class HitBody(BaseModel):
    """A message that was found."""

    thread_id: str
    seq: int
    created_at: datetime
    role: str
    author: str
    snippet: str

    @classmethod
    def of(cls, hit: Hit) -> "HitBody":
        """Return what a client sees of it."""
        return cls(
            thread_id=hit.place.thread_id,
            seq=hit.place.seq,
            created_at=hit.place.created_at,
            role=hit.role.value,
            author=hit.author,
            snippet=hit.snippet,
        )


class HitsBody(BaseModel):
    """A page of hits; what was committed before ``searchable_until`` was searched."""

    hits: list[HitBody]
    next_cursor: str | None
    searchable_until: datetime | None


@router.get("/search")
async def search_threads(
    caller: ReaderOfAll,
    asked: Annotated[SearchQuery, Query()],
    found: Annotated[ThreadSearch, Depends(the_search)],
) -> HitsBody:
    """Search in what the tenant's plain threads say, newest first."""
    search = asked.search()
    after = None if asked.cursor is None else cursors.decode(asked.cursor, search)
    page = await found.search(caller.tenant, search, after=after, limit=asked.limit)
    return HitsBody(
        hits=[HitBody.of(hit) for hit in page.hits],
        next_cursor=None if page.next_place is None else cursors.encode(page.next_place, search),
        searchable_until=page.searchable_until,
    )
