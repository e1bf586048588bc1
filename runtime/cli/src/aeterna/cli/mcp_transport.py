"""How messages of the Model Context Protocol reach a deployment: with this command's token, and failures in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

import httpx2
from mcp import types

from aeterna.client import ConfigurationError

if TYPE_CHECKING:
    import ssl

    from aeterna.client import TokenSource

_PROBLEM: Final = "application/problem+json"
UNREACHABLE_CODE: Final = "cli.unreachable"
UNUSABLE_TOKEN_CODE: Final = "cli.token_unusable"  # noqa: S105 - a code, not a token


class BearerTransport(httpx2.AsyncBaseTransport):
    """Sends requests with the token of now, and answers in JSON-RPC where no JSON-RPC came back.

    The protocol's library makes "Server returned an error response" of a problem document, and ends when a connection
    fails. Neither tells the person or the model at the other end what to do.
    """

    def __init__(self, token: TokenSource, *, verify: ssl.SSLContext | bool) -> None:
        self._token = token
        self._inner = httpx2.AsyncHTTPTransport(verify=verify)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        try:
            request.headers["Authorization"] = f"Bearer {self._token.token()}"
            response = await self._inner.handle_async_request(request)
        except ConfigurationError as unusable:
            return _failure({"code": UNUSABLE_TOKEN_CODE, "detail": str(unusable)})
        except httpx2.TransportError as lost:
            where = f"{request.url.scheme}://{request.url.netloc.decode('ascii')}"
            return _failure({"code": UNREACHABLE_CODE, "detail": f"{where} cannot be reached: {lost}"})
        if response.headers.get("content-type", "").startswith(_PROBLEM):
            return _failure(_document(await response.aread()))
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _document(body: bytes) -> dict[str, Any]:
    try:
        document: object = json.loads(body)
    except ValueError:
        document = None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _failure(problem: dict[str, Any]) -> httpx2.Response:
    """Return a JSON-RPC error whose data is the problem; the client puts in the request's id."""
    code, detail = str(problem.get("code", "http.error")), str(problem.get("detail", "the service refused the request"))
    error = {"code": types.INTERNAL_ERROR, "message": f"{code}: {detail}", "data": problem}
    return httpx2.Response(502, json={"jsonrpc": "2.0", "id": None, "error": error})
