"""Decisions asked of a policy decision point over AuthZEN 1.0, on TCP or a Unix socket; doubt is never a permit."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

from aeterna.service.adapters.neighbour import Neighbour, NeighbourError
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


class AuthZenDecisionPoint:
    """Asks one decision point, which lives beside the service: a short timeout, few connections, no retries.

    AuthZEN Authorization API 1.0, section 6 (access evaluation).
    """

    def __init__(self, url: str, *, timeout: timedelta = timedelta(seconds=1)) -> None:
        """Take ``http://host:port`` or ``unix:/path``; the timeout is for a whole question with its answer."""
        self._neighbour = Neighbour(url)
        self._timeout = timeout.total_seconds()

    async def decide(
        self, caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue] = NOTHING_MORE
    ) -> Decision:
        """Return the decision, or raise `DecisionUnavailableError`."""
        headers = {"Content-Type": "application/json"}
        if trace_id := current_trace_id():
            headers["X-Request-ID"] = trace_id
        if traceparent := outgoing_traceparent():
            headers["traceparent"] = traceparent
        answer = await self._ask("POST", _EVALUATION, headers, _question(caller, action, resource, context))
        return _decision(answer)

    async def check(self) -> None:
        """Return when the decision point says that it is ready, or raise `DecisionUnavailableError`."""
        await self._ask("GET", "/ready", {})

    async def aclose(self) -> None:
        """Close the connections."""
        await self._neighbour.aclose()

    async def _ask(self, method: str, path: str, headers: dict[str, str], content: bytes = b"") -> bytes:
        """Return the body of a 200 answer; anything else is no answer."""
        try:
            async with asyncio.timeout(self._timeout):
                status, body = await self._neighbour.exchange(method, path, headers, content)
        except TimeoutError as exc:
            raise DecisionUnavailableError("the decision point does not answer in time") from exc
        except NeighbourError as exc:
            raise DecisionUnavailableError(f"the decision point does not answer: {exc}") from exc
        if status != HTTPStatus.OK:
            raise DecisionUnavailableError(f"the decision point answered {status}")
        return body


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
