"""Divides a graph among the communities of its hierarchy: for each the material that its report is made of."""

from __future__ import annotations

import heapq
import itertools
import json
import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.report_digests import own_digest
from aeterna.knowledge.domain.report_plans import Outline
from aeterna.knowledge.domain.reports import Material, Member, Passage, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from aeterna.graph.domain.changes import Edge, Node
    from aeterna.knowledge.domain.documents import Unit

Levels: TypeAlias = "Sequence[Mapping[str, CommunityId]]"
"""For each level, the coarsest first, the community of every node; an id is of one community of one level."""

TEXT_UNIT: Final = "TextUnit"
_MOST_MEMBERS: Final = 30
_MOST_RELATIONS: Final = 60


@dataclass(slots=True, kw_only=True)
class _Community:
    """What is gathered of one community: its own nodes at the finest level, and the edges that only it holds whole."""

    level: int
    nodes: list[str] = field(default_factory=list[str])
    relations: list[Relation] = field(default_factory=list[Relation])
    children: list[CommunityId] = field(default_factory=list[CommunityId])


class GraphMaterials:
    """The materials of a whole graph, held in memory.

    An edge belongs to the smallest community that holds both of its ends. So above the finest level a material has what
    relates its children, and of their members only the most central, by all edges within.
    """

    def __init__(
        self, nodes: Iterable[Node], relations: Iterable[Relation], levels: Levels, units: Iterable[Unit]
    ) -> None:
        """Take the ``units`` of documents: a node of the graph may call itself one, and quote what nobody wrote."""
        self._passages = {f"unit:{unit.id}": passage_of(unit) for unit in units}
        self._nodes: dict[str, Node] = {node.id: node for node in nodes}
        self._finest = len(levels) - 1
        self._communities: dict[CommunityId, _Community] = {}
        for level, membership in enumerate(levels):
            for community in membership.values():
                self._communities.setdefault(community, _Community(level=level))
        self._take_nodes(levels)
        self._take_relations(relations, levels)
        self._members: dict[CommunityId, tuple[Member, ...]] = {}
        self._weigh()

    def outlines(self) -> Iterator[Outline]:
        """Give out what planning has to know of each community."""
        for community, held in self._communities.items():
            material = self.material(community)
            yield Outline(
                community=community,
                level=held.level,
                own=own_digest(material),
                children=tuple(sorted(held.children)),
                places={one.unit: one.span.start for one in material.passages},
            )

    def material(self, community: CommunityId) -> Material:
        """Return the material of a community, without the reports of its children."""
        held = self._communities[community]
        relations = sorted(held.relations, key=lambda one: (-one.weight, one.source, one.type, one.target))
        return Material(
            community=community,
            level=held.level,
            members=self._members[community],
            relations=tuple(relations if held.level == self._finest else relations[:_MOST_RELATIONS]),
            passages=tuple(self._passages[node] for node in held.nodes if node in self._passages),
        )

    def _take_nodes(self, levels: Levels) -> None:
        known: set[CommunityId] = set()
        for node in sorted(levels[-1]) if levels else ():
            self._communities[levels[-1][node]].nodes.append(node)
            path = [membership[node] for membership in levels]
            for parent, child in itertools.pairwise(path):
                if child not in known:
                    known.add(child)
                    self._communities[parent].children.append(child)

    def _take_relations(self, relations: Iterable[Relation], levels: Levels) -> None:
        for relation in relations:
            smallest = None
            for membership in levels:
                community = membership.get(relation.source)
                if community is None or membership.get(relation.target) != community:
                    break
                smallest = community
            if smallest is not None and relation.source != relation.target:
                self._communities[smallest].relations.append(relation)

    def _weigh(self) -> None:
        weights: dict[str, float] = defaultdict(float)
        for community, held in sorted(self._communities.items(), key=lambda one: (-one[1].level, one[0])):
            parts: dict[str, list[float]] = defaultdict(list)
            for relation in held.relations:
                parts[relation.source].append(relation.weight)
                parts[relation.target].append(relation.weight)
            # Exactly rounded sums: those of floats would depend on the order in which edges are found.
            for node, found in parts.items():
                weights[node] = math.fsum((weights[node], math.fsum(found)))
            below = {member.id for child in held.children for member in self._members[child]}
            candidates = held.nodes if held.level == self._finest else sorted(below | parts.keys())
            members = [self._member(node, weights[node]) for node in candidates]
            if held.level != self._finest:
                entities = (member for member in members if member.kind != TEXT_UNIT)
                members = heapq.nsmallest(_MOST_MEMBERS, entities, key=lambda one: (-one.weight, one.id))
            self._members[community] = tuple(members)

    def _member(self, id_: str, weight: float) -> Member:
        node = self._nodes.get(id_)
        name = properties_of(node).get("name") if node is not None else None
        shown = name if isinstance(name, str) and name else id_
        return Member(id=id_, kind=node.kind if node is not None else "", name=shown, weight=weight)


def properties_of(node: Node) -> Mapping[str, object]:
    """Return the properties of a node of the graph."""
    return cast("dict[str, object]", json.loads(node.properties))


def relation_of(edge: Edge) -> Relation:
    """Return an edge of the graph as reports see it."""
    source, type_, target = edge.key
    return Relation(source=source, type=type_, target=target, weight=weight_of(edge))


def weight_of(edge: Edge) -> float:
    """Return how strong an edge is: its property ``weight`` where that is a number above zero, else 1."""
    if '"weight"' not in edge.properties:
        return 1.0
    weight = cast("dict[str, object]", json.loads(edge.properties)).get("weight")
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        return 1.0
    return float(weight)


def passage_of(unit: Unit) -> Passage:
    """Return a unit as reports see it."""
    return Passage(
        unit=unit.id,
        document=unit.document,
        span=unit.span,
        heading=unit.heading,
        text=unit.text,
        suspicious=bool(unit.suspicious),
    )
