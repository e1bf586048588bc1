"""Loads a corpus through the public API, so that the graph holds what the source holds now.

The root node carries the digest of what is loaded. The same content again writes nothing; other content is written
under new session ids, what the source no longer holds is removed, and the root is stamped last. A load that was cut
short left the old stamp, so the next one repeats it, and the session ids make the repetition harmless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from aeterna.cli.corpus.corpus import DIGEST, LOAD
from aeterna.client import NodeNotFoundError, Session, SnapshotNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aeterna.cli.corpus.corpus import Corpus
    from aeterna.client import Aeterna, Commit, Edge, Node

REMOVALS = 5_000
"""Removals in one session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did."""

    source: str
    root: str
    nodes: int
    edges: int
    removed: int
    snapshots: int
    """How many snapshots the load made; none when the content was loaded already."""


def load(aeterna: Aeterna, corpus: Corpus, committed: Callable[[Commit], None]) -> Loaded:
    """Make the graph hold the corpus; ``committed`` hears of each session."""
    kept = _root(aeterna, corpus.root.id)
    snapshots, removed = 0, 0
    if kept is None or kept.properties.get(DIGEST) != corpus.digest():
        number = _load_number(kept) + 1
        stale_nodes, stale_edges = _stale(aeterna, corpus) if kept else ((), ())
        removed = len(stale_nodes) + len(stale_edges)
        for session in _sessions(aeterna, corpus, number, stale_nodes, stale_edges):
            committed(session)
            snapshots += 1
    return Loaded(
        source=corpus.source,
        root=corpus.root.id,
        nodes=len(corpus.nodes) + 1,
        edges=len(corpus.edges),
        removed=removed,
        snapshots=snapshots,
    )


def _sessions(
    aeterna: Aeterna, corpus: Corpus, number: int, stale_nodes: tuple[str, ...], stale_edges: tuple[Edge, ...]
) -> Iterator[Commit]:
    source = f"{corpus.source}:{number}"
    # The root is named by edges, so it goes first as it was, and is stamped only when all the rest is there.
    yield from aeterna.graph.ingest(source, (_unstamped(corpus, number), *corpus.nodes), corpus.edges)
    edges, batch = iter(stale_edges), 0
    while chunk := list(islice(edges, REMOVALS)):
        session = Session(f"{source}:remove-edges:{batch}")
        for edge in chunk:
            session.remove_edge(edge.source, edge.type, edge.target)
        yield aeterna.graph.commit(session)
        batch += 1
    final = Session(f"{source}:complete:{corpus.digest()[:32]}")
    for node_id in stale_nodes:
        final.remove_node(node_id)
    final.write(corpus.stamped(number))
    yield aeterna.graph.commit(final)


def _unstamped(corpus: Corpus, number: int) -> Node:
    return replace(corpus.root, properties={**corpus.root.properties, LOAD: number - 1})


def _root(aeterna: Aeterna, root: str) -> Node | None:
    try:
        return aeterna.graph.node(root).node
    except (NodeNotFoundError, SnapshotNotFoundError):
        return None


def _load_number(root: Node | None) -> int:
    number = root.properties.get(LOAD) if root else None
    return number if isinstance(number, int) else 0


def _stale(aeterna: Aeterna, corpus: Corpus) -> tuple[tuple[str, ...], tuple[Edge, ...]]:
    """Return what the graph holds of the source that the source does not hold any more."""
    current = {corpus.root.id, *(node.id for node in corpus.nodes)}
    linked = {(edge.source, edge.type, edge.target) for edge in corpus.edges}
    nodes: dict[str, None] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    cursor: str | None = None
    while True:
        page = aeterna.graph.neighbors(corpus.root.id, depth=corpus.depth, types=corpus.types, cursor=cursor)
        nodes.update(dict.fromkeys(node_id for node_id in page.ids if node_id not in current))
        for edge in page.edges:
            key = (edge.source, edge.type, edge.target)
            if key not in linked:
                edges[key] = edge
        cursor = page.next_cursor
        if cursor is None:
            return tuple(nodes), tuple(edges.values())
