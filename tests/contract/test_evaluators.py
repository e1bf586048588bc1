"""What everything that evaluates owes an enforcement point: the fake, and the client in front of the real sidecar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import uvicorn

from aeterna.enforcement import DecisionClient, DecisionUnavailableError, Entity, Question
from aeterna.enforcement.testing import FakeEvaluator
from aeterna.policy.main import build
from aeterna.policy.settings import PolicySettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aeterna.enforcement.ports import Evaluator

pytestmark = pytest.mark.anyio


def asked(action: str, *, roles: tuple[str, ...] = ("reader",), owner: str = "acme", **context: object) -> Question:
    """Return a question that the shipped policies understand."""
    return Question(
        subject=Entity(type="User", id="ada", properties={"tenant": "acme", "roles": [*roles]}),
        action=action,
        resource=Entity(type="Graph", id="main", properties={"tenant": owner}),
        context=context,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - also what JSON cannot say
    )


READ, WRITE, FOREIGN = asked("graph.read"), asked("graph.write"), asked("graph.read", owner="globex")


@pytest.fixture(params=["fake", "client", "remembering"])
async def evaluator(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Evaluator]:
    """Return each implementation in turn."""
    if request.param == "fake":
        yield FakeEvaluator(allow=lambda question: question == READ)
        return
    socket = str(tmp_path / "s")
    app = build(PolicySettings(state=tmp_path / "state"))
    server = uvicorn.Server(uvicorn.Config(app, uds=socket, log_config=None, lifespan="off"))
    config = server.config
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    async with DecisionClient(f"unix:{socket}") as client:
        if request.param == "remembering":
            await client.evaluations([READ, WRITE, FOREIGN])
        yield client
    app.drain.begin()
    await server.shutdown()


async def test_a_permit_and_a_deny_are_values(evaluator: Evaluator) -> None:
    decisions = [await evaluator.evaluation(question) for question in (READ, WRITE, FOREIGN)]

    assert [decision.allowed for decision in decisions] == [True, False, False]


async def test_several_decisions_come_in_the_order_of_their_questions(evaluator: Evaluator) -> None:
    decisions = await evaluator.evaluations([WRITE, READ, FOREIGN, READ])

    assert [decision.allowed for decision in decisions] == [False, True, False, True]


async def test_a_decision_says_by_which_edition_it_was_made(evaluator: Evaluator) -> None:
    decision = await evaluator.evaluation(READ)

    assert decision.epoch == 1
    assert (decision.digest or "").startswith("sha256:")
    assert decision.policies


async def test_no_questions_have_no_decisions(evaluator: Evaluator) -> None:
    assert await evaluator.evaluations([]) == []


async def test_what_json_cannot_say_has_no_decision(evaluator: Evaluator) -> None:
    with pytest.raises(DecisionUnavailableError):
        await evaluator.evaluation(asked("graph.read", x=float("nan")))
