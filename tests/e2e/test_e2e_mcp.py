"""An agent's program on the machine of the runtime: it starts `aeterna mcp` and is told nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from fixtures.fix_live_runtime import AETERNA, clean_environment

if TYPE_CHECKING:
    from fixtures.fix_live_runtime import LiveRuntime

pytestmark = pytest.mark.anyio


async def test_what_an_agent_links_is_there_for_the_other_commands(live: LiveRuntime) -> None:
    """With the token that the runtime minted for this machine's user."""
    environment = {**clean_environment(), "AETERNA_STATE_DIR": str(live.root)}
    nodes = [{"id": "mcp:a", "kind": "Thing"}, {"id": "mcp:b", "kind": "Thing"}]
    edge = {"source": "mcp:a", "type": "knows", "target": "mcp:b", "nodes": nodes}

    async with Client(StdioServerParameters(command=AETERNA[0], args=[*AETERNA[1:], "mcp"], env=environment)) as agent:
        linked = await agent.call_tool("graph_link", edge)

    assert not linked.is_error
    assert live.run("graph", "path", "mcp:a", "mcp:b").stdout == "mcp:a\n  -[knows]-> mcp:b\n"
