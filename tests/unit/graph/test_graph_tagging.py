"""Moments that have names: tags that somebody made, and backups."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.changes import node_of, session_of
from aeterna.graph.domain.identifiers import NodeId, TagName
from aeterna.graph.domain.tags import backup_name, tag_name
from aeterna.graph.errors import (
    CommitConflictError,
    InvalidQueryError,
    StorageError,
    TagConflictError,
    TagNotFoundError,
)
from aeterna.graph.testing import MemoryGraphStores
from fixtures.fix_graph import ACME, START, GraphBench

if TYPE_CHECKING:
    from aeterna.graph.usecases.graphs import Graph

HOURS = timedelta(hours=6)
WEEK = timedelta(days=7)


def _commit(graph: Graph, id_: str) -> None:
    graph.commit(session_of(id_, subject="ada", nodes=[node_of("n:1", "Thing", {"v": id_})]))


@pytest.fixture
def graph(memory_bench: GraphBench) -> Graph:
    """Give a graph of two sessions with a tag in between."""
    graph = memory_bench.graphs().of(ACME)
    _commit(graph, "1")
    graph.history.tags.create(TagName("before"))
    _commit(graph, "2")
    return graph


def test_a_tag_is_a_moment_everywhere(graph: Graph) -> None:
    assert graph.node(NodeId("n:1"), as_of=TagName("before")).properties == '{"v":"1"}'
    with pytest.raises(TagNotFoundError):
        graph.node(NodeId("n:1"), as_of=TagName("never"))


def test_a_tag_of_another_moment_is_a_conflict_only_when_a_moment_was_named(graph: Graph) -> None:
    assert graph.history.tags.create(TagName("before"))[1] is False
    with pytest.raises(TagConflictError):
        graph.history.tags.create(TagName("before"), as_of=graph.snapshots(1)[0].id)


def test_a_tag_is_made_though_other_commits_come_between(memory_bench: GraphBench, graph: Graph) -> None:
    assert isinstance(memory_bench.stores, MemoryGraphStores)
    memory_bench.stores.tag_failures += [CommitConflictError("name the snapshot", "a test said so")] * 3

    tag, made = graph.history.tags.create(TagName("after"))

    assert (tag.snapshot.last_seq, made, len(memory_bench.pauses)) == (2, True, 3)


def test_a_tag_is_not_tried_again_when_the_storage_is_away(memory_bench: GraphBench, graph: Graph) -> None:
    assert isinstance(memory_bench.stores, MemoryGraphStores)
    memory_bench.stores.tag_failures.append(StorageError("name the snapshot", "a test said so"))

    with pytest.raises(StorageError):
        graph.history.tags.create(TagName("after"))


@pytest.mark.parametrize("text", ["", "1", "main", "2026-11-01", "-a", "a b", "a" * 129])
def test_a_tag_cannot_be_taken_for_anything_else(text: str) -> None:
    with pytest.raises(InvalidQueryError):
        tag_name(text)


def test_a_backup_is_made_once_an_interval_whoever_asks(memory_bench: GraphBench) -> None:
    first, second = (memory_bench.graphs().of(ACME) for _ in range(2))
    assert first.history.tags.back_up(HOURS, WEEK) == ((), ())  # nothing to back up yet
    _commit(first, "a")

    made = [graph.history.tags.back_up(HOURS, WEEK)[0] for graph in (first, second, first)]

    assert [[tag.name for tag in tags] for tags in made] == [["backup-20261101T000000Z"], [], []]
    assert [tag.is_backup for tag in first.history.tags.all()] == [True]


def test_a_backup_goes_when_its_time_is_over_and_other_tags_stay(graph: Graph) -> None:
    graph.history.tags.create(TagName("mine"), keep=timedelta(seconds=1))
    graph.history.tags.back_up(HOURS, timedelta(microseconds=1))

    planned = graph.history.tags.back_up(HOURS, WEEK, dry_run=True)
    made, dropped = graph.history.tags.back_up(HOURS, WEEK)

    assert planned == (made, dropped)
    assert [tag.name for tag in dropped] == ["backup-20261101T000000Z"]
    assert [tag.name for tag in graph.history.tags.all()] == ["before", "mine"]


def test_backups_are_named_by_the_interval_they_are_of() -> None:
    assert backup_name(START + timedelta(hours=5, minutes=59), HOURS) == "backup-20261101T000000Z"
    assert backup_name(START + timedelta(hours=6), HOURS) == "backup-20261101T060000Z"
