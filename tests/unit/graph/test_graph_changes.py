"""Sessions are checked when they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.graph.domain.changes import (
    MAX_CHANGES,
    MAX_PROPERTIES_BYTES,
    JsonValue,
    edge_key_of,
    edge_of,
    node_of,
    removed_node_of,
    session_of,
)
from aeterna.graph.errors import InvalidSessionError, SessionTooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable


def nested(levels: int) -> dict[str, JsonValue]:
    """Return properties of that depth."""
    return {"deeper": nested(levels - 1)} if levels else {}


@pytest.mark.parametrize(
    ("case", "make", "field"),
    [
        ("an id has at least one character", lambda: node_of("", "K"), "node.id"),
        ("an id has at most 512 characters", lambda: node_of("x" * 513, "K"), "node.id"),
        ("an id holds no line feed", lambda: node_of("a\nb", "K"), "node.id"),
        ("an id holds no NUL", lambda: node_of("a\0b", "K"), "node.id"),
        ("an id holds no lone surrogate", lambda: node_of("\ud800", "K"), "node.id"),
        ("a kind begins with a letter", lambda: node_of("a", "1st"), "node.kind"),
        ("a type holds no space", lambda: edge_of("a", "depends on", "b"), "edge.type"),
        ("both ends of an edge are ids", lambda: edge_of("a", "t", ""), "edge.target"),
        ("a removed node is an id", lambda: removed_node_of("\t"), "remove.nodes"),
        ("properties hold no NaN", lambda: node_of("a", "K", {"x": float("nan")}), "node.properties"),
        ("properties hold no lone surrogate", lambda: node_of("a", "K", {"x": "\udfff"}), "node.properties"),
        ("properties are nested 32 deep at most", lambda: node_of("a", "K", nested(40)), "node.properties"),
        (
            "properties are 64 KiB at most",
            lambda: node_of("a", "K", {"x": "é" * MAX_PROPERTIES_BYTES}),
            "node.properties",
        ),
        ("a session has an id", lambda: session_of("", subject="s", nodes=[node_of("a", "K")]), "session_id"),
        ("a session changes something", lambda: session_of("s", subject="s"), "session"),
        (
            "one node is not written in two ways",
            lambda: session_of("s", subject="s", nodes=[node_of("a", "K"), node_of("a", "L")]),
            "nodes[1]",
        ),
        (
            "a node is not written and removed",
            lambda: session_of("s", subject="s", nodes=[node_of("a", "K")], removed_nodes=[removed_node_of("a")]),
            "remove.nodes",
        ),
        (
            "no edge touches a node that is removed",
            lambda: session_of("s", subject="s", edges=[edge_of("a", "t", "b")], removed_nodes=[removed_node_of("b")]),
            "edges",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_place(case: str, make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidSessionError) as refusal:
        make()

    assert refusal.value.field == field, case


def test_a_session_of_too_many_changes_is_refused() -> None:
    nodes = [node_of(f"n{number}", "K") for number in range(MAX_CHANGES + 1)]

    with pytest.raises(SessionTooLargeError, match="split it"):
        session_of("s", subject="s", nodes=nodes)


@pytest.mark.parametrize("id_", ["a", "svc:checkout", "https://example.org/x?y=z#1", "日本 語", "ü" * 512, "😀"])
def test_ids_are_any_printable_text(id_: str) -> None:
    assert node_of(id_, "K").id == id_


def test_repeating_the_same_change_is_harmless() -> None:
    session = session_of("s", subject="s", nodes=[node_of("a", "K", {"x": 1}), node_of("a", "K", {"x": 1})])

    assert session.changes == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab\0é😀"),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text("xyz"), children, max_size=3),
    max_leaves=8,
)


@given(st.permutations(list(range(6))), st.dictionaries(st.text("xyz"), JSON, max_size=3))
def test_a_digest_depends_on_the_content_and_not_on_its_order(
    order: list[int], properties: dict[str, JsonValue]
) -> None:
    nodes = [node_of(f"n{number}", "K", properties) for number in range(6)]
    edges = [edge_of(f"n{number}", "t", "n0", properties) for number in range(6)]
    one = session_of("s", subject="s", nodes=nodes, edges=edges)

    other = session_of(
        "s", subject="x", nodes=[nodes[place] for place in order], edges=[edges[place] for place in order]
    )

    assert other.digest == one.digest


@pytest.mark.parametrize(
    "other",
    [
        session_of("s", subject="s", nodes=[node_of("a", "K", {"x": 2})]),
        session_of("s", subject="s", nodes=[node_of("a", "L", {"x": 1})]),
        session_of("s", subject="s", nodes=[node_of("b", "K", {"x": 1})]),
        session_of("s", subject="s", removed_nodes=[removed_node_of("a")]),
        session_of("s", subject="s", removed_edges=[edge_key_of("a", "K", "b")]),
        session_of("s", subject="s", edges=[edge_of("a", "K", "b")]),
    ],
)
def test_other_content_has_another_digest(other: object) -> None:
    one = session_of("s", subject="s", nodes=[node_of("a", "K", {"x": 1})])

    assert getattr(other, "digest", None) != one.digest
