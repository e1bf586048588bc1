"""Bulk ingestion: split into sessions, none lost, and harmless to repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from aeterna.client import Edge, Node
from aeterna.client.bulk import bulk_sessions

if TYPE_CHECKING:
    from aeterna.client import Aeterna
    from aeterna.client.testing import FakeRuntime


def chain(length: int) -> tuple[list[Node], list[Edge]]:
    nodes = [Node(id=f"n{number}", kind="Link") for number in range(length)]
    edges = [Edge(source=f"n{number}", type="next", target=f"n{number + 1}") for number in range(length - 1)]
    return nodes, edges


def test_each_chunk_is_one_snapshot(aeterna: Aeterna, fake: FakeRuntime) -> None:
    commits = list(aeterna.graph.ingest("chain", *chain(5), largest=4))

    assert [commit.nodes + commit.edges for commit in commits] == [4, 4, 1]
    assert len(fake.states) == 3


def test_the_same_content_again_writes_nothing(aeterna: Aeterna, fake: FakeRuntime) -> None:
    list(aeterna.graph.ingest("chain", *chain(5), largest=4))
    again = list(aeterna.graph.ingest("chain", *chain(5), largest=4))

    assert all(commit.repeated for commit in again)
    assert len(fake.states) == 3


@given(length=st.integers(1, 60), largest=st.integers(1, 20), heaviest=st.integers(60, 600))
def test_nothing_is_lost_and_no_chunk_is_too_large(length: int, largest: int, heaviest: int) -> None:
    nodes, edges = chain(length)

    sessions = list(bulk_sessions("chain", nodes, edges, largest=largest, heaviest=heaviest))

    assert sum(len(session) for session in sessions) == len(nodes) + len(edges)
    assert max(len(session) for session in sessions) <= largest


def test_other_content_has_other_session_ids() -> None:
    first = next(bulk_sessions("s", [Node(id="a", kind="Thing")], []))
    second = next(bulk_sessions("s", [Node(id="a", kind="Other")], []))

    assert first.session_id != second.session_id
