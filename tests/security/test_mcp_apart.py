"""No tool gives one tenant anything of another's graph, whatever ids, moments and cursors it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from aeterna.api.api.tools.graph_tools import graph_tools
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client
from fixtures.tool_calls import call, message, posted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.fix_graph_api import GraphClient

GRAPH: Final = "/api/v1/graph"
SECRET: Final = "7f3a9c"
TEXT: Final = f"secret w{SECRET}"  # stands in values only: what was asked for may stand in the error
NODE, OTHER, TAG = "their:node", "their:other", "their-tag"
PAIR: Final[dict[str, Any]] = {"nodes": {"a": {}, "b": {}}, "edges": [{"from": "a", "to": "b"}]}
ASKED: Final[list[tuple[str, dict[str, Any]]]] = [
    ("graph_node", {"node": NODE}),
    ("graph_search", {"query": f"w{SECRET}"}),
    ("graph_search", {"query": "secret*"}),
    ("graph_related", {"node": NODE}),
    ("graph_neighbors", {"node": NODE}),
    ("graph_neighbors", {"node": "mine", "depth": 5}),
    ("graph_traverse", {"node": NODE, "direction": "both"}),
    ("graph_path", {"source": "mine", "target": NODE}),
    ("graph_path", {"source": NODE, "target": OTHER}),
    ("graph_context", {"seeds": ["mine", NODE]}),
    ("graph_query", {"nodes": {"a": {}}}),
    ("graph_query", PAIR),
    ("graph_link", {"source": "mine", "type": "to", "target": NODE}),
    ("graph_unlink", {"source": NODE, "type": "to", "target": OTHER}),
]
READ: Final = [(tool, given) for tool, given in ASKED if tool not in {"graph_link", "graph_unlink"}]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphClient]:
    """Return a client of acme, which has a node of its own; umbrella has secrets."""
    with graph_client(tmp_path_factory.mktemp("apart"), FakeDecisionPoint()) as client:
        client.post(f"{GRAPH}/sessions", json={"session_id": "ours", "nodes": [{"id": "mine", "kind": "K"}]})
        yield client


@pytest.fixture(scope="module")
def receipt(api: GraphClient) -> dict[str, Any]:
    """Return the receipt of what umbrella wrote."""
    theirs = {"Authorization": "Bearer umbrella"}
    properties = {"text": TEXT}
    body = {
        "session_id": "theirs",
        "nodes": [{"id": id_, "kind": "Secret", "properties": properties} for id_ in (NODE, OTHER, "their:third")],
        "edges": [
            {"source": NODE, "type": "to", "target": id_, "properties": properties} for id_ in (OTHER, "their:third")
        ],
    }
    written = api.post(f"{GRAPH}/sessions", json=body, headers=theirs).json()
    api.put(f"{GRAPH}/tags/{TAG}", json={}, headers=theirs)
    return written


def test_every_tool_is_tried_here() -> None:
    assert {tool for tool, _ in ASKED} == {tool.name for tool in graph_tools(lambda: "id")}


@pytest.mark.parametrize(("tool", "given"), ASKED)
def test_ids_of_another_tenant_do_not_exist(
    api: GraphClient, receipt: dict[str, Any], tool: str, given: dict[str, Any]
) -> None:
    assert receipt["nodes"] == 3
    assert SECRET not in str(call(api, tool, given).content).replace(
        f"w{SECRET}", "", given.get("query", "").count("w")
    )


@pytest.mark.parametrize("moment", ["snapshot_id", "committed_at", TAG])
@pytest.mark.parametrize(("tool", "given"), READ)
def test_moments_of_another_tenant_show_nothing_of_it(
    api: GraphClient, receipt: dict[str, Any], tool: str, given: dict[str, Any], moment: str
) -> None:
    called = call(api, tool, {**given, "as_of": receipt.get(moment, moment)})

    assert TEXT not in str(called.content)


PAGED: Final[list[tuple[str, dict[str, Any]]]] = [
    ("graph_query", {"nodes": {"a": {}}}),
    ("graph_neighbors", {"node": NODE}),
    ("graph_traverse", {"node": NODE}),
]


@pytest.mark.parametrize(("tool", "given"), PAGED)
def test_a_cursor_of_another_tenant_leads_nowhere(
    api: GraphClient, receipt: dict[str, Any], tool: str, given: dict[str, Any]
) -> None:
    theirs = call(api, tool, {**given, "limit": 1}, tenant="umbrella").content

    called = call(api, tool, {**given, "limit": 1, "cursor": theirs["next_cursor"]})

    assert receipt["edges"] == 2
    assert TEXT in str(theirs)
    assert SECRET not in str(called.content)


@pytest.mark.parametrize("where", ["_meta", "arguments", "params"])
def test_a_message_cannot_say_whose_graph_it_means(api: GraphClient, receipt: dict[str, Any], where: str) -> None:
    """The tenant is the token's, and there is no other place for it."""
    params: dict[str, Any] = {"name": "graph_node", "arguments": {"node": NODE}, "_meta": {}}
    claims = {"tenant": "umbrella", "aeterna/tenant": "umbrella"}
    (params if where == "params" else params[where]).update(claims)

    response = posted(api, message("tools/call", params), **{"X-Tenant": "umbrella", "X-Tenant-Id": "umbrella"})

    assert receipt["session_id"] == "theirs"
    assert SECRET not in response.text
