"""The search in memory, over the conversations of the fake store."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from aeterna.threads.domain.conversation import Position, TextPart
from aeterna.threads.domain.search import Hit, HitPage, SearchPlace, ThreadsFound, plain
from aeterna.threads.errors import SearchInvalidError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import Message
    from aeterna.threads.domain.search import Search, ThreadFilter
    from aeterna.threads.testing.conversations import FakeThreadStore


class FakeThreadSearch:
    """A `ThreadSearch` that reads every message; what was appended can be found at once.

    Of the language of queries it knows words, phrases in quotation marks, and what is left out by a hyphen.
    """

    def __init__(self, store: FakeThreadStore) -> None:
        self._store = store

    async def search(self, tenant: TenantId, search: Search, *, after: SearchPlace | None, limit: int) -> HitPage:
        """See `ThreadSearch.search`."""
        now = self._store.now()
        pieces = re.findall(r'(-?)(?:"([^"]*)"|(\S+))', search.words)
        terms = [(sign == "-", _words(phrase or word)) for sign, phrase, word in pieces]
        if not any(words and not out for out, words in terms):
            raise SearchInvalidError("nothing to look for")
        found = sorted(
            (
                (SearchPlace(created_at=message.created_at, thread_id=thread_id, seq=message.seq), message)
                for thread_id, message in self._store.said(tenant)
                if search.within in {None, thread_id}
                and (search.since is None or message.created_at >= search.since)
                and all(_holds(_words(_text(message)), words) is not out for out, words in terms if words)
            ),
            key=lambda each: each[0],
            reverse=True,
        )
        rest = [each for each in found if after is None or each[0] < after]
        hits = tuple(
            Hit(place=place, role=message.role, author=message.author, snippet=plain(_text(message)))
            for place, message in rest[:limit]
        )
        return HitPage(hits=hits, next_place=hits[-1].place if len(rest) > limit else None, searchable_until=now)


class FakeThreadListing:
    """A `ThreadListing` that looks at every thread."""

    def __init__(self, store: FakeThreadStore) -> None:
        self._store = store

    async def find(self, tenant: TenantId, wanted: ThreadFilter, *, after: Position | None, limit: int) -> ThreadsFound:
        """See `ThreadListing.find`."""
        rest = await self._store.threads(tenant, after=after, limit=sys.maxsize)
        found = [thread for thread in rest if wanted.fits(thread)]
        page = tuple(found[:limit])
        more = len(found) > limit
        place = Position(created_at=page[-1].created_at, thread_id=page[-1].thread_id) if more else None
        return ThreadsFound(threads=page, next_place=place)


def _text(message: Message) -> str:
    return "\n".join(part.text for part in message.parts if isinstance(part, TextPart))


def _words(text: str) -> Sequence[str]:
    return re.findall(r"\w+", text.lower())


def _holds(text: Sequence[str], phrase: Sequence[str]) -> bool:
    return any(text[place : place + len(phrase)] == phrase for place in range(len(text) - len(phrase) + 1))
