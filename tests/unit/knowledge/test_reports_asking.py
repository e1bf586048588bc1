"""A model is asked within a budget, never the same twice, and left alone when it is in trouble."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from aeterna.graph.domain.identifiers import TenantId
from aeterna.knowledge.domain.budgets import TokenLimits
from aeterna.knowledge.domain.models import AnswerForm, Finish, ModelAnswer, Question, Source
from aeterna.knowledge.domain.reports import Instead
from aeterna.knowledge.domain.verified import Verified
from aeterna.knowledge.errors import ModelAnswerError, ModelRejectedError, ModelUnavailableError
from aeterna.knowledge.testing.models import InMemoryAnswers, InMemoryTokens, ScriptedModel
from aeterna.knowledge.usecases.asking import Asking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aeterna.knowledge.domain.models import Message
    from aeterna.knowledge.errors import ModelError

TENANT = TenantId("acme")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def question(text: str = "one") -> Question:
    form = AnswerForm(name="any", schema={})
    return Question(
        version=1, instructions="Say it.", about="", sources=(Source(text=text),), form=form, answer_tokens=100
    )


def accepted(text: str) -> Verified[str]:
    return Verified(value=text, problem="") if text.startswith("good") else Verified(value=None, problem="it is bad")


class Bench:
    """A model with a script, a cache and a budget."""

    def __init__(
        self,
        say: Callable[[Sequence[Message]], str | ModelAnswer | ModelError],
        *,
        limits: TokenLimits | None = None,
    ) -> None:
        self.model = ScriptedModel(say)
        self.answers = InMemoryAnswers()
        self.tokens = InMemoryTokens(limits or TokenLimits(), lambda: NOON)
        self.asking = self.round()

    def round(self) -> Asking:
        """Begin a round."""
        return Asking(TENANT, self.model, self.answers, self.tokens, fence=lambda: "fence")

    async def ask(self, text: str = "one") -> str | Instead:
        """Ask about a text."""
        return await self.asking.ask(question(text), frozenset(), accepted)

    @property
    def spent(self) -> int:
        """What the budget says was spent."""
        return self.tokens.spending[TENANT].day_tokens


def test_the_same_question_is_asked_once_at_the_same_time_and_ever_after() -> None:
    async def run() -> None:
        bench = Bench(lambda _: "good")
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(bench.ask()) for _ in range(5)]
        bench.asking = bench.round()

        assert {task.result() for task in asked} | {await bench.ask()} == {"good"}
        assert len(bench.model.asked) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("said", "why", "calls"),
    [
        pytest.param("bad", Instead.UNVERIFIED, 2, id="nothing stands"),
        pytest.param(ModelAnswer(text="", finish=Finish.REFUSED, tokens=5), Instead.REFUSED, 1, id="refused"),
        pytest.param(ModelAnswer(text="good", finish=Finish.CUT_OFF, tokens=5), Instead.UNVERIFIED, 2, id="cut off"),
    ],
)
def test_what_was_asked_in_vain_is_not_asked_again(said: str | ModelAnswer, why: Instead, calls: int) -> None:
    async def run() -> None:
        bench = Bench(lambda _: said)

        assert [await bench.ask(), await bench.ask()] == [why, why]
        assert len(bench.model.asked) == calls

    asyncio.run(run())


def test_a_bad_answer_is_sent_back_with_what_is_wrong_with_it() -> None:
    async def run() -> None:
        bench = Bench(lambda messages: "good" if "it is bad" in messages[-1].content else "bad")

        assert await bench.ask() == "good"
        assert [message.content for message in bench.model.asked[1][2:3]] == ["bad"]

    asyncio.run(run())


@pytest.mark.parametrize(
    "error", [ModelUnavailableError("is away"), ModelRejectedError("refuses"), ModelAnswerError("says nonsense")]
)
def test_a_model_in_trouble_is_left_alone_for_the_round_and_asked_in_the_next(error: ModelError) -> None:
    async def run() -> None:
        away = [True]
        bench = Bench(lambda _: error if away[0] else "good")

        outcomes = [await bench.ask(f"text {number}") for number in range(6)]

        assert outcomes == [Instead.UNAVAILABLE] * 6
        assert len(bench.model.asked) == 3
        away[0] = False
        bench.asking = bench.round()
        assert await bench.ask("text 0") == "good"

    asyncio.run(run())


def test_a_budget_counts_what_the_model_counted() -> None:
    async def run() -> None:
        bench = Bench(lambda _: ModelAnswer(text="good", finish=Finish.WHOLE, tokens=321))
        await bench.ask()
        assert bench.spent == 321

    asyncio.run(run())


def test_a_call_that_was_refused_costs_nothing_and_one_that_got_lost_costs_what_was_set_aside() -> None:
    async def run() -> None:
        refused, lost = (Bench(lambda _, n=n: ModelUnavailableError("is away", lost=n)) for n in (0, 2))
        await refused.ask()
        await lost.ask()
        assert refused.spent == 0
        assert lost.spent > 2 * 100

    asyncio.run(run())


def test_without_a_budget_the_model_is_not_called() -> None:
    async def run() -> None:
        bench = Bench(lambda _: "good", limits=TokenLimits(window=10, day=10))

        assert await bench.ask() is Instead.BUDGET
        assert bench.model.asked == []

    asyncio.run(run())


def test_two_tenants_share_no_answer_and_no_budget() -> None:
    async def run() -> None:
        bench = Bench(lambda _: "good")
        await bench.ask()
        other = Asking(TenantId("other"), bench.model, bench.answers, bench.tokens, fence=lambda: "fence")

        await other.ask(question(), frozenset(), accepted)

        assert len(bench.model.asked) == 2
        assert bench.tokens.spending[TENANT] == bench.tokens.spending[TenantId("other")]

    asyncio.run(run())
