"""Decisions asked of a policy decision point over AuthZEN 1.0, through the enforcement point's client."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aeterna.enforcement.client import ClientOptions, DecisionClient, new_request_id
from aeterna.enforcement.neighbour import REQUEST_ID
from aeterna.enforcement.question import Entity, Question
from aeterna.service.metrics import EnforcementMetrics
from aeterna.service.ports import NOTHING_MORE
from aeterna.service.trace import current_trace_id, outgoing_traceparent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client import CollectorRegistry

    from aeterna.enforcement.ports import Observer
    from aeterna.service.caller import Caller
    from aeterna.service.decision import Decision, Resource
    from aeterna.service.json_value import JsonValue
    from aeterna.service.settings import ServiceSettings


class AuthZenDecisionPoint:
    """Asks one decision point, which lives beside the service, about callers whose tokens were proven."""

    def __init__(
        self,
        url: str,
        *,
        timeout: timedelta = timedelta(seconds=1),
        ttl: timedelta = timedelta(0),
        observer: Observer | None = None,
    ) -> None:
        """Take ``http://host:port`` or ``unix:/path``; the timeout is for a whole question with its answer.

        A decision is remembered for at most ``ttl``, and by default not at all.
        """
        self._client = DecisionClient(
            url, options=ClientOptions(timeout=timeout, ttl=ttl), headers=_headers, observer=observer
        )

    @classmethod
    def of(cls, settings: ServiceSettings, registry: CollectorRegistry) -> AuthZenDecisionPoint:
        """Return the decision point that a service's settings name, observed in its metrics."""
        return cls(
            settings.policy_url,
            timeout=settings.policy_timeout,
            ttl=settings.policy_ttl,
            observer=EnforcementMetrics(registry),
        )

    async def decide(
        self, caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue] = NOTHING_MORE
    ) -> Decision:
        """Return the decision, or raise `DecisionUnavailableError`."""
        return await self._client.evaluation(_question(caller, action, resource, context))

    async def check(self) -> None:
        """Return when the decision point says that it is ready, or raise `DecisionUnavailableError`."""
        await self._client.check()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _headers() -> Mapping[str, str]:
    """Return the trace of the request being handled; outside of one, an id of the question's own."""
    trace_id = current_trace_id()
    headers = {REQUEST_ID: trace_id} if trace_id is not None else dict(new_request_id())
    if traceparent := outgoing_traceparent():
        headers["traceparent"] = traceparent
    return headers


def _question(caller: Caller, action: str, resource: Resource, context: Mapping[str, JsonValue]) -> Question:
    return Question(
        subject=Entity(
            type=caller.kind,
            id=caller.subject,
            # Sorted, because equal questions should be equal bytes: both sides remember answers.
            properties={"tenant": caller.tenant, "roles": [*sorted(caller.roles)]},
        ),
        action=action,
        resource=Entity(type=resource.type, id=resource.id, properties={"tenant": resource.tenant}),
        context=context,
    )
