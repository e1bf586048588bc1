"""No request of one tenant reaches another tenant's graph, whatever it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aeterna.service.testing import FakeDecisionPoint
    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
THEIRS = {"Authorization": "Bearer umbrella"}
SECRET = {
    "session_id": "theirs",
    "nodes": [{"id": "secret", "kind": "Secret"}, {"id": "plan", "kind": "Secret"}],
    "edges": [{"source": "secret", "type": "leads_to", "target": "plan"}],
}


@pytest.fixture
def theirs(graph_api: GraphClient) -> dict[str, Any]:
    """Umbrella's receipt; the client itself is acme's, which has a node of its own."""
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "ours", "nodes": [{"id": "mine", "kind": "K"}]})
    return graph_api.post(f"{GRAPH}/sessions", json=SECRET, headers=THEIRS).json()


@pytest.mark.parametrize(
    "path",
    [
        "nodes/secret",
        "nodes/secret?as_of={snapshot_id}",
        "nodes/secret?as_of={committed_at}",
        "neighbors?node=secret",
        "neighbors?node=mine&as_of={snapshot_id}",
        "neighbors?node=secret&cursor={cursor}",
        "paths/shortest?source=secret&target=plan",
        "paths/shortest?source=mine&target=secret",
        "paths/shortest?source=secret&target=plan&as_of={snapshot_id}",
        "statistics?as_of={snapshot_id}",
    ],
)
def test_another_tenants_ids_and_snapshots_do_not_exist(
    graph_api: GraphClient, theirs: dict[str, Any], path: str
) -> None:
    graph_api.post(
        f"{GRAPH}/sessions",
        json={
            "session_id": "more",
            "nodes": [{"id": "x", "kind": "K"}],
            "edges": [{"source": "secret", "type": "leads_to", "target": "x"}],
        },
        headers=THEIRS,
    )
    page = graph_api.get(f"{GRAPH}/neighbors?node=secret&limit=1", headers=THEIRS).json()

    answer = graph_api.get(f"{GRAPH}/" + path.format(**theirs, cursor=page["next_cursor"]))

    assert answer.status_code == 404
    assert "Secret" not in answer.text


@pytest.mark.parametrize("name", ["X-Tenant", "X-Tenant-Id", "Tenant", "X-Forwarded-User"])
@pytest.mark.usefixtures("theirs")
def test_no_header_and_no_parameter_names_a_tenant(graph_api: GraphClient, name: str) -> None:
    answer = graph_api.get(f"{GRAPH}/nodes/secret?tenant=umbrella", headers={name: "umbrella"})

    assert answer.status_code == 404


def test_a_snapshot_token_of_another_tenant_is_unknown(graph_api: GraphClient, theirs: dict[str, Any]) -> None:
    answer = graph_api.get(f"{GRAPH}/statistics", headers={"Aeterna-Snapshot": theirs["snapshot_id"]})

    assert answer.json()["code"] == "graph.snapshot_not_found"


@pytest.mark.usefixtures("theirs")
def test_session_ids_of_tenants_do_not_meet(graph_api: GraphClient) -> None:
    answer = graph_api.post(f"{GRAPH}/sessions", json={**SECRET, "session_id": "theirs", "nodes": SECRET["nodes"]})

    assert (answer.status_code, answer.json()["seq"]) == (201, 2)


@pytest.mark.usefixtures("theirs")
def test_writing_never_touches_another_tenant(graph_api: GraphClient) -> None:
    edge = {"source": "mine", "type": "t", "target": "secret"}
    refused = graph_api.post(f"{GRAPH}/sessions", json={"session_id": "e", "edges": [edge]})
    graph_api.post(f"{GRAPH}/sessions", json={"session_id": "r", "remove": {"nodes": ["secret", "plan"]}})

    assert refused.json()["code"] == "graph.unknown_node"
    assert graph_api.get(f"{GRAPH}/statistics", headers=THEIRS).json()["nodes"] == 2


@pytest.mark.parametrize(
    "path", ["nodes/a", "neighbors?node=a", "paths/shortest?source=a&target=b", "snapshots", "statistics"]
)
def test_no_token_no_answer(graph_api: GraphClient, path: str) -> None:
    for headers in ({"Authorization": ""}, {"Authorization": "Bearer forged"}, {"Authorization": "Basic acme"}):
        assert graph_api.get(f"{GRAPH}/{path}", headers=headers).status_code == 401


def test_an_unsigned_session_is_refused(graph_api: GraphClient) -> None:
    assert graph_api.post(f"{GRAPH}/sessions", json=SECRET, headers={"Authorization": "Bearer x"}).status_code == 401


def test_every_question_goes_to_the_policy_with_the_callers_own_tenant(
    graph_api: GraphClient, decisions: FakeDecisionPoint
) -> None:
    graph_api.get(f"{GRAPH}/statistics")
    graph_api.post(f"{GRAPH}/sessions", json=SECRET, headers=THEIRS)

    assert [
        (action, caller.tenant, resource.tenant, resource.type) for caller, action, resource in decisions.asked
    ] == [
        ("graph.read", "acme", "acme", "Graph"),
        ("graph.write", "umbrella", "umbrella", "Graph"),
    ]
