"""The Model Context Protocol over streamable HTTP: one route, without sessions, whose callers bear our tokens."""

# Without the postponed annotations that we have elsewhere: FastAPI reads these at run time.
import logging
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Request, Response
from mcp import types as mcp_types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from aeterna.api.api.tools import outcomes
from aeterna.api.api.tools.tool import AnyTool
from aeterna.api.ports import ToolObserver
from aeterna.contracts.errors import AeternaError
from aeterna.service.access import caller
from aeterna.service.asgi import App, Receive, Scope, Send
from aeterna.service.caller import Caller
from aeterna.service.errors import OriginRefusedError
from aeterna.service.limits import RequestLimits
from aeterna.service.problem import Problem, unexpected

MAX_MESSAGE_BYTES: Final = 256 * 1024
"""A message is parsed and checked on the event loop: what is larger belongs into a session over REST."""

_INSTRUCTIONS: Final = (
    "A graph of typed nodes and edges that belongs to the tenant of your token. Find nodes with graph_search or "
    "graph_query, look around them with graph_neighbors, graph_traverse or graph_context, and change it with "
    "graph_link and graph_unlink. Answers say the seq of the state that they are from: give it back as at_least to "
    "read what you wrote. as_of asks about the past. Long answers have a next_cursor."
)
_WITH_KNOWLEDGE: Final = (
    " For what the tenant's documents say, ask knowledge_query, cite what it returns, and open more of a document with "
    "knowledge_get."
)

log = logging.getLogger(__name__)


class ToolServer:
    """Serves tools to whoever a request proves; of one request nothing is left for the next, in any replica."""

    def __init__(self, tools: Sequence[AnyTool], *, version: str, observer: ToolObserver, timeout: timedelta) -> None:
        self._tools: Mapping[str, AnyTool] = {tool.name: tool for tool in tools}
        self._observer = observer
        # Made once: the schemas of pydantic's models cost milliseconds.
        self._listed = [tool.listed() for tool in tools]
        schemas = {tool.name: tool.input_schema for tool in self._listed}
        server: Server[Any] = Server(
            "aeterna",
            title="Aeterna",
            version=version,
            instructions=_INSTRUCTIONS + (_WITH_KNOWLEDGE if "knowledge_query" in schemas else ""),
            get_tool_input_schema=schemas.get,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(
            server, json_response=True, stateless=True, max_request_body_size=MAX_MESSAGE_BYTES
        )
        self.app: App = RequestLimits(self._manager.asgi_app, max_body_bytes=MAX_MESSAGE_BYTES, timeout=timeout)
        """What answers one message."""

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Serve until the block ends; once only."""
        async with self._manager.run():
            yield

    async def _list(
        self, _context: ServerRequestContext[Any, Any], _params: mcp_types.PaginatedRequestParams | None
    ) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(tools=self._listed)

    async def _call(
        self, context: ServerRequestContext[Any, Any], params: mcp_types.CallToolRequestParams
    ) -> mcp_types.CallToolResult:
        tool = self._tools.get(params.name)
        if tool is None:
            raise MCPError(mcp_types.INVALID_PARAMS, f"there is no tool {params.name[:64]!r}; tools/list names them")
        begun = time.perf_counter()
        request = cast("Request", context.request)
        outcome = await _outcome(tool, request, params.arguments or {})
        code = outcome.code if isinstance(outcome, Problem) else None
        self._observer.called(tool.name, code, time.perf_counter() - begun)
        # For the log's line of the request: its status is 200 whatever the tool says.
        request.state.problem = code
        if isinstance(outcome, Problem):
            return outcomes.failed(outcome, f"{request.url.path}#{tool.name}")
        return outcomes.answered(outcome)


async def _outcome(tool: AnyTool, request: Request, given: dict[str, Any]) -> dict[str, Any] | Problem:
    """Call the tool for the caller whom the route proved."""
    try:
        return await tool(request, cast("Caller", request.state.caller), given)
    except AeternaError as error:
        return outcomes.refused(error)
    except ValidationError as error:
        return outcomes.wrong_arguments(error)
    except Exception:
        # The edge of the process: the library would answer with the exception's own text.
        log.exception("tool.failed", extra={"tool": tool.name})
        return unexpected()


class _HandedOver(Response):
    """An answer that another application gives to the same request."""

    def __init__(self, app: App) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer."""
        await self._app(scope, receive, send)


def _of_no_strange_page(request: Request) -> None:
    """Refuse what a browser sends for a page that nobody named: a page can reach what its visitor reaches.

    A name that a page's owner lets point at this machine (DNS rebinding) changes nothing about the origin that the
    browser says. Agents say none.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin not in cast("Sequence[str]", request.app.state.origins):
        raise OriginRefusedError


messages = APIRouter()


# Not in the OpenAPI document: what a message holds is described by the protocol, and tools by tools/list.
@messages.post("/mcp", dependencies=[Depends(_of_no_strange_page)], response_class=Response, include_in_schema=False)
async def post_message(request: Request, _caller: Annotated[Caller, Depends(caller)]) -> Response:
    """Take one message of the Model Context Protocol; there are no sessions, and no streams."""
    return _HandedOver(cast("ToolServer", request.app.state.tools).app)
