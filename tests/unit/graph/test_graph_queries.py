"""Questions are checked when they are made, and cursors belong to one question and one snapshot."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.graph.domain.identifiers import NodeId, tenant_id
from aeterna.graph.domain.queries import Position, neighbors_query, node_query, path_query
from aeterna.graph.domain.questions.cursors import cursor_of, cursor_parsed
from aeterna.graph.domain.snapshots import AtSeq
from aeterna.graph.errors import InvalidQueryError

if TYPE_CHECKING:
    from collections.abc import Callable

SEQ = 2**63 - 1
POSITION = Position(depth=2, node=NodeId("日本"))


@pytest.mark.parametrize(
    ("parameter", "make"),
    [
        ("node", lambda: neighbors_query("")),
        ("depth", lambda: neighbors_query("a", depth=0)),
        ("depth", lambda: neighbors_query("a", depth=11)),
        ("direction", lambda: neighbors_query("a", direction="up")),
        ("type", lambda: neighbors_query("a", types=["no spaces"])),
        ("type", lambda: neighbors_query("a", types=[f"t{number}" for number in range(65)])),
        ("kind", lambda: neighbors_query("a", kinds=["';--"])),
        ("limit", lambda: neighbors_query("a", limit=1001)),
        ("source", lambda: path_query("\n", "b")),
        ("target", lambda: path_query("a", "")),
        ("max_hops", lambda: path_query("a", "b", max_hops=65)),
        ("node_id", lambda: node_query("x" * 513)),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_parameter(parameter: str, make: Callable[[], object]) -> None:
    with pytest.raises(InvalidQueryError) as refusal:
        make()

    assert refusal.value.parameter == parameter


def test_a_cursor_brings_back_its_state_and_position() -> None:
    query = neighbors_query("a", types=["t", "u"])

    assert cursor_parsed(cursor_of(query, SEQ, POSITION), query) == (AtSeq(SEQ), POSITION)


def test_only_the_limit_may_change_between_pages() -> None:
    cursor = cursor_of(neighbors_query("a", limit=10), SEQ, POSITION)

    assert cursor_parsed(cursor, neighbors_query("a", limit=20)) == (AtSeq(SEQ), POSITION)
    with pytest.raises(InvalidQueryError, match="another question"):
        cursor_parsed(cursor, neighbors_query("b"))


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        cursor_parsed(text, neighbors_query("a"))


@pytest.mark.parametrize("text", ["", "-a", "A", "a_b", "a" * 64, "a/b", "../x"])
def test_a_tenant_is_a_dns_label(text: str) -> None:
    with pytest.raises(ValueError, match="not a tenant"):
        tenant_id(text)
