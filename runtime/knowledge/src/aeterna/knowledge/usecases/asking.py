"""Asks a model within a tenant's budget: never the same twice, and once more where an answer cannot be used."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from aeterna.knowledge.domain.models import Finish, KeptAnswer
from aeterna.knowledge.domain.prompts import asked_again, messages_of, question_key
from aeterna.knowledge.domain.reports import Instead
from aeterna.knowledge.domain.tokens import tokens_of
from aeterna.knowledge.errors import ModelAnswerError, ModelUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.models import Message, ModelAnswer, Question
    from aeterna.knowledge.domain.verified import Verified
    from aeterna.knowledge.ports import AnswerCache, LanguageModel, TokenLedger

T = TypeVar("T")

_MESSAGE_TOKENS: Final = 8
_FORM_TOKENS: Final = 200
_MOST_FAILURES: Final = 3


class Asking:
    """One tenant's questions to one model, in one round.

    After three calls in a row that failed the model is let alone: the endpoint is away, and each call has been tried
    more than once already.
    """

    def __init__(
        self,
        tenant: TenantId,
        model: LanguageModel,
        cache: AnswerCache,
        ledger: TokenLedger,
        *,
        fence: Callable[[], str],
    ) -> None:
        """Take ``fence``, which draws a name that no document can know."""
        self._tenant = tenant
        self._model = model
        self._cache = cache
        self._ledger = ledger
        self._fence = fence
        self._failures = 0
        self._under_way: dict[str, tuple[asyncio.Lock, int]] = {}

    @property
    def model(self) -> str:
        """What the model is called."""
        return self._model.name

    async def ask(
        self, question: Question, units: frozenset[UnitId], verify: Callable[[str], Verified[T]]
    ) -> T | Instead:
        """Return what stands of the answer, or why there is none.

        ``units`` are those that the question is about; none if it is about reports.
        """
        key = question_key(question, self._model.name)
        async with self._alone(key):
            kept = await self._cache.get(self._tenant, key)
            if kept is not None:
                # What is kept is looked at again: it could be kept by somebody who looked less closely.
                value = verify(kept.text).value if kept.instead is None else None
                return value if value is not None else kept.instead or Instead.UNVERIFIED
            text, outcome = await self._asked(question, verify)
            if isinstance(outcome, Instead):
                if not outcome.passing:
                    await self._cache.put(self._tenant, key, KeptAnswer(instead=outcome, units=units))
                return outcome
            await self._cache.put(self._tenant, key, KeptAnswer(text=text, units=units))
            return outcome

    async def _asked(self, question: Question, verify: Callable[[str], Verified[T]]) -> tuple[str, T | Instead]:
        messages = messages_of(question, self._fence())
        for _ in range(2):
            answer = await self._answer(messages, question)
            if isinstance(answer, Instead):
                return "", answer
            if answer.finish is Finish.REFUSED:
                return "", Instead.REFUSED
            if answer.finish is Finish.CUT_OFF:
                problem = "it is too long and was cut off"
            else:
                verified = verify(answer.text)
                if verified.value is not None:
                    return answer.text, verified.value
                problem = verified.problem
            messages = asked_again(messages_of(question, self._fence()), answer.text, problem)
        return "", Instead.UNVERIFIED

    async def _answer(self, messages: tuple[Message, ...], question: Question) -> ModelAnswer | Instead:
        if self._failures >= _MOST_FAILURES:
            return Instead.UNAVAILABLE
        expected = sum(tokens_of(one.content) + _MESSAGE_TOKENS for one in messages)
        reservation = await self._ledger.reserve(self._tenant, expected + _FORM_TOKENS + question.answer_tokens)
        if reservation is None:
            return Instead.BUDGET
        try:
            answer = await self._model.answer(messages, question.form, max_tokens=question.answer_tokens)
        except ModelUnavailableError as exc:
            self._failures += 1
            # What got lost on the way may have been counted: the budget is a bound, so it is taken for spent.
            await self._ledger.settle(self._tenant, reservation, exc.lost * reservation.tokens)
            return Instead.UNAVAILABLE
        except ModelAnswerError:
            # It answered something, and so it counted something: what was set aside is spent.
            self._failures += 1
            return Instead.UNAVAILABLE
        self._failures = 0
        await self._ledger.settle(self._tenant, reservation, answer.tokens)
        return answer

    @asynccontextmanager
    async def _alone(self, key: str) -> AsyncGenerator[None]:
        """Let one of those with the same question ask, and the others find its answer."""
        lock, waiting = self._under_way.get(key, (asyncio.Lock(), 0))
        self._under_way[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._under_way.pop(key)
            if waiting > 1:
                self._under_way[key] = (lock, waiting - 1)
