"""A model, an embedder, a cache and a ledger of tokens, in memory."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from aeterna.knowledge.domain.budgets import Spending, TokenLimits, reserved, settled
from aeterna.knowledge.domain.models import Finish, ModelAnswer
from aeterna.knowledge.domain.tokens import tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from aeterna.graph.domain.identifiers import TenantId
    from aeterna.knowledge.domain.budgets import Reservation
    from aeterna.knowledge.domain.documents import UnitId
    from aeterna.knowledge.domain.models import AnswerForm, KeptAnswer, Message, Vectors
    from aeterna.knowledge.errors import ModelError


class ScriptedModel:
    """A `LanguageModel` that answers what a function makes of the conversation, and raises what it returns so."""

    def __init__(
        self, answer: Callable[[Sequence[Message]], str | ModelAnswer | ModelError], name: str = "scripted"
    ) -> None:
        self._answer = answer
        self.name = name
        self.asked: list[tuple[Message, ...]] = []

    async def answer(self, messages: Sequence[Message], form: AnswerForm, *, max_tokens: int) -> ModelAnswer:
        """See `LanguageModel.answer`."""
        del form, max_tokens
        self.asked.append(tuple(messages))
        match self._answer(messages):
            case str() as text:
                tokens = sum(tokens_of(one.content) for one in messages) + tokens_of(text)
                return ModelAnswer(text=text, finish=Finish.WHOLE, tokens=tokens)
            case ModelAnswer() as answer:
                return answer
            case error:
                raise error


class HashedEmbedder:
    """An `Embedder` whose vectors count words: what shares words is near."""

    def __init__(self, dimensions: int = 64, name: str = "hashed") -> None:
        self._dimensions = dimensions
        self.name = name

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.casefold().split() or [text]:
                rows[row, int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % self._dimensions] += 1
        vectors: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return vectors


class InMemoryAnswers:
    """An `AnswerCache`; ``kept`` is all that is in it."""

    def __init__(self) -> None:
        self.kept: dict[TenantId, dict[str, KeptAnswer]] = defaultdict(dict)
        self._gone: dict[TenantId, set[UnitId]] = defaultdict(set)

    async def get(self, tenant: TenantId, key: str) -> KeptAnswer | None:
        """See `AnswerCache.get`."""
        return self.kept[tenant].get(key)

    async def put(self, tenant: TenantId, key: str, kept: KeptAnswer) -> None:
        """See `AnswerCache.put`."""
        if kept.units.isdisjoint(self._gone[tenant]):
            self.kept[tenant][key] = kept

    def put_units(self, tenant: TenantId, units: Collection[UnitId]) -> None:
        """Note that these units are there, be it again."""
        self._gone[tenant] -= set(units)

    async def forget(self, tenant: TenantId, units: Collection[UnitId]) -> None:
        """See `AnswerCache.forget`."""
        self._gone[tenant] |= set(units)
        held = self.kept[tenant].items()
        self.kept[tenant] = {key: kept for key, kept in held if kept.units and kept.units.isdisjoint(units)}


class InMemoryTokens:
    """A `TokenLedger`."""

    def __init__(self, limits: TokenLimits, now: Callable[[], datetime]) -> None:
        self._limits = limits
        self._now = now
        self.spending: dict[TenantId, Spending] = defaultdict(Spending)

    async def reserve(self, tenant: TenantId, tokens: int) -> Reservation | None:
        """See `TokenLedger.reserve`."""
        taken = reserved(self.spending[tenant], tokens, self._limits, self._now())
        if taken is None:
            return None
        self.spending[tenant], reservation = taken
        return reservation

    async def settle(self, tenant: TenantId, reservation: Reservation, used: int) -> None:
        """See `TokenLedger.settle`."""
        self.spending[tenant] = settled(self.spending[tenant], reservation, used)
