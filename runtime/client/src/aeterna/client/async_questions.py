"""The questions that asynchronous code may ask about more than one node's surroundings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client import question_operations as operations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aeterna.client.async_runner import AsyncRunner
    from aeterna.client.graph_operations import AsOf
    from aeterna.client.graph_values import Direction
    from aeterna.client.json_value import JsonValue
    from aeterna.client.question_values import Hits, Matches, Related, Subgraph


class AsyncQuestions:
    """The part of the graph that `AsyncGraph` has for long questions."""

    _runner: AsyncRunner
    _latest: int | None

    async def subgraph(  # noqa: PLR0913 - one argument for each parameter of the API
        self,
        seeds: Sequence[str],
        *,
        depth: int = 1,
        direction: Direction = "both",
        types: tuple[str, ...] = (),
        kinds: tuple[str, ...] = (),
        where: tuple[str, ...] = (),
        max_nodes: int | None = None,
        max_edges: int | None = None,
        as_of: AsOf | None = None,
    ) -> Subgraph:
        """Read the nodes within ``depth`` hops of the seeds, and every edge between them."""
        return await self._runner.run(
            operations.subgraph(
                seeds,
                depth=depth,
                direction=direction,
                types=types,
                kinds=kinds,
                where=where,
                max_nodes=max_nodes,
                max_edges=max_edges,
                as_of=as_of,
                fresh_as=self._latest,
            )
        )

    async def related(
        self,
        node_id: str,
        *,
        types: tuple[str, ...] = (),
        kinds: tuple[str, ...] = (),
        limit: int | None = None,
        as_of: AsOf | None = None,
    ) -> Related:
        """Read the nodes that are most like one by what they are joined to, and why."""
        return await self._runner.run(
            operations.related(node_id, types=types, kinds=kinds, limit=limit, as_of=as_of, fresh_as=self._latest)
        )

    async def query(
        self, pattern: Mapping[str, JsonValue], *, cursor: str | None = None, as_of: AsOf | None = None
    ) -> Matches:
        """Read one page of what fits a pattern, which is JSON as the HTTP API takes it."""
        return await self._runner.run(operations.matches(pattern, cursor=cursor, as_of=as_of, fresh_as=self._latest))

    async def search(
        self, text: str, *, kinds: tuple[str, ...] = (), limit: int | None = None, as_of: AsOf | None = None
    ) -> Hits:
        """Read the nodes that hold all words of ``text``: words, "a phrase", or a beginning*."""
        return await self._runner.run(
            operations.search(text, kinds=kinds, limit=limit, as_of=as_of, fresh_as=self._latest)
        )
