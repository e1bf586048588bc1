"""Finds the communities of one graph, and again after a change, in a process of its own; prints what that took.

usage: python knowledge_detection.py GRAPH.npz COMMUNITY.npy [LATER.npz]

``COMMUNITY`` gets the coarsest community of each node.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
from knowledge_steps import MAX_SIZE, SEED, Steps, names, read

from aeterna.graph.domain.identifiers import NodeId
from aeterna.knowledge.adapters.communities.detector import IgraphCommunityDetector
from aeterna.knowledge.domain.communities import Hierarchy, Parameters, Topology
from aeterna.knowledge.domain.hierarchies import earlier_of
from aeterna.knowledge.domain.naming import named

if TYPE_CHECKING:
    from knowledge_steps import Edges

DETECTOR = IgraphCommunityDetector()
PARAMETERS = Parameters(max_size=MAX_SIZE, seed=SEED)


def topology_of(graph: Edges) -> Topology:
    """Return the graph as `Graph.topology` gives it."""
    nodes, source, target, weight = graph
    return Topology(ids=tuple(map(NodeId, names(nodes))), sources=source, targets=target, weights=weight)


def again(before: Topology, hierarchy: Hierarchy, now: Topology) -> dict[str, object]:
    """Find the communities of a graph that changed, from those before and from nothing."""
    steps = Steps()
    earlier = earlier_of(before, [level.community for level in hierarchy.levels], now)
    steps.done("compare")
    carried = DETECTOR.detect(now, PARAMETERS, earlier=earlier)
    steps.done("from_earlier")
    anew = DETECTOR.detect(now, PARAMETERS)
    steps.done("from_nothing")
    then = named(hierarchy, before.ids, None, seq=1)
    there = named(carried, now.ids, then, seq=2)
    pairs = zip(then.mappings(), there.mappings(), strict=False)
    whole = steps.cpu("from_nothing")
    return {
        **steps.told(),
        "edges_changed": len(earlier.changed[0]),
        "cpu_share": round(steps.cpu("from_earlier") / whole, 3),
        "cpu_share_with_comparing": round((steps.cpu("compare") + steps.cpu("from_earlier")) / whole, 3),
        "modularity_from_earlier": round(carried.quality, 5),
        "modularity_from_nothing": round(anew.quality, 5),
        "members_that_keep_their_community": [
            round(float(np.mean([new[node] == old[node] for node in old])), 4) for old, new in pairs
        ],
    }


def main(arguments: list[str]) -> None:
    """Measure and print."""
    graph, community, *later = arguments
    topology = topology_of(read(graph))
    steps = Steps()
    hierarchy = DETECTOR.detect(topology, PARAMETERS)
    steps.done("run")
    told = {**steps.told(), "communities": [int(level.community.max()) + 1 for level in hierarchy.levels]}
    if later:
        told["change"] = again(topology, hierarchy, topology_of(read(later[0])))
    np.save(community, hierarchy.levels[0].community)
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
