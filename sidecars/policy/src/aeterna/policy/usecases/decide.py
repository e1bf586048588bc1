"""Deciding: the current edition's verdict, from its cache or its engine, and nothing once it is too old."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aeterna.cedar.domain.verdict import Verdict
from aeterna.cedar.ports import Engine
from aeterna.policy.domain.decision import Decision
from aeterna.policy.domain.freshness import Freshness
from aeterna.policy.domain.tally import ADOPTED, DECISIONS, DOUBTS, Tally
from aeterna.policy.usecases.asking import NAMESPACE, request_of
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.service.clock import steady_clock, system_clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from aeterna.policy.domain.publication import Publication
    from aeterna.policy.domain.question import Question
    from aeterna.service.clock import Clock

STALE: Final = "the policies have not been confirmed for too long"
NONE_YET: Final = "there are no policies yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One bundle in use: its engine, what it was published as, and its own memory."""

    engine: Engine
    epoch: int
    digest: str
    verdicts: VerdictCache

    def retire(self) -> None:
        """Let go of everything bit by bit; for an edition that nobody uses any more, and off the event loop."""
        self.verdicts.clear()
        self.engine.retire()


class Decider:
    """Answers questions by the current edition.

    ``max_age`` bounds how long the edition may go unconfirmed by its source before every answer is a deny; None means
    that the last good edition is trusted for ever. ``namespace`` and ``tenant`` are what a question is of that says
    neither.
    """

    def __init__(
        self,
        *,
        cache: Callable[[], VerdictCache],
        steady: Clock = steady_clock,
        system: Clock = system_clock,
        max_age: timedelta | None = None,
        namespace: str = NAMESPACE,
        tenant: str | None = None,
        tally: Tally | None = None,
    ) -> None:
        """Begin without an edition, which is a deny for everybody."""
        self.tally = tally or Tally()
        self._cache = cache
        self._steady = steady
        self._system = system
        self._max_age = max_age.total_seconds() if max_age is not None else float("inf")
        self._namespace = namespace
        self._tenant = tenant
        self._edition: Edition | None = None
        self._freshness = Freshness()
        self._changed = asyncio.Event()

    @property
    def edition(self) -> Edition | None:
        """The edition in use."""
        return self._edition

    @property
    def age(self) -> float:
        """Seconds since the edition was last known to be the current one."""
        return self._freshness.age(self._steady())

    @property
    def trouble(self) -> str | None:
        """Why every answer is a deny now, or None."""
        if self._edition is None:
            return NONE_YET
        return STALE if self.age > self._max_age else None

    def adopt(self, engine: Engine, publication: Publication) -> None:
        """Use another edition from now on: one assignment, so every answer is wholly of one edition."""
        self._edition = Edition(
            engine=engine, epoch=publication.epoch, digest=publication.digest, verdicts=self._cache()
        )
        self.tally.words[ADOPTED] += 1
        self.confirm(publication)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def confirm(self, publication: Publication) -> None:
        """Take note of when the edition in use was last known to be the current one."""
        now = self._steady()
        self._freshness.see(publication.confirmed_at, system=self._system(), steady=now)
        if (edition := self._edition) is not None:
            self.tally.in_use(
                epoch=edition.epoch,
                digest=edition.digest,
                confirmed=now - self._freshness.age(now),
                cached=len(edition.verdicts),
            )

    @property
    def changed(self) -> asyncio.Event:
        """Set when another edition than the present one is in use; take it before looking at the present one."""
        return self._changed

    def recall(self, key: bytes) -> tuple[bytes, float] | None:
        """Return the answer that `keep_written` kept, and the age to complete it; None where `decide` has to be asked.

        The way of a question that was asked before: nothing is made for it, and it is counted.
        """
        edition = self._edition
        if edition is None:
            return None
        now = self._steady()
        age = self._freshness.age(now)
        if age > self._max_age:
            return None
        known = edition.verdicts.get(key, now)
        if known is None or known.written is None:
            return None
        self._count(known.verdict, "cache")
        return known.written, age

    def decide(self, question: Question, key: bytes | None = None) -> Decision:
        """Return the decision, a deny where anything is unclear; raise `QuestionMalformedError` for no question.

        ``key`` tells the question from every other one; without it the question's own is used.
        """
        edition, now = self._edition, self._steady()
        age = self._freshness.age(now)
        if edition is None or age > self._max_age:
            verdict = Verdict(allowed=False, errors=(NONE_YET if edition is None else STALE,))
            self._count(verdict, "none")
            return _decision(verdict, None, edition, age, cached=False)
        key = question.key() if key is None else key
        known = edition.verdicts.get(key, now)
        if known is not None:
            self._count(known.verdict, "cache")
            return _decision(known.verdict, known.tenant, edition, age, cached=True)
        begun = time.perf_counter()
        verdict, tenant = self._evaluated(edition.engine, question)
        self.tally.evaluated(time.perf_counter() - begun)
        edition.verdicts.put(key, verdict, tenant)
        self._count(verdict, "engine")
        return _decision(verdict, tenant, edition, age, cached=False)

    def told(self, key: bytes) -> tuple[Question, Decision] | None:
        """Return what `keep_written` was told of a remembered question, for whoever writes decisions down."""
        known = None if self._edition is None else self._edition.verdicts.get(key, self._steady())
        return None if known is None else known.told

    def keep_written(self, key: bytes, written: bytes, told: tuple[Question, Decision] | None = None) -> None:
        """Remember how the answer to a remembered question is written, up to its age, and what it was.

        Not while nothing is trusted: the answer is then not what is remembered, and would be repeated afterwards.
        """
        if self._edition is not None and self.trouble is None:
            known = self._edition.verdicts.get(key, self._steady())
            if known is not None:
                known.written = written
                known.told = told

    def _evaluated(self, engine: Engine, question: Question) -> tuple[Verdict, str | None]:
        try:
            request = request_of(
                question,
                namespace=self._namespace,
                # Whoever is kept as one of a tenant is one of it also to a question that does not say so: leaving it
                # out must not leave out what the tenant forbids.
                tenant_of=lambda principal: engine.tenant_of(principal) or self._tenant,
            )
        except ValueError as exc:
            return Verdict(allowed=False, errors=(str(exc),)), None
        return engine.evaluate(request), request.tenant

    def _count(self, verdict: Verdict, source: str) -> None:
        words = self.tally.words
        words[DECISIONS["allow" if verdict.allowed else "deny", source]] += 1
        if verdict.errors:
            words[DOUBTS] += 1


def _decision(verdict: Verdict, tenant: str | None, edition: Edition | None, age: float, *, cached: bool) -> Decision:
    return Decision(
        allowed=verdict.allowed,
        policies=verdict.policies,
        errors=verdict.errors,
        epoch=edition.epoch if edition is not None else 0,
        digest=edition.digest if edition is not None else "",
        age=age,
        cached=cached,
        tenant=tenant,
    )
