"""A history gives away nothing: not to another tenant, and not what was erased from it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.graph.domain.arrow import untyped
from aeterna.graph.domain.changes import edge_of, node_of, session_of
from aeterna.graph.domain.diffs import diff_query
from aeterna.graph.domain.erasure import target_of
from aeterna.graph.domain.identifiers import NodeId, TagName
from aeterna.graph.errors import ChangesExpiredError, NodeNotFoundError, TagNotFoundError
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph import ACME
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aeterna.graph.usecases.graphs import Graph
    from fixtures.fix_graph import GraphBench
    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
THEIRS = {"Authorization": "Bearer umbrella"}
ERASURE = "0193d2a4-7c3e-7a52-8a4e-0d2f6f1f3b11"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[GraphClient]:
    """Yield a client of acme, which has one session; umbrella has two, and a tag."""
    with graph_client(tmp_path, FakeDecisionPoint(), feed_lifetime=timedelta(milliseconds=1)) as client:
        client.post(f"{GRAPH}/sessions", json={"session_id": "ours", "nodes": [{"id": "mine", "kind": "K"}]})
        for name in ("secret", "plan"):
            session = {"session_id": name, "nodes": [{"id": name, "kind": "Secret"}]}
            client.post(f"{GRAPH}/sessions", json=session, headers=THEIRS)
        client.put(f"{GRAPH}/tags/theirs", headers=THEIRS)
        yield client


@pytest.fixture
def theirs(api: GraphClient) -> dict[str, Any]:
    """Umbrella's first snapshot and a cursor of its diff."""
    snapshot = api.get(f"{GRAPH}/snapshots", headers=THEIRS).json()["snapshots"][-1]
    everything = {"from": snapshot["snapshot_id"], "to": "theirs", "limit": 1}
    return {**snapshot, "diff": api.get(f"{GRAPH}/diff", params=everything, headers=THEIRS).json()}


@pytest.mark.parametrize(
    "path",
    [
        "nodes/mine?as_of=theirs",
        "diff?from=theirs",
        "diff?from={snapshot_id}",
        "diff?from={committed_at}&to={snapshot_id}",
        "diff?from=seq:2",
        "statistics?as_of=seq:2",
    ],
)
def test_another_tenants_moments_do_not_exist(api: GraphClient, theirs: dict[str, Any], path: str) -> None:
    answer = api.get(f"{GRAPH}/{path.format(**theirs).replace('+', '%2B')}")

    assert answer.status_code == 404, answer.text
    assert "ecret" not in answer.text


def test_nothing_of_another_tenant_is_managed(api: GraphClient, theirs: dict[str, Any]) -> None:
    refused = [
        api.delete(f"{GRAPH}/tags/theirs"),
        api.put(f"{GRAPH}/tags/mine", json={"as_of": theirs["snapshot_id"]}),
        api.post(f"{GRAPH}/restore", json={"to": theirs["snapshot_id"], "session_id": "r"}),
        api.post(f"{GRAPH}/restore", json={"to": "theirs", "session_id": "r"}),
    ]

    assert [answer.status_code for answer in refused] == [404] * 4
    assert api.get(f"{GRAPH}/tags").json() == {"tags": []}
    assert [tag["name"] for tag in api.get(f"{GRAPH}/tags", headers=THEIRS).json()["tags"]] == ["theirs"]


def test_a_feed_tells_only_the_callers_own_sessions(api: GraphClient) -> None:
    answer = api.get(f"{GRAPH}/changes", params={"after": 0})
    beyond = api.get(f"{GRAPH}/changes", params={"after": 2})

    assert '"session_id":"ours"' in answer.text
    assert "ecret" not in answer.text
    assert beyond.status_code == 422


def _with_secrets(bench: GraphBench) -> Graph:
    graph = bench.graphs().of(ACME)
    graph.commit(session_of("a", subject="ada", nodes=[node_of("n:1", "Thing")]))
    graph.commit(
        session_of("b", subject="gone", nodes=[node_of("n:2", "Thing")], edges=[edge_of("n:1", "KNOWS", "n:2")])
    )
    graph.history.tags.create(TagName("before"))
    graph.commit(session_of("c", subject="ada", nodes=[node_of("n:3", "Thing")]))
    graph.erasures.order(target_of(subject="gone", nodes=[], tenant=False), by="root", id_=ERASURE)
    return graph


def test_what_an_erasure_hides_is_in_no_diff_and_in_no_feed(iceberg_bench: GraphBench) -> None:
    """From the order on; the rewrite may take its time."""
    graph = _with_secrets(iceberg_bench)

    page, _ = graph.history.comparing.diff(diff_query(TagName("before")))

    assert "n:2" not in repr(page)
    with pytest.raises(ChangesExpiredError):
        graph.history.following.check(1)


@pytest.mark.parametrize("done", [False, True], ids=["ordered", "done"])
def test_a_restore_brings_nothing_back_that_was_erased(iceberg_bench: GraphBench, *, done: bool) -> None:
    graph = _with_secrets(iceberg_bench)
    if done:
        graph.erasures.run()
        # The tag named a snapshot that held it.
        with pytest.raises(TagNotFoundError):
            graph.history.restoring.plan(TagName("before"))
        return

    graph.history.restoring.restore(TagName("before"), session_id="back", subject="root")

    with pytest.raises(NodeNotFoundError):
        graph.node(NodeId("n:2"))
    statistics = graph.statistics()
    assert (statistics.nodes, statistics.edges) == (1, 0)


def test_the_feed_goes_on_behind_an_erasure_and_names_nothing_before_it(iceberg_bench: GraphBench) -> None:
    graph = _with_secrets(iceberg_bench)
    graph.erasures.run()
    position = graph.statistics().seq
    graph.commit(session_of("d", subject="ada", nodes=[node_of("n:4", "Thing")]))

    parts = list(graph.history.following.after(position))

    assert [part.session_id for part in parts] == ["d"]
    assert "n:2" not in repr([untyped(part.rows).to_pylist() for part in parts])
    with pytest.raises(ChangesExpiredError):
        graph.history.following.check(1)
