"""Finds the communities of one graph with another library, in a process and an environment of its own.

usage: python knowledge_peers.py LIBRARY GRAPH.npz COMMUNITY.npy

It begins with arrays and ends with arrays: what a library wants to be given and what it gives back is part of what it
costs, and is told apart.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from knowledge_steps import MAX_SIZE, SEED, Steps, names, read

if TYPE_CHECKING:
    from knowledge_steps import Edges, Ints


def graspologic(graph: Edges) -> tuple[Ints, dict[str, object]]:
    """Run graspologic-native's hierarchical Leiden, which wants a list of pairs of texts."""
    library: Any = importlib.import_module("graspologic_native")  # Any: it ships no types
    nodes, source, target, weight = graph
    ids = names(nodes)
    steps = Steps()
    ends = zip(source.tolist(), target.tolist(), weight.tolist(), strict=True)
    edges: list[tuple[str, str, float]] = [(ids[one], ids[other], each) for one, other, each in ends]
    steps.done("give")
    found: list[Any] = library.hierarchical_leiden(edges, max_cluster_size=MAX_SIZE, seed=SEED)
    steps.done("run")
    place = {id_: number for number, id_ in enumerate(ids)}
    levels = np.full((1 + max(entry.level for entry in found), nodes), -1, dtype=np.int64)
    for entry in found:
        levels[entry.level, place[entry.node]] = entry.cluster
    steps.done("take")
    told = {**steps.told(), "communities": [len(np.unique(level[level >= 0])) for level in levels]}
    alone = np.flatnonzero(levels[0] < 0)  # nodes without edges are in none
    levels[0, alone] = levels.max() + 1 + np.arange(len(alone))
    return levels[0], told


def networkit(graph: Edges) -> tuple[Ints, dict[str, object]]:
    """Run networkit's parallel Leiden, which gives one level."""
    library: Any = importlib.import_module("networkit")  # Any: it ships no types
    nodes, source, target, weight = graph
    library.setSeed(SEED, False)
    steps = Steps()
    given = library.GraphFromCoo((weight, (source, target)), n=nodes, weighted=True, directed=False)
    steps.done("give")
    leiden = library.community.ParallelLeiden(given)
    leiden.run()
    steps.done("run")
    community = np.array(leiden.getPartition().getVector(), dtype=np.int64)
    steps.done("take")
    return community, {**steps.told(), "communities": [len(np.unique(community))]}


LIBRARIES = {"graspologic": graspologic, "networkit": networkit}


def main(arguments: list[str]) -> None:
    """Measure and print."""
    library, graph, community = arguments
    found, told = LIBRARIES[library](read(graph))
    np.save(community, found)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
