"""Communities of one graph by igraph's Leiden, the same for the same graph wherever and whenever it is computed.

Traag, Waltman, van Eck: From Louvain to Leiden (2019). Modularity, run until nothing moves.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import igraph

if TYPE_CHECKING:
    from collections.abc import Iterable

SEED: Final = 20261122
_UNTIL_STABLE: Final = -1
# Any: igraph ships no types; what leaves this module has them.
_igraph: Any = igraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Communities:
    """A partition: each node's community, numbered from 0 by size, and the modularity of the whole."""

    of: Mapping[str, int]
    modularity: float | None  # None without edges, where it is not defined


def communities(nodes: Iterable[str], edges: Iterable[tuple[str, str, float]], *, seed: int = SEED) -> Communities:
    """Find the communities of a graph whose edges are (source, target, weight).

    Directions and loops do not count; parallel edges count with the sum of their weights. Names are sorted first,
    since Leiden depends on the order in which it meets them.
    """
    weights: defaultdict[tuple[str, str], float] = defaultdict(float)
    names = set(nodes)
    for source, target, weight in edges:
        names.update((source, target))
        if source != target:
            weights[(min(source, target), max(source, target))] += weight
    ordered = sorted(names)
    number = {name: place for place, name in enumerate(ordered)}
    pairs = sorted(weights)
    if not pairs:
        return Communities(of=number, modularity=None)
    graph = _igraph.Graph(n=len(ordered), edges=[(number[one], number[other]) for one, other in pairs])
    graph.es["weight"] = [weights[pair] for pair in pairs]
    _igraph.set_random_number_generator(random.Random(seed))  # noqa: S311 - repeatable, not secret
    found = graph.community_leiden(objective_function="modularity", weights="weight", n_iterations=_UNTIL_STABLE)
    return Communities(of=_by_size(ordered, found.membership), modularity=float(found.modularity))


def _by_size(names: list[str], membership: list[int]) -> dict[str, int]:
    members: defaultdict[int, list[str]] = defaultdict(list)
    for name, community in zip(names, membership, strict=True):
        members[community].append(name)
    largest_first = sorted(members.values(), key=lambda group: (-len(group), group[0]))
    return {name: place for place, group in enumerate(largest_first) for name in group}
