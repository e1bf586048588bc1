"""The graph as blocking code sees it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from aeterna.client import graph_operations as operations
from aeterna.client.bulk import LARGEST, bulk_sessions
from aeterna.client.session import Session
from aeterna.client.sync_erasures import SyncErasures
from aeterna.client.sync_history import SyncHistory
from aeterna.client.sync_questions import SyncQuestions
from aeterna.client.sync_upkeep import SyncUpkeep

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from aeterna.client.graph_operations import AsOf
    from aeterna.client.graph_values import (
        Commit,
        Direction,
        Edge,
        FoundNode,
        Neighborhood,
        Node,
        Path,
        Snapshot,
        Statistics,
    )
    from aeterna.client.sync_runner import SyncRunner


class SyncGraph(SyncQuestions, SyncHistory, SyncErasures, SyncUpkeep):
    """The tenant's graph.

    A read without ``as_of`` sees at least what this client has committed, whichever replica answers.
    """

    def __init__(self, runner: SyncRunner) -> None:
        self._runner = runner
        self._latest: int | None = None  # the seq of the newest session that was committed here

    @contextmanager
    def session(self, session_id: str | None = None) -> Generator[Session]:
        """Gather changes and commit them as one snapshot at the end of the block.

        Nothing is sent when the block raises, or when it changed nothing. Without an id one is drawn, which makes
        this commit safe to retry; give your own to make the whole block safe to run again.
        """
        session = Session(str(uuid4()) if session_id is None else session_id)
        yield session
        if len(session):
            self.commit(session)

    def commit(self, session: Session) -> Commit:
        """Write all of a session in one snapshot, or nothing."""
        committed = self._runner.run(operations.commit(session))
        session.committed = committed
        # A repeated session may be an old one: what was seen once is not forgotten.
        self._latest = max(committed.seq, self._latest or 0)
        return committed

    def ingest(
        self, source: str, nodes: Iterable[Node], edges: Iterable[Edge] = (), *, largest: int = LARGEST
    ) -> Iterator[Commit]:
        """Write any number of nodes and edges, split into sessions; **each session is one snapshot of its own**.

        Nodes go before the edges that name them. A session's id is made from ``source`` and its content, so to
        ingest the same again writes nothing. Iterate to make it go on: each step commits one session.
        """
        for session in bulk_sessions(source, nodes, edges, largest=largest):
            yield self.commit(session)

    def node(self, node_id: str, *, as_of: AsOf | None = None) -> FoundNode:
        """Read one node; raise `NodeNotFoundError`."""
        return self._runner.run(operations.node(node_id, as_of=as_of, fresh_as=self._latest))

    def neighbors(  # noqa: PLR0913 - one argument for each parameter of the API
        self,
        node_id: str,
        *,
        depth: int = 1,
        direction: Direction = "out",
        types: tuple[str, ...] = (),
        kinds: tuple[str, ...] = (),
        where: tuple[str, ...] = (),
        as_of: AsOf | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Neighborhood:
        """Read one page of the nodes within ``depth`` hops; ``types`` narrows the edges that are walked.

        ``kinds`` and ``where`` (``owner=payments``, ``tier<=2``, ``owner``, ``!owner``) narrow the nodes returned.
        """
        return self._runner.run(
            operations.neighbors(
                node_id,
                depth=depth,
                direction=direction,
                types=types,
                kinds=kinds,
                where=where,
                as_of=as_of,
                limit=limit,
                cursor=cursor,
                fresh_as=self._latest,
            )
        )

    def shortest_path(
        self,
        source: str,
        target: str,
        *,
        max_hops: int | None = None,
        direction: Direction = "out",
        types: tuple[str, ...] = (),
        as_of: AsOf | None = None,
    ) -> Path:
        """Read one shortest path; raise `NoPathError` where there is none."""
        return self._runner.run(
            operations.shortest_path(
                source,
                target,
                max_hops=max_hops,
                direction=direction,
                types=types,
                as_of=as_of,
                fresh_as=self._latest,
            )
        )

    def snapshots(self, *, limit: int | None = None) -> tuple[Snapshot, ...]:
        """Read the snapshots that ``as_of`` can name, the newest first."""
        return self._runner.run(operations.snapshots(limit=limit))

    def statistics(self, *, as_of: AsOf | None = None) -> Statistics:
        """Read how large the graph is."""
        return self._runner.run(operations.statistics(as_of=as_of, fresh_as=self._latest))
