"""Decisions asked of a policy decision point over AuthZEN 1.0, on TCP or a Unix socket; doubt is never a permit."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

import httpx

from aeterna.service.decision import Decision
from aeterna.service.errors import DecisionUnavailableError
from aeterna.service.ports import NOTHING_MORE
from aeterna.service.trace import current_trace_id, outgoing_traceparent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aeterna.service.caller import Caller
    from aeterna.service.decision import Resource
    from aeterna.service.json_value import JsonValue

_EVALUATION: Final = "/access/v1/evaluation"
_MAX_ANSWER_BYTES: Final = 64 * 1024


class AuthZenDecisionPoint:
    """Asks one decision point, which lives beside the service: a short timeout, few connections, no retries.

    AuthZEN Authorization API 1.0, section 6 (access evaluation).
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: timedelta = timedelta(seconds=1),
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take ``http://host:port`` or ``unix:/path``; a transport is given where there is no network between."""
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=16)
        if transport is None:
            socket = url.removeprefix("unix:") if url.startswith("unix:") else None
            transport = httpx.AsyncHTTPTransport(uds=socket, limits=limits)
        self._timeout = timeout.total_seconds()
        self._client = httpx.AsyncClient(
            base_url="http://policy" if url.startswith("unix:") else url,
            timeout=timeout.total_seconds(),
            transport=transport,
            trust_env=False,
        )

    async def decide(
        self, caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue] = NOTHING_MORE
    ) -> Decision:
        """Return the decision, or raise `DecisionUnavailableError`."""
        headers = {"Content-Type": "application/json"}
        if trace_id := current_trace_id():
            headers["X-Request-ID"] = trace_id
        if traceparent := outgoing_traceparent():
            headers["traceparent"] = traceparent
        answer = await self._ask(
            "POST", _EVALUATION, content=_question(caller, action, resource, context), headers=headers
        )
        return _decision(answer)

    async def check(self) -> None:
        """Return when the decision point says that it is ready, or raise `DecisionUnavailableError`."""
        await self._ask("GET", "/ready")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> bytes:
        """Return the body of a 200 answer of bounded size; anything else is no answer."""
        try:
            # httpx bounds each read; an answer that drips needs a bound on the whole.
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream(method, path, content=content, headers=headers) as response,
            ):
                if response.status_code != HTTPStatus.OK:
                    raise DecisionUnavailableError(f"the decision point answered {response.status_code}")
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER_BYTES:
                        raise DecisionUnavailableError("the decision point's answer is too large to be one")
                return bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, RuntimeError) as exc:
            # A closed client raises RuntimeError: a request that outlived the service's shutdown is not allowed either.
            raise DecisionUnavailableError("the decision point does not answer") from exc


def _question(caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(
        {
            "subject": {
                "type": caller.kind,
                "id": caller.subject,
                # Sorted, because equal questions should be equal bytes: the decision point caches.
                "properties": {"tenant": caller.tenant, "roles": sorted(caller.roles)},
            },
            "action": {"name": action},
            "resource": {"type": resource.type, "id": resource.id, "properties": {"tenant": resource.tenant}},
            "context": dict(context),
        }
    ).encode()


def _decision(answer: bytes) -> Decision:
    """Parse an answer strictly: only the JSON ``true`` is a permit, and an unclear document is no decision at all."""
    try:
        parsed: object = json.loads(answer)
    except ValueError as exc:
        raise DecisionUnavailableError("the decision point's answer is not JSON") from exc
    document = cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}
    allowed, context = document.get("decision"), document.get("context", {})
    if not isinstance(allowed, bool) or not isinstance(context, dict):
        raise DecisionUnavailableError("the decision point's answer is not a decision")
    facts = cast("dict[str, object]", context)
    policies, epoch, digest = facts.get("policies", []), facts.get("epoch"), facts.get("digest")
    return Decision(
        allowed=allowed,
        policies=tuple(str(name) for name in cast("list[object]", policies)) if isinstance(policies, list) else (),
        epoch=epoch if isinstance(epoch, int) and not isinstance(epoch, bool) else None,
        digest=digest if isinstance(digest, str) else None,
    )
