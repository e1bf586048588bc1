"""Tools of the graph: what each answers, what the policy is asked, and how each says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from aeterna.api.api.tools.graph_tools import graph_tools
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import graph_client
from fixtures.tool_calls import SERVICES, call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fixtures.fix_graph_api import GraphClient

GRAPH = "/api/v1/graph"
LISTED = {tool.name: tool.listed() for tool in graph_tools(lambda: "id")}
PATTERN: dict[str, Any] = {
    "nodes": {"s": {"kind": "Service", "where": ["tier<=2"]}, "t": {"kind": "Team"}},
    "edges": [{"from": "s", "to": "t", "type": "owned_by"}],
    "return": ["s.id", "t.id"],
}
AROUND: dict[str, Any] = {"seeds": ["svc:ledger"], "depth": 1}
# A tool, its arguments, and the REST request that asks the same.
SAME: list[tuple[str, dict[str, Any], str, dict[str, Any] | None]] = [
    ("graph_node", {"node": "svc:ledger"}, "nodes/svc:ledger", None),
    ("graph_search", {"query": "checkout"}, "search?q=checkout", None),
    ("graph_search", {"query": "ledger mail", "match": "any"}, "search?q=ledger+mail&match=any", None),
    ("graph_related", {"node": "svc:checkout"}, "related?node=svc:checkout", None),
    ("graph_neighbors", {"node": "svc:ledger"}, "neighbors?node=svc:ledger&direction=both", None),
    (
        "graph_traverse",
        {"node": "svc:checkout", "types": ["calls"], "where": ["tier>2"]},
        "neighbors?node=svc:checkout&depth=3&type=calls&where=tier%3E2",
        None,
    ),
    (
        "graph_path",
        {"source": "svc:checkout", "target": "svc:mail"},
        "paths/shortest?source=svc:checkout&target=svc:mail",
        None,
    ),
    ("graph_query", PATTERN, "query", PATTERN),
    ("graph_context", AROUND, "subgraph", AROUND),
]
EDGE = {"source": "svc:mail", "type": "calls", "target": "svc:checkout"}
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("graph_link", EDGE),
    ("graph_unlink", {"source": "svc:ledger", "type": "calls", "target": "svc:mail"}),
]
EVERY = [(tool, arguments) for tool, arguments, _, _ in SAME] + WRITES


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphClient]:
    """Return a client of a graph that no test changes."""
    with graph_client(tmp_path_factory.mktemp("services"), FakeDecisionPoint(), max_depth=4) as api:
        api.post(f"{GRAPH}/sessions", json=SERVICES)
        yield api


@pytest.fixture(scope="module")
def policy() -> FakeDecisionPoint:
    """Return what decides about the graph that tests write to as if they were alone."""
    return FakeDecisionPoint()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, policy: FakeDecisionPoint) -> Iterator[GraphClient]:
    """Return a client of a graph to which tests write what may be there already."""
    with graph_client(tmp_path_factory.mktemp("shared"), policy) as api:
        api.post(f"{GRAPH}/sessions", json=SERVICES)
        yield api


@pytest.fixture(scope="module")
def forbidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphClient]:
    """Return a client who may do nothing."""
    with graph_client(tmp_path_factory.mktemp("denied"), FakeDecisionPoint(allow=False)) as api:
        yield api


@pytest.fixture
def written(graph_api: GraphClient) -> GraphClient:
    """Return a client of a graph of the test's own."""
    graph_api.post(f"{GRAPH}/sessions", json=SERVICES)
    return graph_api


def test_every_tool_is_tried_here() -> None:
    assert {tool for tool, _ in EVERY} == LISTED.keys()


@pytest.mark.parametrize(("tool", "arguments", "path", "body"), SAME, ids=[tool for tool, *_ in SAME])
def test_a_tool_answers_what_rest_answers_and_the_seq_of_it(
    services: GraphClient, tool: str, arguments: dict[str, Any], path: str, body: dict[str, Any] | None
) -> None:
    rest = services.post(f"{GRAPH}/{path}", json=body) if body else services.get(f"{GRAPH}/{path}")

    called = call(services, tool, arguments)

    assert called.content == {**rest.json(), "seq": int(rest.headers["Aeterna-Seq"])}


@pytest.mark.parametrize(("tool", "arguments"), EVERY, ids=[tool for tool, _ in EVERY])
def test_an_answer_has_the_form_that_the_tool_promised(
    shared: GraphClient, tool: str, arguments: dict[str, Any]
) -> None:
    called = call(shared, tool, arguments)

    assert not called.is_error
    promised = Draft202012Validator(LISTED[tool].output_schema or {})
    assert promised.is_valid(called.content)  # pyright: ignore[reportUnknownMemberType]  # typed in part


@pytest.mark.parametrize(("tool", "arguments"), EVERY, ids=[tool for tool, _ in EVERY])
def test_a_tool_asks_the_policy_for_what_its_effect_says(
    shared: GraphClient, policy: FakeDecisionPoint, tool: str, arguments: dict[str, Any]
) -> None:
    policy.asked.clear()

    call(shared, tool, arguments)

    hints = LISTED[tool].annotations
    assert hints is not None
    assert [(action, resource.id) for _, action, resource in policy.asked] == [
        ("graph.read" if hints.read_only_hint else "graph.write", "acme")
    ]


@pytest.mark.parametrize(("tool", "arguments"), EVERY, ids=[tool for tool, _ in EVERY])
def test_a_deny_is_said_before_anything_is_done(forbidden: GraphClient, tool: str, arguments: dict[str, Any]) -> None:
    """Not even whether the arguments would do is told."""
    assert call(forbidden, tool, arguments).code == "policy.denied"
    assert call(forbidden, tool, {"nonsense": 1}).code == "policy.denied"


def test_nothing_is_answered_while_nobody_can_decide(written: GraphClient, decisions: FakeDecisionPoint) -> None:
    decisions.available = False

    assert call(written, "graph_node", {"node": "svc:ledger"}).code == "policy.unavailable"


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("graph_node", {"node": "nobody"}, "graph.node_not_found", "'nobody'"),
    ("graph_node", {"node": ""}, "graph.invalid_query", "node: "),
    ("graph_node", {}, "request.invalid", "/node"),
    ("graph_node", {"node": "svc:ledger", "tenant": "umbrella"}, "request.invalid", "/tenant"),
    ("graph_node", {"node": "svc:ledger", "as_of": "yesterday"}, "graph.tag_not_found", "yesterday"),
    ("graph_node", {"node": "svc:ledger", "as_of": "2026-11-01"}, "graph.invalid_query", "as_of: "),
    ("graph_node", {"node": "svc:ledger", "at_least": 99}, "graph.not_yet_visible", "99"),
    ("graph_neighbors", {"node": "svc:ledger", "depth": 6}, "request.invalid", "/depth"),
    ("graph_neighbors", {"node": "svc:ledger", "cursor": "forged"}, "graph.invalid_query", "cursor"),
    ("graph_traverse", {"node": "svc:ledger", "depth": 11}, "request.invalid", "/depth"),
    ("graph_traverse", {"node": "svc:ledger", "depth": 5}, "graph.invalid_query", "depth: "),
    ("graph_traverse", {"node": "svc:ledger", "direction": "up"}, "request.invalid", "/direction"),
    ("graph_traverse", {"node": "svc:ledger", "where": ["="]}, "graph.invalid_query", "where"),
    ("graph_path", {"source": "svc:mail", "target": "svc:checkout"}, "graph.no_path", "svc:mail"),
    ("graph_path", {"source": "svc:mail", "target": "svc:mail", "max_hops": 11}, "request.invalid", "/max_hops"),
    ("graph_neighbors", {"node": "svc:ledger", "types": [""]}, "graph.invalid_query", "types: "),
    ("graph_query", {"nodes": {}}, "request.invalid", "/nodes"),
    ("graph_query", {"nodes": {"s": {}}, "return": ["t.id"]}, "graph.invalid_query", "t"),
    ("graph_context", {"seeds": []}, "request.invalid", "/seeds"),
    ("graph_context", {"seeds": ["nobody"]}, "graph.node_not_found", "'nobody'"),
    ("graph_context", {"seeds": ["svc:ledger"], "max_bytes": 1}, "request.invalid", "/max_bytes"),
    ("graph_search", {"query": ""}, "graph.invalid_query", "query: "),
    ("graph_related", {"node": "nobody"}, "graph.node_not_found", "'nobody'"),
    ("graph_link", {"source": "svc:mail", "type": "calls", "target": "nobody"}, "graph.unknown_node", "'nobody'"),
    ("graph_link", {"source": "svc:mail", "type": "1", "target": "svc:mail"}, "graph.invalid_session", "edges[0]"),
    ("graph_unlink", {"source": "svc:mail"}, "request.invalid", "/target"),
]


@pytest.mark.parametrize(("tool", "arguments", "code", "named"), WRONG)
def test_what_is_wrong_has_the_code_of_rest_and_names_the_argument(
    services: GraphClient, tool: str, arguments: dict[str, Any], code: str, named: str
) -> None:
    called = call(services, tool, arguments)

    assert called.code == code
    assert named in called.content["detail"] + str(called.content.get("errors"))


MANY: list[tuple[str, dict[str, Any]]] = [
    ("graph_traverse", {"node": "svc:ledger", "types": [1] * 10_000}),
    ("graph_traverse", {"node": "svc:ledger", "where": [1] * 10_000}),
    ("graph_query", {"nodes": {"a": {}}, "edges": [{}] * 10_000}),
    ("graph_query", {"nodes": {"a": {"id": [1] * 10_000}}}),
    ("graph_link", {**EDGE, "nodes": [{}] * 10_000}),
    ("graph_node", {str(number): 1 for number in range(10_000)}),
]


@pytest.mark.parametrize(("tool", "arguments"), MANY)
def test_of_many_wrong_arguments_a_few_are_told(services: GraphClient, tool: str, arguments: dict[str, Any]) -> None:
    assert 1 <= len(call(services, tool, arguments).content["errors"]) <= 20


def test_a_link_is_there_for_whoever_gives_back_its_seq(written: GraphClient) -> None:
    team = {"id": "team:mail", "kind": "Team"}
    receipt = call(
        written, "graph_link", {"source": "svc:mail", "type": "owned_by", "target": "team:mail", "nodes": [team]}
    )

    found = call(written, "graph_neighbors", {"node": "team:mail", "at_least": receipt.content["seq"]})

    assert [node["id"] for node in found.content["nodes"]] == ["svc:mail"]


def test_a_link_that_is_repeated_changes_nothing_but_history(written: GraphClient) -> None:
    """Each call is a session of its own: a link that was removed meanwhile must come back."""
    call(written, "graph_link", EDGE)
    call(written, "graph_unlink", EDGE)

    call(written, "graph_link", EDGE)

    assert call(written, "graph_path", {"source": "svc:mail", "target": "svc:checkout"}).content["hops"] == 1


def test_what_was_removed_is_still_there_in_the_past(written: GraphClient) -> None:
    removed = call(written, "graph_unlink", {"source": "svc:checkout", "type": "calls", "target": "svc:ledger"})
    asked = {"source": "svc:checkout", "target": "svc:ledger", "types": ["calls"]}

    before = call(written, "graph_path", {**asked, "as_of": f"seq:{removed.content['seq'] - 1}"})

    assert call(written, "graph_path", asked).code == "graph.no_path"
    assert before.content["hops"] == 1


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphClient]:
    """Return a client of a node with 40 neighbours of 500 bytes."""
    with graph_client(tmp_path_factory.mktemp("wide"), FakeDecisionPoint()) as api:
        leaves = [
            {"id": f"leaf:{number:02}", "kind": "Leaf", "properties": {"text": "x" * 500}} for number in range(40)
        ]
        edges = [{"source": "hub", "type": "to", "target": leaf["id"]} for leaf in leaves]
        body = {"session_id": "wide", "nodes": [{"id": "hub", "kind": "Hub"}, *leaves], "edges": edges}
        assert api.post(f"{GRAPH}/sessions", json=body).status_code == 201
        yield api


@pytest.mark.parametrize(
    ("tool", "arguments", "item"),
    [
        ("graph_neighbors", {"node": "hub"}, "nodes"),
        ("graph_traverse", {"node": "hub"}, "nodes"),
        ("graph_query", {"nodes": {"leaf": {"kind": "Leaf"}}}, "rows"),
    ],
)
def test_pages_are_of_the_size_that_was_asked_for_and_hold_everything_once(
    wide: GraphClient, tool: str, arguments: dict[str, Any], item: str
) -> None:
    found: list[Any] = []
    pages, cursor = 0, None
    while pages == 0 or cursor:
        page = call(wide, tool, {**arguments, "max_bytes": 4096, "cursor": cursor}).content
        found += page[item]
        cursor, pages = page["next_cursor"], pages + 1

    assert len({str(each) for each in found}) == len(found) == 40
    assert pages >= 6


def test_a_context_leaves_out_what_is_farthest_until_it_fits(wide: GraphClient) -> None:
    context = call(wide, "graph_context", {"seeds": ["hub"], "max_bytes": 2048}).content

    assert [node["id"] for node in context["nodes"]] == ["hub", "leaf:00", "leaf:01", "leaf:02"]
    assert {edge["target"] for edge in context["edges"]} <= {"leaf:00", "leaf:01", "leaf:02"}
    assert context["more_nodes"]


def test_what_cannot_be_cut_says_what_to_lower(wide: GraphClient) -> None:
    called = call(wide, "graph_related", {"node": "leaf:00", "limit": 30, "max_bytes": 1024})

    assert called.code == "graph.answer_too_large"
    assert "lower limit" in called.content["detail"]


def test_a_failure_that_nobody_foresaw_tells_nothing_of_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    def broken(*_: object) -> bool:
        raise ValueError("a secret 7f3a9c")

    with graph_client(tmp_path_factory.mktemp("broken"), FakeDecisionPoint(allow=broken)) as api:
        called = call(api, "graph_node", {"node": "a"})

    assert called.code == "service.unexpected"
    assert "7f3a9c" not in str(called.content)


def test_calls_are_counted_by_tool_and_failures_by_code(services: GraphClient) -> None:
    call(services, "graph_search", {"query": "ledger"})
    call(services, "graph_node", {"node": "nobody"})

    metrics = services.get("/metrics").text

    assert 'aeterna_mcp_call_duration_seconds_count{tool="graph_search"}' in metrics
    assert 'aeterna_mcp_call_failures_total{code="graph.node_not_found",tool="graph_node"}' in metrics
