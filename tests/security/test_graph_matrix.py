"""Every route that there is, with everything that another tenant could have let slip: nothing of it comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
KNOWLEDGE = "/api/v1/knowledge"  # answers nothing without its database: test_knowledge_tenants_apart
THEIRS = {"Authorization": "Bearer umbrella"}
SECRET = "7f3a9c"  # stands in values only: an id that was asked for may stand in the error
NODE, OTHER, TAG, HOLD, WORD = "their:node", "their:other", "their-tag", "their-hold", f"w{SECRET}"
# What each route with a body is asked with; {name} is one of the slips.
BODIES: dict[str, list[Any]] = {
    "POST /sessions": [
        {"session_id": "theirs", "nodes": [{"id": "x", "kind": "K"}]},
        {"session_id": "m1", "edges": [{"source": "mine", "type": "t", "target": NODE}]},
        {"session_id": "m2", "remove": {"nodes": [NODE], "edges": [{"source": NODE, "type": "to", "target": OTHER}]}},
    ],
    "POST /subgraph": [{"seeds": [NODE]}, {"seeds": ["mine", NODE], "depth": 3}],
    "POST /query": [
        {
            "nodes": {"a": {"id": NODE}, "b": {}},
            "edges": [{"from": "a", "to": "b"}],
            "return": ["a.id", "b.properties"],
        },
        {"nodes": {"a": {}}, "edges": [], "return": ["a.id", "a.kind", "a.properties"]},
    ],
    "POST /erasures": [{"nodes": [NODE]}, {"subject": "grace"}],
    "POST /erasures/{erasure_id}/verify": [{"nodes": [NODE]}, {"subject": "grace"}],
    "PUT /holds/{hold_id}": [{"reason": "ours"}],
    "PUT /tags/{name}": [{}, {"as_of": "{snapshot_id}"}, {"as_of": TAG}, {"as_of": "{committed_at}"}],
    "POST /restore": [{"to": "{snapshot_id}"}, {"to": TAG}, {"to": "{committed_at}"}, {"to": "seq:2"}],
    "POST /maintenance": [{"task": "all"}, {"task": "compact"}],
}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[GraphClient]:
    """Return a client of tenant acme, which has a node of its own."""
    with graph_client(tmp_path, FakeDecisionPoint(), feed_lifetime=timedelta(milliseconds=1)) as client:
        client.post(f"{GRAPH}/sessions", json={"session_id": "ours", "nodes": [{"id": "mine", "kind": "K"}]})
        yield client


@pytest.fixture
def slips(api: GraphClient) -> dict[str, list[str]]:
    """Return what umbrella has, by the name of the parameter that takes it."""
    erasure = api.post(f"{GRAPH}/erasures", json={"nodes": ["their:gone"]}, headers=THEIRS).json()
    _until_done(api, erasure["erasure_id"])
    nodes = [{"id": id_, "kind": f"K{SECRET}", "properties": {"text": WORD}} for id_ in (NODE, OTHER)]
    edges = [{"source": NODE, "type": "to", "target": OTHER, "properties": {"text": WORD}}]
    session = {"session_id": "theirs", "nodes": nodes, "edges": edges}
    receipt = api.post(f"{GRAPH}/sessions", json=session, headers=THEIRS).json()
    api.post(f"{GRAPH}/sessions", json={"session_id": "more", "nodes": nodes[:1]}, headers=THEIRS)
    api.put(f"{GRAPH}/tags/{TAG}", json={}, headers=THEIRS)
    api.put(f"{GRAPH}/holds/{HOLD}", json={"reason": f"case {SECRET}", "subject": "kept"}, headers=THEIRS)
    page = api.get(f"{GRAPH}/snapshots?limit=1", headers=THEIRS).json()
    moments = [receipt["snapshot_id"], receipt["committed_at"], TAG, "seq:2"]
    return {
        **{name: [NODE, OTHER] for name in ("node_id", "node", "source", "target")},
        **{name: moments for name in ("as_of", "from", "to")},  # noqa: C420 - nobody changes the list
        **{name: ["0", "2", "3"] for name in ("aeterna-seq", "after", "last-event-id")},
        "aeterna-snapshot": [receipt["snapshot_id"]],
        "erasure_id": [erasure["erasure_id"]],
        "hold_id": [HOLD],
        "name": [TAG],
        "idempotency-key": ["theirs"],
        "q": [WORD],
        "kind": [f"K{SECRET}"],
        "type": ["to"],
        "where": [f"text={WORD}"],
        "cursor": [page["next_cursor"]],
        "receipt": [receipt["snapshot_id"], receipt["committed_at"]],
    }


def _until_done(api: GraphClient, erasure: str) -> None:
    """Wait for the job: what it does to umbrella's graph is umbrella's own doing."""
    for _ in range(1_000):
        if api.get(f"{GRAPH}/erasures/{erasure}", headers=THEIRS).json()["state"] == "done":
            return
    raise AssertionError("the erasure does not end")


def _requests(api: GraphClient, slips: dict[str, list[str]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a request for each operation, each of its parameters, and each slip that fits."""
    for path, operations in api.get("/openapi.json").json()["paths"].items():
        if path.startswith(KNOWLEDGE):
            continue
        for method, operation in operations.items():
            route = f"{method.upper()} {path.removeprefix(GRAPH)}"
            bodies = [_filled(body, slips) for body in BODIES[route]] if "requestBody" in operation else [None]
            parameters = operation.get("parameters", [])
            required = {each["name"]: slips[each["name"]][0] for each in parameters if each.get("required")}
            for each in parameters or [None]:
                for slip in slips.get(each["name"], [""]) if each else [""]:
                    given = required | ({each["name"]: slip} if each and slip else {})
                    for body in bodies:
                        yield method.upper(), *_placed(path, parameters, given, body)


def _filled(body: dict[str, Any], slips: dict[str, list[str]]) -> dict[str, Any]:
    snapshot_id, committed_at = slips["receipt"]
    moments = {"{snapshot_id}": snapshot_id, "{committed_at}": committed_at}
    return {name: moments.get(value, value) if isinstance(value, str) else value for name, value in body.items()}


def _placed(
    path: str, parameters: list[dict[str, Any]], given: dict[str, str], body: object
) -> tuple[str, dict[str, Any]]:
    where = {each["name"]: each["in"] for each in parameters}
    for name, value in given.items():
        path = path.replace("{" + name + "}", value)
    return path, {
        "params": {name: value for name, value in given.items() if where[name] == "query"},
        "headers": {name: value for name, value in given.items() if where[name] == "header"},
        **({} if body is None else {"json": body}),
    }


def _world(api: GraphClient) -> dict[str, Any]:
    """Return everything that umbrella can see."""
    paths = ("statistics", "tags", "holds", "erasures", f"nodes/{NODE}", f"neighbors?node={NODE}")
    world = {path: api.get(f"{GRAPH}/{path}", headers=THEIRS).json() for path in paths}
    digest = api.get("/internal/v1/graph/digest", headers=THEIRS).json()
    return {**world, "digest": digest["digest"]}


def test_no_route_gives_or_changes_anything_of_another_tenant(api: GraphClient, slips: dict[str, list[str]]) -> None:
    before = _world(api)
    leaks: list[str] = []
    asked: set[str] = set()
    for method, path, details in _requests(api, slips):
        answer = api.send(method, path, **details)
        asked.add(f"{method} {path}")
        echoed = answer.text.replace(WORD, "") if WORD in str(details) else answer.text
        echoed = echoed.replace(f"K{SECRET}", "") if SECRET in str(details) else echoed
        if SECRET in echoed or answer.status_code >= 500:
            leaks.append(f"{method} {path} {details}: {answer.status_code} {answer.text[:200]}")

    assert leaks == []
    assert len(asked) > len(BODIES)
    assert _world(api) == before
