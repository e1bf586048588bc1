"""Delivers what is in the outbox: to each receiver in order and at least once, and to none at another's cost."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aeterna.threads.domain.conversation import canonical
from aeterna.threads.domain.push import Attempt, Notification, Reason, Verdict
from aeterna.threads.domain.push_url import parse_push_url
from aeterna.threads.domain.stream_response import stream_response
from aeterna.threads.domain.task import Kind
from aeterna.threads.errors import (
    PushUrlRefusedError,
    SecretsUnreadableError,
    StoreBusyError,
    StoreUnavailableError,
    TaskNotFoundError,
    ThreadsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.service.clock import Clock
    from aeterna.threads.domain.push import Lane
    from aeterna.threads.domain.push_url import PushRules
    from aeterna.threads.domain.task import StoredRow
    from aeterna.threads.ports import Courier, Outbox, PushObserver, SecretBox, TaskLog
    from aeterna.threads.usecases.hosts import Hosts

_NAMESPACE: Final = uuid.UUID("5e7f6f0c-6a2b-5d0e-9a44-6b0f2f8f4a11")
# Rows are read ahead; more would hold more memory, and most receivers are told of a few.
_READ_AHEAD: Final = 8
_HISTORY: Final = 100

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchPolicy:
    """How notifications are delivered.

    At most ``concurrency`` receivers at once, ``per_host`` of one host, ``depth`` notifications before another receiver
    has its turn. A lane is a replica's for ``lease``, which is longer than any attempt. Without a nudge the outbox is
    looked at each ``poll``, and swept each ``sweep``.

    The n-th retry comes after a random time up to ``first_wait`` · 2ⁿ⁻¹ and ``longest_wait`` (full jitter), or when the
    receiver asked for, if that is later, but not after ``longest_retry_after``. After ``attempts``, or at the age of
    ``max_age``, a notification is a dead letter; so are the oldest of a tenant that has more than ``most_waiting``.
    """

    concurrency: int = 32
    per_host: int = 4
    depth: int = 32
    lease: timedelta = timedelta(seconds=60)
    poll: timedelta = timedelta(seconds=1)
    sweep: timedelta = timedelta(seconds=15)
    gather: timedelta = timedelta(milliseconds=20)
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=5)
    longest_retry_after: timedelta = timedelta(minutes=15)
    attempts: int = 12
    max_age: timedelta = timedelta(hours=24)
    most_waiting: int = 100_000

    def wait_of(self, attempts: int, retry_after: timedelta | None, chance: float) -> timedelta:
        """Return how long to wait after so many attempts; ``chance`` is drawn evenly from 0 to 1."""
        ceiling = min(self.longest_wait, self.first_wait * 2 ** min(attempts - 1, 32))
        asked = min(retry_after or timedelta(0), self.longest_retry_after)
        return max(ceiling * chance, asked)


class Dispatcher:
    """The dispatcher of one process; those of all replicas share the outbox."""

    def __init__(  # noqa: PLR0913 - everything that it delivers with
        self,
        outbox: Outbox,
        tasks: TaskLog,
        courier: Courier,
        box: SecretBox,
        *,
        rules: PushRules,
        hosts: Hosts,
        policy: DispatchPolicy,
        observer: PushObserver,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._tasks = tasks
        self._courier = courier
        self._box = box
        self._rules = rules
        self._hosts = hosts
        self._policy = policy
        self._observer = observer
        self._clock = clock
        self._chance = chance
        self._news = asyncio.Event()
        self._running = 0
        self._stopped = False
        self._look = 0.0

    def nudge(self) -> None:
        """Say that there may be something to tell."""
        self._news.set()

    def stop(self) -> None:
        """Begin nothing new, because the process is ending; what is under way may end."""
        self._stopped = True

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is given back, and will be sent again by somebody."""
        async with asyncio.TaskGroup() as lanes:
            while not self._stopped:
                for lane, lease in await self._claimed():
                    self._running += 1
                    self._hosts.began(lane.host)
                    lanes.create_task(self._serve(lane, lease))
                await self._pause()

    async def sweep(self) -> None:
        """Bury what is too old or too much, and tell the observer how much is left; until cancelled."""
        while not self._stopped:
            try:
                buried = await self._outbox.sweep(max_age=self._policy.max_age, most=self._policy.most_waiting)
                self._observer.backlog(await self._outbox.backlog())
            except ThreadsError as exc:
                log.warning("threads.push_sweep_failed", code=exc.code)
            else:
                for reason, count in buried.items():
                    if count:
                        self._observer.died(reason, count)
                        log.warning("threads.push_buried", reason=reason.value, count=count)
            await asyncio.sleep(self._policy.sweep.total_seconds())

    async def _claimed(self) -> list[tuple[Lane, uuid.UUID]]:
        room = self._policy.concurrency - self._running
        if room <= 0:
            return []
        lease, time = uuid.uuid4(), asyncio.get_running_loop().time
        began = time()
        try:
            lanes = await self._outbox.claim(
                lease,
                limit=room,
                per_host=self._policy.per_host,
                rooms=self._hosts.rooms(),
                depth=self._policy.depth,
                ttl=self._policy.lease,
            )
        except ThreadsError as exc:
            log.warning("threads.push_claim_failed", code=exc.code)
            return []
        finally:
            self._look = time() - began
        return [(lane, lease) for lane in lanes]

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._policy.poll.total_seconds()):
                await self._news.wait()
                # News comes in bursts, and one look serves all of a moment. Where many lanes wait for their next
                # attempt a look is dear: it is to take no more than a fifth of the time.
                await asyncio.sleep(max(self._policy.gather.total_seconds(), self._look * 4))
        self._news.clear()

    async def _serve(self, lane: Lane, lease: uuid.UUID) -> None:
        """Deliver a lane's notifications in order, until one has to wait."""
        try:
            if await self._deliver_all(lane, lease):
                await self._outbox.release(lane.lane_id, lease)
        except ThreadsError as exc:
            # The lease runs out, and what was delivered but not noted is delivered again.
            log.warning("threads.push_note_failed", code=exc.code, task=lane.task_id)
        except asyncio.CancelledError:
            with suppress(ThreadsError):
                await self._outbox.release(lane.lane_id, lease)
            raise
        finally:
            self._hosts.ended(lane.host)
            self._running -= 1
            self._news.set()

    async def _deliver_all(self, lane: Lane, lease: uuid.UUID) -> bool:
        """Return whether the lane is still ours and may be claimed again at once."""
        rows: dict[int, StoredRow] = {}
        attempts = lane.attempts
        for seq in lane.seqs:
            attempt = await self._attempt(lane, seq, rows)
            attempts += 1
            if attempt is None or attempt.verdict is Verdict.DELIVERED:
                held = await self._outbox.delivered(lane.lane_id, seq, lease, ttl=self._policy.lease)
                if attempt is not None:
                    self._observer.delivered()
            elif attempt.verdict is Verdict.NEVER or attempts >= self._policy.attempts:
                held = await self._bury(lane, seq, lease, attempt, attempts)
            else:
                self._observer.failed()
                wait = self._policy.wait_of(attempts, attempt.retry_after, self._chance())
                await self._outbox.failed(lane.lane_id, lease, attempts=attempts, wait=wait)
                return False
            if not held or self._stopped or self._hosts.is_open(lane.host):
                return held
            attempts = 0
        return True

    async def _bury(self, lane: Lane, seq: int, lease: uuid.UUID, attempt: Attempt, attempts: int) -> bool:
        reason = Reason.REFUSED if attempt.verdict is Verdict.NEVER else Reason.ATTEMPTS
        held = await self._outbox.bury(
            lane.lane_id,
            seq,
            lease,
            reason=reason,
            error=attempt.error,
            attempts=attempts,
            ttl=self._policy.lease,
        )
        if held:
            self._observer.died(reason)
            log.warning("threads.push_buried", reason=reason.value, count=1, task=lane.task_id, error=attempt.error)
        return held

    async def _attempt(self, lane: Lane, seq: int, rows: dict[int, StoredRow]) -> Attempt | None:
        """Send one notification; None where there is nothing left to tell, because the task is gone."""
        try:
            body = await self._body(lane, seq, rows)
        except TaskNotFoundError:
            return None
        except (StoreBusyError, StoreUnavailableError):
            raise
        except ThreadsError as exc:
            return Attempt(verdict=Verdict.LATER, reached=True, error=f"its content could not be read ({exc.code})")
        except (LookupError, TypeError, ValueError):
            # One row that is not as we know rows must not end everybody's notifications.
            return Attempt(verdict=Verdict.NEVER, reached=True, error="its content cannot be written as A2A has it")
        if body is None:
            return None
        try:
            notification = Notification(
                notification_id=notification_id(lane, seq),
                url=parse_push_url(lane.url, self._rules),
                task_id=lane.task_id,
                config_id=lane.config_id,
                seq=seq,
                body=body,
                scheme=lane.scheme,
                secrets=self._box.open(lane.secrets, place=place_of(lane)),
            )
        except (PushUrlRefusedError, SecretsUnreadableError) as exc:
            return Attempt(verdict=Verdict.NEVER, reached=True, error=str(exc))
        attempt = await self._courier.deliver(notification, at=datetime.fromtimestamp(self._clock(), UTC))
        if attempt.reached:
            self._hosts.answered(lane.host)
        else:
            self._hosts.silent(lane.host)
        return attempt

    async def _body(self, lane: Lane, seq: int, rows: dict[int, StoredRow]) -> bytes | None:
        if seq not in rows:
            rows.clear()
            page = await self._tasks.rows(
                lane.tenant, lane.agent, lane.task_id, owner=lane.owner, after=seq - 1, limit=_READ_AHEAD
            )
            rows.update((row.seq, row) for row in page.rows)
        if (stored := rows.pop(seq, None)) is None:
            return None
        before: tuple[StoredRow, ...] = ()
        if stored.row.kind is Kind.TASK:
            view = await self._tasks.task(
                lane.tenant,
                lane.agent,
                lane.task_id,
                owner=lane.owner,
                history_length=_HISTORY,
                artifacts=True,
                upto=seq - 1,
            )
            before = view.rows
        return canonical(stream_response(lane.task_id, lane.context_id, stored.row, before)).encode()


def place_of(lane: Lane) -> tuple[str, ...]:
    """Return what a lane's secrets are sealed for."""
    return (lane.tenant, lane.task_id, lane.config_id)


def notification_id(lane: Lane, seq: int) -> str:
    """Return the id by which a receiver knows a notification that it has had before."""
    return str(uuid.uuid5(_NAMESPACE, canonical([lane.tenant, lane.task_id, lane.config_id, seq])))
