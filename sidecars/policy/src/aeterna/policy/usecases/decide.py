"""Deciding: the current edition's verdict, from its cache or its engine, and nothing once it is too old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.verdict import Verdict
from aeterna.cedar.ports import Engine
from aeterna.policy.domain.decision import Decision
from aeterna.policy.usecases.asking import request_of
from aeterna.policy.usecases.cache import VerdictCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.policy.domain.question import Question
    from aeterna.service.clock import Clock

_STALE: Final = Verdict(allowed=False, errors=("the policies have not been confirmed for too long",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One bundle in use: its engine, its name, its number in this process, and its own memory."""

    engine: Engine
    epoch: int
    digest: str
    verdicts: VerdictCache


class Decider:
    """Answers questions by the current edition.

    ``max_age`` bounds how long the edition may go unconfirmed by its source before every answer is a deny; None means
    that the last good edition is trusted for ever.
    """

    def __init__(
        self, engine: Engine, digest: str, *, cache: Callable[[], VerdictCache], clock: Clock, max_age: timedelta | None
    ) -> None:
        """Begin with the first edition, which is epoch 1."""
        self._cache = cache
        self._clock = clock
        self._max_age = max_age.total_seconds() if max_age is not None else float("inf")
        self._edition = Edition(engine=engine, epoch=1, digest=digest, verdicts=cache())
        self._confirmed_at = clock()

    @property
    def edition(self) -> Edition:
        """The edition in use."""
        return self._edition

    @property
    def age(self) -> float:
        """Seconds since the edition was last known to be the current one."""
        return max(0.0, self._clock() - self._confirmed_at)

    @property
    def stale(self) -> bool:
        """Whether the edition is too old to be trusted."""
        return self.age > self._max_age

    def confirm(self) -> None:
        """Note that the edition in use is still the current one."""
        self._confirmed_at = self._clock()

    def adopt(self, engine: Engine, digest: str) -> None:
        """Use another edition from now on: one assignment, so every answer is wholly of one edition."""
        self._edition = Edition(engine=engine, epoch=self._edition.epoch + 1, digest=digest, verdicts=self._cache())
        self.confirm()

    def decide(self, question: Question) -> Decision:
        """Return the decision, a deny where anything is unclear; raise `QuestionMalformedError` for no question."""
        edition, age = self._edition, self.age
        if age > self._max_age:
            return _decision(_STALE, edition, age, cached=False)
        key = question.key()
        known = edition.verdicts.get(key)
        if known is not None:
            return _decision(known, edition, age, cached=True)
        verdict = _evaluated(edition.engine, question)
        edition.verdicts.put(key, verdict)
        return _decision(verdict, edition, age, cached=False)


def _evaluated(engine: Engine, question: Question) -> Verdict:
    try:
        request = request_of(question)
    except ValueError as exc:
        return Verdict(allowed=False, errors=(str(exc),))
    return engine.evaluate(request)


def _decision(verdict: Verdict, edition: Edition, age: float, *, cached: bool) -> Decision:
    return Decision(
        allowed=verdict.allowed,
        policies=verdict.policies,
        errors=verdict.errors,
        epoch=edition.epoch,
        digest=edition.digest,
        age=age,
        cached=cached,
    )
