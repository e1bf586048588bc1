"""The guide's table of tools is the list that the service serves, and what it says of them is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.api.api.requests import may_read, may_write
from aeterna.api.api.tools.endpoint import MAX_MESSAGE_BYTES
from aeterna.api.api.tools.graph_arguments import MAX_TOOL_HOPS, MAX_TOOL_NODES
from aeterna.api.api.tools.graph_tools import graph_tools
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from aeterna.api.api.tools.tool import AnyTool

GUIDE = (ROOT / "docs" / "guide" / "mcp.md").read_text("utf-8")
TOOLS = graph_tools(lambda: "id")
EVERYWHERE = {"as_of", "at_least"}


def arguments(tool: AnyTool) -> list[str]:
    return list(tool.listed().input_schema["properties"])


def row(tool: AnyTool) -> str:
    action = {may_read: "graph.read", may_write: "graph.write"}[tool.permitted]
    named = ", ".join(f"`{name}`" for name in arguments(tool) if name not in EVERYWHERE)
    return f"| `{tool.name}` | {tool.title} | `{action}` | {named} |"


def test_the_table_has_every_tool_with_its_arguments_and_no_other() -> None:
    assert [line for line in GUIDE.splitlines() if line.startswith("| `graph_")] == [row(tool) for tool in TOOLS]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_what_reads_asks_for_reading_and_takes_a_moment(tool: AnyTool) -> None:
    reads = tool.effect == "reads"

    assert (tool.permitted is may_read) is reads
    assert EVERYWHERE.issubset(arguments(tool)) is reads


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_an_agent_is_told_what_a_tool_and_each_argument_is_for(tool: AnyTool) -> None:
    listed = tool.listed()
    hints = listed.annotations

    assert len(tool.description) > 40
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (tool.effect == "reads", tool.effect == "removes")
    assert listed.input_schema["type"] == "object"
    assert listed.output_schema is not None
    assert {"type", "properties"} <= listed.output_schema.keys()
    assert listed.input_schema["additionalProperties"] is False


def test_the_limits_are_those_that_the_guide_says() -> None:
    assert f"at most {MAX_MESSAGE_BYTES // 1024} KiB" in GUIDE
    assert f"(at most {MAX_TOOL_NODES})" in GUIDE
    assert f"at most {MAX_TOOL_HOPS} hops" in GUIDE
