"""Full-text search by looking at every node."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aeterna.graph.domain.questions.searches import Hit, Hits, is_name, matched, places, texts_of
from aeterna.graph.domain.questions.words import parts, words

if TYPE_CHECKING:
    from aeterna.graph.domain.changes import Node
    from aeterna.graph.domain.questions.searches import SearchQuery
    from aeterna.graph.testing.state import State

_ID, _NAME, _TEXT = 8.0, 6.0, 1.0


def search(state: State, query: SearchQuery) -> Hits:
    """Return the nodes that hold every term, or any as is asked, those that hold them in their names or often first."""
    scores = {
        node.id: score
        for node in state.nodes.values()
        if (not query.kinds or node.kind in query.kinds) and (score := _score(query, node))
    }
    best = sorted(scores, key=lambda node: (-scores[node], node))[: query.limit]
    hits = tuple(
        Hit(
            id=id_,
            kind=state.nodes[id_].kind,
            score=scores[id_],
            matched=matched(query, id_, state.nodes[id_].properties),
        )
        for id_ in best
    )
    if query.match == "all":
        return Hits(snapshot_id=state.snapshot_id, seq=state.seq, hits=hits)
    return Hits(
        snapshot_id=state.snapshot_id,
        seq=state.seq,
        hits=hits,
        nodes=len(state.nodes),
        holders=tuple(
            sum(_score(replace(query, terms=(term,)), node) > 0 for node in state.nodes.values())
            for term in query.terms
        ),
    )


def _score(query: SearchQuery, node: Node) -> float:
    fields = [(_ID, str(node.id))]
    fields += [(_NAME if is_name(path) else _TEXT, text) for path, text in texts_of(node.properties)]
    streams = [(weight, list(split(text))) for weight, text in fields for split in (words, parts)]
    found = [sum(weight * len(list(places(term, stream))) for weight, stream in streams) for term in query.terms]
    return sum(found) if query.match == "any" or all(found) else 0.0
