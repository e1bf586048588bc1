"""How a service asks the policy: with its settings, with its metrics, and without remembering what was revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from aeterna.enforcement.breaker import State
from aeterna.enforcement.errors import Doubt
from aeterna.service.adapters.authzen import AuthZenDecisionPoint
from aeterna.service.caller import Caller, TenantId
from aeterna.service.decision import Resource
from aeterna.service.errors import DecisionUnavailableError
from aeterna.service.metrics import EnforcementMetrics
from aeterna.service.settings import ServiceSettings
from fixtures.scripted_point import decided, http, scripted, until

ACME = TenantId("acme")
READER = Caller(tenant=ACME, subject="ada", kind="User", roles=frozenset({"reader"}), token_id=None)
GRAPH = Resource(type="Graph", id="main", tenant=ACME)


class ShelfSettings(ServiceSettings):
    """The settings of a service of the test's own."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_prefix="AETERNA_SHELF_")


def settings(url: str, **changed: timedelta) -> ShelfSettings:
    """Return settings that ask at this address."""
    return ShelfSettings(port=0, issuer="urn:x", jwks="/jwks", policy_url=url, **changed)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_a_service_remembers_until_the_next_epoch_and_counts_it() -> None:
    registry = CollectorRegistry()
    permitted = True
    async with scripted(
        lambda _head, _body: http(decided(permitted, epoch=1 if permitted else 2, digest="sha256:1"))
    ) as point:
        point.say(1)
        decisions = AuthZenDecisionPoint.of(settings(point.url, policy_timeout=timedelta(seconds=10)), registry)
        await decisions.decide(READER, "graph.read", GRAPH)
        await until(lambda: registry.get_sample_value("aeterna_enforcement_epoch_stream") == 1)
        before = [await decisions.decide(READER, "graph.read", GRAPH) for _ in range(2)]
        permitted = False
        point.hang_up(streams_only=True)
        await until(lambda: registry.get_sample_value("aeterna_enforcement_epoch_stream") == 0)
        after = await decisions.decide(READER, "graph.read", GRAPH)
        await decisions.aclose()

    assert ([decision.allowed for decision in before], before[1].remembered, after.allowed) == (
        [True, True],
        True,
        False,
    )
    assert (registry.get_sample_value("aeterna_enforcement_remembered_total") or 0) >= 1
    assert registry.get_sample_value("aeterna_enforcement_question_seconds_count", {"decision": "deny"}) == 1


@pytest.mark.anyio
async def test_what_was_not_decided_is_counted_by_why() -> None:
    registry = CollectorRegistry()
    decisions = AuthZenDecisionPoint.of(settings("unix:/nowhere/s"), registry)

    for _ in range(6):
        with pytest.raises(DecisionUnavailableError):
            await decisions.decide(READER, "graph.read", GRAPH)
    await decisions.aclose()

    counted = {
        doubt.value: registry.get_sample_value("aeterna_enforcement_unavailable_total", {"doubt": doubt.value})
        for doubt in Doubt
    }
    assert counted == {"away": 5, "open": 1, "late": 0, "busy": 0, "unclear": 0, "unaskable": 0}
    assert registry.get_sample_value("aeterna_enforcement_circuit", {"state": "open"}) == 1


def test_the_circuit_is_in_one_state_at_a_time() -> None:
    registry = CollectorRegistry()
    metrics = EnforcementMetrics(registry)

    metrics.circuit(State.HALF_OPEN)

    states = {
        state: registry.get_sample_value("aeterna_enforcement_circuit", {"state": state.value}) for state in State
    }
    assert states == {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 0}


@pytest.mark.parametrize("seconds", [-1, 61])
def test_decisions_may_be_remembered_for_a_minute_at_most(seconds: int) -> None:
    with pytest.raises(ValidationError, match="policy_ttl"):
        settings("unix:/nowhere/s", policy_ttl=timedelta(seconds=seconds))
