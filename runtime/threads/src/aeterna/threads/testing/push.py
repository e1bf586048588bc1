"""For tests of push notifications: who is told, what is still to be told and what could not be, in memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

from aeterna.service.caller import TenantId
from aeterna.service.clock import system_clock
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push import (
    Attempt,
    Backlog,
    DeadLetter,
    Lane,
    LaneId,
    LetterId,
    PushConfig,
    PushDraft,
    Reason,
    Verdict,
)
from aeterna.threads.domain.task import AgentId
from aeterna.threads.errors import DeadLetterNotFoundError, QuotaExceededError, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.service.clock import Clock
    from aeterna.threads.domain.push import ConfigId, LetterChoice, Notification

ContextOf: TypeAlias = "Callable[[TenantId, AgentId, ThreadId, str], str | None]"


@dataclass(slots=True)
class _Kept:
    lane: LaneId
    tenant: TenantId
    agent: AgentId
    owner: str
    task_id: ThreadId
    context_id: str
    draft: PushDraft
    sealed: bytes | None
    created_at: datetime
    attempts: int = 0
    next_at: float = float("-inf")
    lease: UUID | None = None
    leased_until: float = float("-inf")
    waiting: dict[int, float] = field(default_factory=dict[int, float])
    """Since when each place in the log is still to be told."""

    def is_of(self, tenant: TenantId, agent: AgentId, task_id: ThreadId, owner: str) -> bool:
        return (self.tenant, self.agent, self.task_id, self.owner) == (tenant, agent, task_id, owner)


class FakePushStore:
    """A `PushConfigs`, an `Outbox` and a `DeadLetters` over the same memory."""

    def __init__(self, context_of: ContextOf, *, most: int = 10, clock: Clock = system_clock) -> None:
        """Take what says the context of a task, or None where there is no such task."""
        self._context_of = context_of
        self._most = most
        self._clock = clock
        self._lanes: dict[LaneId, _Kept] = {}
        self._letters: dict[LetterId, tuple[LaneId, DeadLetter]] = {}
        self._numbers = 0

    def grown(self, tenant: TenantId, task_id: ThreadId, *seqs: int) -> None:
        """Note streamed rows of a task, as the database does in the transaction that writes them."""
        for kept in self._lanes.values():
            if (kept.tenant, kept.task_id) == (tenant, task_id):
                kept.waiting.update(dict.fromkeys(seqs, self._clock()))

    async def put(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, draft: PushDraft, sealed: bytes | None, *, owner: str
    ) -> PushConfig:
        """See `PushConfigs.put`."""
        if (context_id := self._context_of(tenant, agent, task_id, owner)) is None:
            raise TaskNotFoundError(task_id)
        own = [kept for kept in self._lanes.values() if kept.is_of(tenant, agent, task_id, owner)]
        for kept in own:
            if kept.draft.config_id == draft.config_id:
                if kept.draft.url != draft.url:
                    kept.lease, kept.leased_until = None, float("-inf")
                kept.draft, kept.sealed, kept.attempts, kept.next_at = draft, sealed, 0, float("-inf")
                return _shown(kept)
        if len(own) >= self._most:
            raise QuotaExceededError("push configurations of a task", self._most)
        lane = LaneId(self._next())
        kept = _Kept(lane, tenant, agent, owner, task_id, context_id, draft, sealed, self._now())
        self._lanes[lane] = kept
        return _shown(kept)

    async def configs(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str
    ) -> tuple[PushConfig, ...]:
        """See `PushConfigs.configs`."""
        if self._context_of(tenant, agent, task_id, owner) is None:
            raise TaskNotFoundError(task_id)
        return tuple(_shown(kept) for kept in self._lanes.values() if kept.is_of(tenant, agent, task_id, owner))

    async def delete(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, config_id: ConfigId, *, owner: str
    ) -> None:
        """See `PushConfigs.delete`."""
        for kept in list(self._lanes.values()):
            if kept.is_of(tenant, agent, task_id, owner) and kept.draft.config_id == config_id:
                del self._lanes[kept.lane]
                self._letters = {number: one for number, one in self._letters.items() if one[0] != kept.lane}

    async def claim(
        self, lease: UUID, *, limit: int, per_host: int, rooms: Mapping[str, int], depth: int, ttl: timedelta
    ) -> tuple[Lane, ...]:
        """See `Outbox.claim`."""
        now = self._clock()
        taken: list[Lane] = []
        counts: dict[str, int] = {}
        for kept in sorted(self._lanes.values(), key=lambda kept: (kept.next_at, kept.lane)):
            host = kept.draft.url.place
            if not kept.waiting or kept.next_at > now or kept.leased_until > now:
                continue
            if len(taken) >= limit or counts.get(host, 0) >= rooms.get(host, per_host):
                continue
            counts[host] = counts.get(host, 0) + 1
            kept.lease, kept.leased_until = lease, now + ttl.total_seconds()
            taken.append(_lane(kept, depth))
        return tuple(taken)

    async def delivered(self, lane_id: LaneId, seq: int, lease: UUID, *, ttl: timedelta) -> bool:
        """See `Outbox.delivered`."""
        if (kept := self._lanes.get(lane_id)) is None:
            return False
        kept.waiting.pop(seq, None)
        return self._renewed(kept, lease, ttl)

    async def failed(self, lane_id: LaneId, lease: UUID, *, attempts: int, wait: timedelta) -> None:
        """See `Outbox.failed`."""
        if (kept := self._held(lane_id, lease)) is not None:
            kept.attempts, kept.next_at = attempts, self._clock() + wait.total_seconds()
            kept.lease, kept.leased_until = None, float("-inf")

    async def bury(
        self, lane_id: LaneId, seq: int, lease: UUID, *, reason: Reason, error: str, attempts: int, ttl: timedelta
    ) -> bool:
        """See `Outbox.bury`."""
        if (kept := self._held(lane_id, lease)) is None:
            return False
        self._bury(kept, seq, reason, error, attempts)
        return self._renewed(kept, lease, ttl)

    async def release(self, lane_id: LaneId, lease: UUID) -> None:
        """See `Outbox.release`."""
        if (kept := self._held(lane_id, lease)) is not None:
            kept.next_at, kept.lease, kept.leased_until = self._clock(), None, float("-inf")

    async def sweep(self, *, max_age: timedelta, most: int) -> Mapping[Reason, int]:
        """See `Outbox.sweep`."""
        end = self._clock() - max_age.total_seconds()
        aged = [(kept, seq) for kept in self._lanes.values() for seq, since in kept.waiting.items() if since < end]
        for kept, seq in aged:
            self._bury(kept, seq, Reason.AGE, "not delivered in time", kept.attempts)
        crowded = 0
        for tenant in {kept.tenant for kept in self._lanes.values()}:
            own = [kept for kept in self._lanes.values() if kept.tenant == tenant]
            waiting = sorted((since, seq, kept.lane) for kept in own for seq, since in kept.waiting.items())
            for _, seq, lane in waiting[: max(0, len(waiting) - most)]:
                kept = self._lanes[lane]
                self._bury(kept, seq, Reason.OVERFLOW, "the tenant has too many waiting", kept.attempts)
                crowded += 1
        return {Reason.AGE: len(aged), Reason.OVERFLOW: crowded}

    async def backlog(self) -> Backlog:
        """See `Outbox.backlog`."""
        since = [moment for kept in self._lanes.values() for moment in kept.waiting.values()]
        oldest = self._clock() - min(since) if since else 0.0
        return Backlog(waiting=len(since), oldest=timedelta(seconds=oldest))

    async def letters(
        self, tenant: TenantId, choice: LetterChoice, *, before: LetterId | None, limit: int
    ) -> tuple[DeadLetter, ...]:
        """See `DeadLetters.letters`."""
        chosen = [self._letters[number][1] for number in sorted(self._chosen(tenant, choice), reverse=True)]
        return tuple(letter for letter in chosen if before is None or letter.letter_id < before)[:limit]

    async def replay(self, tenant: TenantId, choice: LetterChoice) -> int:
        """See `DeadLetters.replay`."""
        numbers = self._chosen(tenant, choice, required=True)
        for number in numbers:
            lane, letter = self._letters.pop(number)
            kept = self._lanes[lane]
            kept.waiting[letter.seq] = self._clock()
            kept.attempts, kept.next_at = 0, float("-inf")
        return len(numbers)

    async def discard(self, tenant: TenantId, choice: LetterChoice) -> int:
        """See `DeadLetters.discard`."""
        numbers = self._chosen(tenant, choice, required=True)
        for number in numbers:
            del self._letters[number]
        return len(numbers)

    def _chosen(self, tenant: TenantId, choice: LetterChoice, *, required: bool = False) -> list[LetterId]:
        numbers = [
            number
            for number, (lane, letter) in self._letters.items()
            if self._lanes[lane].tenant == tenant
            and choice.letter_id in {None, number}
            and choice.task_id in {None, letter.task_id}
            and choice.config_id in {None, letter.config_id}
        ]
        if required and choice.letter_id is not None and not numbers:
            raise DeadLetterNotFoundError(choice.letter_id)
        return numbers

    def _held(self, lane_id: LaneId, lease: UUID) -> _Kept | None:
        kept = self._lanes.get(lane_id)
        return kept if kept is not None and kept.lease == lease else None

    def _renewed(self, kept: _Kept, lease: UUID, ttl: timedelta) -> bool:
        if kept.lease != lease:
            return False
        kept.attempts, kept.leased_until = 0, self._clock() + ttl.total_seconds()
        return True

    def _bury(self, kept: _Kept, seq: int, reason: Reason, error: str, attempts: int) -> None:
        since = kept.waiting.pop(seq, None)
        if since is None:
            return
        letter = DeadLetter(
            letter_id=LetterId(self._next()),
            task_id=kept.task_id,
            config_id=kept.draft.config_id,
            url=kept.draft.url.text,
            seq=seq,
            reason=reason,
            error=error,
            attempts=attempts,
            created_at=datetime.fromtimestamp(since, UTC),
            died_at=self._now(),
        )
        self._letters[letter.letter_id] = (kept.lane, letter)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


class FakeCourier:
    """A `Courier` that keeps what it is given, and answers what ``answer`` says of it."""

    def __init__(self, answer: Callable[[Notification], Attempt] | None = None) -> None:
        self._answer = answer or _delivered
        self.sent: list[Notification] = []

    async def deliver(self, notification: Notification, *, at: datetime) -> Attempt:  # noqa: ARG002 - as the port
        """See `Courier.deliver`."""
        self.sent.append(notification)
        return self._answer(notification)


def _delivered(_notification: Notification) -> Attempt:
    return Attempt(verdict=Verdict.DELIVERED, reached=True)


class FakePushObserver:
    """A `PushObserver` that counts; ``heard`` is set at each call."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.counts: dict[str, int] = {}
        self.last: Backlog | None = None

    def delivered(self) -> None:
        """See `PushObserver.delivered`."""
        self._add("delivered")

    def failed(self) -> None:
        """See `PushObserver.failed`."""
        self._add("failed")

    def died(self, reason: Reason, count: int = 1) -> None:
        """See `PushObserver.died`."""
        self._add(reason.value, count)

    def backlog(self, backlog: Backlog) -> None:
        """See `PushObserver.backlog`."""
        self.last = backlog

    def _add(self, name: str, count: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + count
        self.heard.set()


def _shown(kept: _Kept) -> PushConfig:
    draft = kept.draft
    return PushConfig(config_id=draft.config_id, url=draft.url.text, scheme=draft.scheme, created_at=kept.created_at)


def _lane(kept: _Kept, depth: int) -> Lane:
    return Lane(
        lane_id=kept.lane,
        tenant=kept.tenant,
        agent=kept.agent,
        owner=kept.owner,
        task_id=kept.task_id,
        context_id=kept.context_id,
        config_id=kept.draft.config_id,
        url=kept.draft.url.text,
        host=kept.draft.url.place,
        scheme=kept.draft.scheme,
        secrets=kept.sealed,
        attempts=kept.attempts,
        seqs=tuple(sorted(kept.waiting)[:depth]),
    )
