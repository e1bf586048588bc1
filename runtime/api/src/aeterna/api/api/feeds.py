"""The change feed as server-sent events: how many, for how long, how they wait together, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from aeterna.graph.domain.arrow import untyped, where
from aeterna.graph.errors import ChangesExpiredError, FeedsExhaustedError, GraphError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from aeterna.api.ports import FeedObserver
    from aeterna.graph.domain.rows import Rows
    from aeterna.graph.usecases.following import SessionPart

_HEARTBEAT: Final = b": heartbeat\n\n"
_CHUNK_BYTES: Final = 256 << 10  # as much is written at a time as one slow reader may hold up

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """How often a quiet feed says so, how long one lasts, how many a process holds, and how soon news is seen."""

    heartbeat: timedelta = timedelta(seconds=15)
    lifetime: timedelta = timedelta(minutes=10)
    most: int = 500
    look_every: timedelta = timedelta(seconds=1)


class Followable(Protocol):
    """What a feed follows: `aeterna.graph.usecases.following.Following` says what each does."""

    def newest(self) -> int:
        """Look, and return the newest position."""
        ...

    def check(self, after: int) -> None:
        """Raise what forbids to follow from a position."""
        ...

    def after(self, after: int) -> Iterator[SessionPart]:
        """Read on behind a position, a bounded piece of the history at a time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    data: bytes
    position: int
    more: bool


class Feeds:
    """The feeds of one process. Those of one tenant share one look at the catalog, and what is read for one of them."""

    def __init__(self, limits: FeedLimits, observer: FeedObserver) -> None:
        self._limits = limits
        self._observer = observer
        self._watches: dict[str, _Watch] = {}
        self.count = 0

    async def open(
        self, tenant: str, following: Followable, *, after: int | None, draining: Callable[[], bool]
    ) -> AsyncGenerator[bytes]:
        """Return the bytes of a feed behind a position, the present one without it; or raise what would end it at once.

        That is `FeedsExhaustedError`, `ChangesExpiredError`, `InvalidQueryError` or the storage out of reach.
        """
        if self.count >= self._limits.most:
            raise FeedsExhaustedError(self._limits.most)
        if after is None:
            after = await asyncio.to_thread(following.newest)
        else:
            await asyncio.to_thread(following.check, after)
        return self._events(tenant, following, after, draining)

    async def _events(
        self, tenant: str, following: Followable, after: int, draining: Callable[[], bool]
    ) -> AsyncGenerator[bytes]:
        time = asyncio.get_running_loop().time
        end = time() + self._limits.lifetime.total_seconds()
        position = after
        async with self._watched(tenant, following) as news:
            # Sent at once: it carries the headers out, and the position to those who began at the present one.
            yield f"retry: 1000\nid: {position}\n\n".encode()
            try:
                while True:
                    news.clear()
                    behind = await asyncio.to_thread(following.after, position)
                    sent = False
                    chunk = await asyncio.to_thread(_chunk, behind, position)
                    while chunk.data:
                        # Waits for as long as the reader takes: nothing more is read for it meanwhile.
                        yield chunk.data
                        self._observer.taken(len(chunk.data))
                        sent, position = True, chunk.position
                        if not chunk.more:
                            break
                        chunk = await asyncio.to_thread(_chunk, behind, position)
                    if draining() or time() >= end:
                        return
                    if not sent and not await self._wait(news, end - time()):
                        yield _HEARTBEAT
            except GraphError as problem:
                # The status is long sent. The client's return is answered with the problem itself.
                log.warning("graph.feed_ended", extra={"code": problem.code})
                self._observer.failed(problem.code)
                if isinstance(problem, ChangesExpiredError):
                    yield _problem(problem)

    async def _wait(self, news: asyncio.Event, left: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, min(left, self._limits.heartbeat.total_seconds()))):
                await news.wait()
        except TimeoutError:
            return False
        return True

    @asynccontextmanager
    async def _watched(self, tenant: str, following: Followable) -> AsyncGenerator[asyncio.Event]:
        watch = self._watches.get(tenant)
        if watch is None:
            watch = self._watches[tenant] = _Watch(following, self._limits.look_every)
        self.count += 1
        self._observer.opened()
        event = asyncio.Event()
        watch.events.add(event)
        try:
            yield event
        finally:
            self.count -= 1
            self._observer.closed()
            watch.events.discard(event)
            if not watch.events and self._watches.get(tenant) is watch:
                del self._watches[tenant]
                watch.task.cancel()


class _Watch:
    """Looks for one tenant's news, for everybody who follows it."""

    def __init__(self, following: Followable, every: timedelta) -> None:
        self.events: set[asyncio.Event] = set()
        self._following = following
        self._every = every.total_seconds()
        self.task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        known: int | None = None
        while True:
            newest: int | None = None
            # A catalog that is away wakes everybody: who reads on learns what is wrong.
            with contextlib.suppress(GraphError):
                newest = await asyncio.to_thread(self._following.newest)
            if newest is None or newest != known:
                known = newest
                for event in self.events:
                    event.set()
            await asyncio.sleep(self._every)


def _chunk(parts: Iterator[SessionPart], position: int) -> _Chunk:
    """Write events until they are enough for once; the position is behind the last complete session among them."""
    events: list[bytes] = []
    size = 0
    for part in parts:
        events.append(_event(part))
        size += len(events[-1])
        position = part.seq if part.last else position
        if size >= _CHUNK_BYTES:
            return _Chunk(data=b"".join(events), position=position, more=True)
    return _Chunk(data=b"".join(events), position=position, more=False)


def _event(part: SessionPart) -> bytes:
    nodes, edges = part.rows.filter(where("record", "node")), part.rows.filter(where("record", "edge"))
    text = ",".join(
        [
            f'"seq":{part.seq}',
            f'"session_id":{json.dumps(part.session_id)}',
            f'"committed_at":{json.dumps(part.committed_at.isoformat())}',
            f'"part":{part.number}',
            f'"last":{json.dumps(part.last)}',
            f'"nodes":[{_written(nodes, ("id", "kind"))}]',
            f'"edges":[{_written(edges, ("source", "type", "target"))}]',
            f'"removed":{json.dumps(_removed(nodes, edges), separators=(",", ":"))}',
        ]
    )
    # Only a complete session is a position: whoever loses the connection within one gets all of it again.
    id_ = f"id: {part.seq}\n" if part.last else ""
    return f"{id_}event: changes\ndata: {{{text}}}\n\n".encode()


def _written(rows: Rows, names: tuple[str, ...]) -> str:
    """Write what was upserted; its properties are canonical JSON already, which holds no line break."""
    kept = untyped(rows.filter(where("op", "upsert")).select([*names, "properties"])).to_pylist()
    return ",".join(
        "{"
        + ",".join(f'"{name}":{json.dumps(row[name])}' for name in names)
        + f',"properties":{row["properties"] or "{}"}}}'
        for row in kept
    )


def _removed(nodes: Rows, edges: Rows) -> dict[str, object]:
    gone = edges.filter(where("op", "delete")).select(["source", "type", "target"])
    return {"nodes": nodes.filter(where("op", "delete"))["id"].to_pylist(), "edges": untyped(gone).to_pylist()}


def _problem(problem: ChangesExpiredError) -> bytes:
    data = {"code": problem.code, "detail": str(problem), "oldest": problem.oldest}
    return f"event: problem\ndata: {json.dumps(data)}\n\n".encode()
