"""The SDK's adapters of 0.3, except that their errors name the trace and say nothing of the inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# The second import fails unless the first was made: the two packages import each other.
import a2a.server.routes  # noqa: F401 # pyright: ignore[reportUnusedImport] - see above
from a2a.compat.v0_3.jsonrpc_adapter import JSONRPC03Adapter
from a2a.compat.v0_3.rest_adapter import REST03Adapter
from a2a.server.jsonrpc_models import InvalidRequestError as Malformed
from a2a.utils.errors import A2AError, InternalError, InvalidRequestError

from aeterna.a2a.api.answered import tracing
from aeterna.a2a.api.problem import traced

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from a2a.server.context import ServerCallContext
    from a2a.server.jsonrpc_models import JSONRPCError
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response


class LegacyJsonRpc(JSONRPC03Adapter):
    """JSON-RPC of 0.3."""

    def _generate_error_response(self, request_id: str | int | None, error: Exception | JSONRPCError) -> JSONResponse:
        return super()._generate_error_response(request_id, _shown(error))


class LegacyRest(REST03Adapter):
    """HTTP+JSON of 0.3."""

    async def _handle_request(
        self,
        method: Callable[[Request, ServerCallContext], Awaitable[Any]],
        request: Request,
    ) -> Response:
        async def answered(request: Request, context: ServerCallContext) -> object:
            with tracing():
                return await method(request, context)

        return await super()._handle_request(answered, request)


def _shown(error: Exception | JSONRPCError) -> A2AError:
    if isinstance(error, A2AError):
        return traced(error)
    if isinstance(error, Malformed):
        return traced(InvalidRequestError(data={"parseError": str(error.data)}))
    return traced(InternalError(message="The agent failed in a way it did not foresee"))
