"""The search in what plain threads say, under ``/api/v1/threads/search``."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel

from aeterna.threads.api import search_cursor as cursors
from aeterna.threads.api.access import ReaderOfAll
from aeterna.threads.domain.conversation import ID_PATTERN, ThreadId
from aeterna.threads.domain.search import Hit, search_for
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


def _search(request: Request) -> ThreadSearch:
    return cast("ThreadSearch", request.app.state.search)


TheSearch = Annotated[ThreadSearch, Depends(_search)]


@router.get("/search")
async def search_threads(
    caller: ReaderOfAll,
    found: TheSearch,
    q: str,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    thread_id: Annotated[str | None, Query(pattern=ID_PATTERN, max_length=255)] = None,
    since: AwareDatetime | None = None,
) -> HitsBody:
    """Search in what the tenant's plain threads say, newest first."""
    search = search_for(q, within=None if thread_id is None else ThreadId(thread_id), since=since)
    after = None if cursor is None else cursors.decode(cursor, search)
    page = await found.search(caller.tenant, search, after=after, limit=limit)
    return HitsBody(
        hits=[HitBody.of(hit) for hit in page.hits],
        next_cursor=None if page.next_place is None else cursors.encode(page.next_place, search),
        searchable_until=page.searchable_until,
    )
