"""Which nodes are around some nodes, and every edge between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aeterna.graph.domain.changes import Edge
from aeterna.graph.domain.queries import NeighborFound
from aeterna.graph.domain.questions.filters import satisfied
from aeterna.graph.domain.questions.subgraphs import Subgraph
from aeterna.graph.errors import NodeNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.adapters.lens.adjacency import Bools, Ints
    from aeterna.graph.adapters.lens.asking import Asking
    from aeterna.graph.domain.questions.filters import Condition
    from aeterna.graph.domain.questions.subgraphs import SubgraphQuery

_LOOKED_AT = 1_000  # nodes whose properties are read before the clock is looked at again


def subgraph(asking: Asking, query: SubgraphQuery) -> Subgraph:
    """Return the nodes around the seeds and every edge between them."""
    state = asking.state
    types = state.wanted_types(query.types)
    chosen, more_nodes = _nodes(asking, query, _layers(asking, query, types))
    numbers = np.concatenate([layer for _, layer in chosen])
    edges, more_edges = _edges_between(asking, numbers, types, query.edges)
    asking.check()
    found = zip(state.keys(edges), state.edge_properties(edges), strict=True)
    return Subgraph(
        snapshot_id=state.snapshot.id if state.snapshot else None,
        seq=state.snapshot.last_seq if state.snapshot else 0,
        nodes=tuple(
            NeighborFound(id=id_, kind=kind, properties=properties, depth=depth)
            for depth, layer in chosen
            for id_, kind, properties in zip(
                state.ids(layer), state.kinds_of(layer), state.node_properties(layer), strict=True
            )
        ),
        edges=tuple(Edge(key=key, properties=properties) for key, properties in found),
        more_nodes=more_nodes,
        more_edges=more_edges,
    )


def _layers(asking: Asking, query: SubgraphQuery, types: Bools | None) -> list[Ints]:
    """Return the seeds, then the nodes that are first reached after one step, two steps and so on."""
    topology = asking.state.topology
    seeds = asking.state.numbers(query.seeds)
    if (seeds < 0).any():
        raise NodeNotFoundError(query.seeds[int(np.argmin(seeds))])
    seen = np.zeros(len(topology.kinds), dtype=np.bool_)
    seen[seeds] = True
    layers = [seeds]
    for _ in range(query.depth):
        asking.check()
        _, arrivals, _ = topology.steps(layers[-1], query.direction, types)
        reached = np.unique(arrivals[~seen[arrivals]])
        if len(reached) == 0:
            break
        seen[reached] = True
        layers.append(reached)
    return layers


def _nodes(asking: Asking, query: SubgraphQuery, layers: list[Ints]) -> tuple[list[tuple[int, Ints]], bool]:
    """Return the nodes that are wanted by depth, in order of their ids, and whether the limit left some out."""
    state, kinds = asking.state, asking.state.wanted_kinds(query.kinds)
    chosen = [(0, state.in_order(layers[0]))]
    room = query.nodes - len(layers[0])
    for depth, layer in enumerate(layers[1:], start=1):
        asking.check()
        ordered = state.in_order(layer if kinds is None else layer[kinds[state.topology.kinds[layer]]])
        # One more than there is room for, which shows that there are more.
        wanted = first_satisfying(asking, query.where, ordered, room + 1) if query.where else ordered[: room + 1]
        if len(wanted):
            chosen.append((depth, wanted[:room]))
        if len(wanted) > room:
            return chosen, True
        room -= len(wanted)
    return chosen, False


def first_satisfying(asking: Asking, where: Sequence[Condition], numbers: Ints, most: int) -> Ints:
    """Return the first of the nodes whose properties meet the conditions, ``most`` of them or fewer."""
    found: list[int] = []
    for start in range(0, len(numbers), _LOOKED_AT):
        asking.check()
        some = numbers[start : start + _LOOKED_AT]
        properties = asking.state.node_properties(some)
        found += [number for number, each in zip(some.tolist(), properties, strict=True) if satisfied(where, each)]
        if len(found) >= most:
            break
    return np.array(found[:most], dtype=np.int32)


def _edges_between(asking: Asking, nodes: Ints, types: Bools | None, most: int) -> tuple[Ints, bool]:
    """Return the edges between the nodes in the order of their keys, and whether there are more than ``most``."""
    state, topology = asking.state, asking.state.topology
    here = np.zeros(len(topology.kinds), dtype=np.bool_)
    here[nodes] = True
    # From a node's rarer side each edge is seen once all the same: every one leaves exactly one of the nodes.
    _, arrivals, edges = topology.steps(nodes, "out", types)
    between = edges[here[arrivals]]
    asking.check()
    keys = state.keys(between)
    order = np.array(sorted(range(len(keys)), key=keys.__getitem__), dtype=np.int64)
    return between[order[:most]], len(between) > most
