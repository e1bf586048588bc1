"""What a listing or a search may be asked by; any other parameter is refused, rather than passed over."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
from typing import Annotated

from fastapi import Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from aeterna.threads.domain.conversation import ID_PATTERN, ThreadId
from aeterna.threads.domain.search import Search, ThreadFilter, search_for
from aeterna.threads.ports import ThreadListing, ThreadSearch


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("holds U+0000, which no text of ours does")
    return value


Text = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_storable)]


class ListQuery(BaseModel):
    """Which threads; times ``since`` are included, times ``before`` are not."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: str | None = None
    created_by: Text | None = None
    created_since: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    updated_since: AwareDatetime | None = None
    updated_before: AwareDatetime | None = None
    title: Text | None = None
    metadata: Annotated[str, Field(pattern="^[^=]+=", max_length=512), AfterValidator(_storable)] | None = None

    def wanted(self) -> ThreadFilter | None:
        """Return the filter, or None where all threads are asked for."""
        wanted = ThreadFilter(
            by=self.created_by,
            created_since=self.created_since,
            created_before=self.created_before,
            updated_since=self.updated_since,
            updated_before=self.updated_before,
            title=self.title,
            metadata=None if self.metadata is None else _member(self.metadata),
        )
        return None if wanted == ThreadFilter() else wanted


class SearchQuery(BaseModel):
    """What to look for, and where."""

    model_config = ConfigDict(extra="forbid")

    q: str
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: str | None = None
    thread_id: Annotated[str, Field(pattern=ID_PATTERN, max_length=255)] | None = None
    since: AwareDatetime | None = None

    def search(self) -> Search:
        """Return the search, or raise `SearchInvalidError`."""
        within = None if self.thread_id is None else ThreadId(self.thread_id)
        return search_for(self.q, within=within, since=self.since)


def the_search(request: Request) -> ThreadSearch:
    """Return what searches."""
    search: ThreadSearch = request.app.state.search
    return search


def the_listing(request: Request) -> ThreadListing:
    """Return what lists some threads."""
    listing: ThreadListing = request.app.state.listing
    return listing


def _member(given: str) -> tuple[str, str]:
    key, _, value = given.partition("=")
    return key, value
