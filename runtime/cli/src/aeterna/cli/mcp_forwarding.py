"""Serves a deployment's tools to an agent on this machine: messages come on stdin, and go out over HTTP."""

from __future__ import annotations

import importlib.metadata
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, cast

import httpx2
from mcp import MCPError, types
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server

from aeterna.cli.errors import EndpointRefusedError, EndpointUnreachableError, EndpointUnusableError
from aeterna.cli.mcp_transport import UNREACHABLE_CODE, UNUSABLE_TOKEN_CODE, BearerTransport

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from aeterna.client.settings import Settings

PATH: Final = "/mcp"
# Longer than any deployment lets a request last, which answers by itself then.
_TIMEOUT: Final = httpx2.Timeout(10, read=300)
_REFUSALS: Final = frozenset({401, 403})


async def forward(settings: Settings) -> None:
    """Serve on stdin and stdout until stdin ends.

    Raise `EndpointUnreachableError`, `EndpointRefusedError` or `EndpointUnusableError` when the deployment does not
    answer at the beginning; later failures are answers to the messages that meet them.
    """
    url = settings.url("graph").rstrip("/") + PATH
    transport = BearerTransport(settings.token, verify=settings.trusted())
    async with (
        httpx2.AsyncClient(transport=transport, trust_env=False, timeout=_TIMEOUT) as http,
        AsyncExitStack() as stack,
    ):
        client = Client(streamable_http_client(url, http_client=http), cache=None)
        try:
            deployment = await stack.enter_async_context(client)
        except ExceptionGroup as failures:
            failed = _first_answer(failures)
            if failed is None:
                raise
            raise _explained(failed, url) from failures
        server = _server(deployment)
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())


def _server(deployment: Client) -> Server[Any]:
    """Return the server of this side, which has the tools of the other one."""

    async def list_tools(
        _context: ServerRequestContext[Any, Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return await deployment.list_tools(cursor=None if params is None else params.cursor)

    async def call_tool(
        _context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await deployment.call_tool(params.name, params.arguments)

    return Server(
        "aeterna",
        title="Aeterna",
        version=importlib.metadata.version("aeterna-cli"),
        instructions=deployment.instructions,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _first_answer(failures: BaseExceptionGroup[Exception]) -> MCPError | None:
    """Return the protocol's error, which its library wraps once for each group of tasks that it passes."""
    for failure in failures.exceptions:
        found = _first_answer(failure) if isinstance(failure, BaseExceptionGroup) else failure
        if isinstance(found, MCPError):
            return found
    return None


def _explained(failed: MCPError, url: str) -> EndpointUnreachableError | EndpointRefusedError | EndpointUnusableError:
    data: object = failed.error.data
    # What came over the wire: any JSON.
    problem = cast("dict[str, Any]", data) if isinstance(data, dict) else {}
    if problem.get("code") == UNREACHABLE_CODE:
        return EndpointUnreachableError(str(problem["detail"]))
    if problem.get("code") == UNUSABLE_TOKEN_CODE or problem.get("status") in _REFUSALS:
        return EndpointRefusedError(failed.message)
    return EndpointUnusableError(url, failed.message)
