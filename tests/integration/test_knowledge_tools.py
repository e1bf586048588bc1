"""An agent asks the documents with tools, opens what it was told, and is told what it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from aeterna.api.api.requests import may_read
from aeterna.api.api.tools.knowledge_tools import knowledge_tools
from aeterna.service.testing import FakeDecisionPoint
from fixtures.fix_graph_api import EVE
from fixtures.tool_calls import call, message, posted
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from aeterna.api.api.tools.tool import AnyTool
    from fixtures.fix_graph_api import GraphClient

DOCUMENTS = "/api/v1/knowledge/documents"
TIDES = "# Tides\n\nNeap tides follow the quarter moon.\n"
TOOLS = knowledge_tools()
MOMENT = {"as_of", "at_least"}
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("knowledge_query", {"question": "quarter moon"}),
    ("knowledge_get", {"document": "tides.md"}),
    ("knowledge_list", {}),
]


@pytest.fixture
def decisions() -> FakeDecisionPoint:
    """Return a policy that allows eve nothing."""
    return FakeDecisionPoint(allow=lambda caller, _action, _resource: caller.subject != EVE)


@pytest.fixture
def tides(knowledge_api: GraphClient) -> GraphClient:
    """Return a client of a tenant with one document."""
    knowledge_api.put(f"{DOCUMENTS}/tides.md", content=TIDES.encode())
    return knowledge_api


def test_an_agent_asks_and_opens_what_was_cited(tides: GraphClient) -> None:
    best = call(tides, "knowledge_query", {"question": "What follows the quarter moon?"}).content["evidence"][0]

    place = {name: best[name] for name in ("document", "start", "end")}
    opened = call(tides, "knowledge_get", place).content["opened"]
    listed = call(tides, "knowledge_list", {"prefix": "tid"}).content
    assert opened["text"] == best["text"] == TIDES[best["start"] : best["end"]]
    assert (listed["documents"], listed["next_cursor"]) == (["tides.md"], None)


def test_an_agent_sees_the_state_whose_seq_it_gives_back(tides: GraphClient) -> None:
    seq = tides.delete(f"{DOCUMENTS}/tides.md").json()["seq"]

    now = call(tides, "knowledge_query", {"question": "moon", "at_least": seq}).content
    then = call(tides, "knowledge_query", {"question": "moon", "as_of": f"seq:{seq - 1}"}).content

    assert (now["evidence"], now["seq"] >= seq) == ([], True)
    assert "quarter moon" in then["evidence"][0]["text"]


@pytest.mark.parametrize(("tool", "arguments"), ASKED, ids=[tool for tool, _ in ASKED])
def test_every_tool_keeps_its_form_and_the_policy_and_tenants_apart(
    tides: GraphClient, decisions: FakeDecisionPoint, tool: str, arguments: dict[str, Any]
) -> None:
    (listed,) = (each.listed() for each in TOOLS if each.name == tool)

    own = call(tides, tool, arguments)
    denied = call(tides, tool, arguments, tenant="eve")
    other = call(tides, tool, arguments, tenant="umbrella")

    asked = [(each[1], each[2].id) for each in decisions.asked]
    promised = Draft202012Validator(listed.output_schema or {})
    assert promised.is_valid(own.content)  # pyright: ignore[reportUnknownMemberType]  # typed in part
    assert denied.code == "policy.denied"
    assert TIDES[10:20] not in str(other.content)
    assert "tides.md" not in str(other.content.get("documents"))
    assert asked[-3:] == [("graph.read", "acme"), ("graph.read", "acme"), ("graph.read", "umbrella")]


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("knowledge_query", {"question": "?!"}, "knowledge.question_refused"),
        ("knowledge_query", {}, "request.invalid"),
        ("knowledge_get", {"document": "a\0"}, "graph.invalid_query"),
        ("knowledge_get", {"document": "nowhere"}, "knowledge.document_not_found"),
        ("knowledge_get", {"document": "tides.md", "start": 999}, "graph.invalid_query"),
        ("knowledge_list", {"cursor": "a\0"}, "graph.invalid_query"),
    ],
)
def test_what_is_wrong_has_the_code_of_rest(
    tides: GraphClient, tool: str, arguments: dict[str, Any], code: str
) -> None:
    assert call(tides, tool, arguments).code == code


def test_tools_are_listed_only_where_knowledge_is_on(tides: GraphClient, graph_api: GraphClient) -> None:
    names = {tool.name for tool in TOOLS}

    with_it, without = (
        {tool["name"] for tool in posted(api, message("tools/list")).json()["result"]["tools"]}
        for api in (tides, graph_api)
    )

    assert names < with_it
    assert with_it - without == names


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_an_agent_is_told_what_a_tool_and_each_argument_is_for(tool: AnyTool) -> None:
    listed = tool.listed()

    described: dict[str, dict[str, Any]] = listed.input_schema["properties"]
    assert len(tool.description) > 40
    assert [name for name, each in described.items() if "description" not in each] == []
    assert listed.input_schema["additionalProperties"] is False
    assert listed.annotations is not None
    assert listed.annotations.read_only_hint is True


def test_the_guides_table_has_every_tool_with_its_arguments_and_no_other() -> None:
    guide = (ROOT / "docs/guide/mcp.md").read_text("utf-8")

    rows = [
        f"| `{tool.name}` | {tool.title} | `graph.read` | "
        + ", ".join(f"`{name}`" for name in tool.listed().input_schema["properties"] if name not in MOMENT)
        + " |"
        for tool in TOOLS
    ]
    assert [line for line in guide.splitlines() if line.startswith("| `knowledge_")] == rows
    assert {tool.permitted for tool in TOOLS} == {may_read}
