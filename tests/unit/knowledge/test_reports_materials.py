"""A graph is divided among its communities: each edge counts in one of them, and passages are of documents alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import edge_of, node_of
from aeterna.knowledge.domain.communities import CommunityId
from aeterna.knowledge.domain.documents import DocumentId, Span, Unit, UnitId
from aeterna.knowledge.domain.materials import GraphMaterials, relation_of, weight_of
from aeterna.knowledge.domain.reports import Relation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.graph.domain.changes import JsonValue


def materials(levels: Sequence[str], edges: Sequence[tuple[str, str, float]]) -> GraphMaterials:
    """Return those of nodes a, b, c …; each level names the community of each node by a letter."""
    names = "abcdefgh"[: len(levels[0])]
    memberships = [
        {name: CommunityId(f"{level}{letter}") for name, letter in zip(names, row, strict=True)}
        for level, row in enumerate(levels)
    ]
    relations = [Relation(source=one, type="is", target=other, weight=weight) for one, other, weight in edges]
    return GraphMaterials([node_of(name, "Term", {"name": name}) for name in names], relations, memberships, [])


def test_an_edge_belongs_to_the_smallest_community_that_holds_both_of_its_ends() -> None:
    found = materials(["xxxx", "ppqq"], [("a", "b", 2.0), ("b", "c", 3.0), ("c", "d", 4.0)])

    tied = {
        community: [(one.source, one.target) for one in found.material(CommunityId(community)).relations]
        for community in ("1p", "1q", "0x")
    }
    assert tied == {"1p": [("a", "b")], "1q": [("c", "d")], "0x": [("b", "c")]}


def test_a_member_weighs_what_its_edges_within_the_community_weigh() -> None:
    found = materials(["xxxx", "ppqq"], [("a", "b", 2.0), ("b", "c", 3.0), ("c", "d", 4.0)])

    weights = {
        community: {one.id: one.weight for one in found.material(CommunityId(community)).members}
        for community in ("1p", "0x")
    }
    assert weights == {"1p": {"a": 2.0, "b": 2.0}, "0x": {"c": 7.0, "b": 5.0, "d": 4.0, "a": 2.0}}


def test_weights_do_not_depend_on_the_order_in_which_edges_are_found() -> None:
    edges = [("a", "b", 0.1), ("a", "c", 0.2), ("a", "d", 0.3), ("b", "a", 0.7), ("c", "a", 1e15)]

    one, other = (materials(["xxxx"], order).material(CommunityId("0x")) for order in (edges, edges[::-1]))

    assert one.members == other.members


def test_an_edge_from_a_node_to_itself_or_between_parts_that_nothing_holds_counts_for_nothing() -> None:
    found = materials(["xy"], [("a", "a", 9.0), ("a", "b", 9.0)])

    assert [found.material(CommunityId(one)).relations for one in ("0x", "0y")] == [(), ()]


def test_outlines_tell_the_hierarchy() -> None:
    found = materials(["xxyy", "pqrr"], [])

    children = {outline.community: outline.children for outline in found.outlines()}
    assert children == {"0x": ("1p", "1q"), "0y": ("1r",), "1p": (), "1q": (), "1r": ()}


def test_only_what_documents_hold_is_a_passage_whatever_a_node_says_of_itself() -> None:
    """Agents write to the same graph. A citation has to open to what it says; a store keeps no report on the rest."""
    unit = Unit(
        id=UnitId("real"), document=DocumentId("a.md"), span=Span(start=5, end=12), heading=("Guide",), text="A lens."
    )
    lies: dict[str, JsonValue] = {"text": "A lie!!", "document": "a.md", "start": 5, "end": 12}
    nodes = [node_of(name, "TextUnit", lies) for name in ("unit:real", "unit:made-up")]
    levels: list[dict[str, CommunityId]] = [{node.id: CommunityId("c") for node in nodes}]

    (passage,) = GraphMaterials(nodes, [], levels, [unit]).material(CommunityId("c")).passages

    assert (passage.unit, passage.text, passage.span, passage.heading) == ("real", "A lens.", unit.span, ("Guide",))


@pytest.mark.parametrize("weight", [None, "2", True, 0, -1.5, [1]])
def test_a_weight_that_is_none_counts_as_one(weight: JsonValue) -> None:
    assert weight_of(edge_of("a", "is", "b", {"weight": weight})) == 1.0
    assert relation_of(edge_of("a", "is", "b", {"weight": 2.5})).weight == 2.5
