"""Who is told of a task, what is still to be told, and the way to the receivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta
    from uuid import UUID

    from aeterna.service.caller import TenantId
    from aeterna.threads.domain.conversation import (
        ThreadId,
    )
    from aeterna.threads.domain.push import (
        Attempt,
        Backlog,
        ConfigId,
        DeadLetter,
        Lane,
        LaneId,
        LetterChoice,
        LetterId,
        Notification,
        PushConfig,
        PushDraft,
        PushSecrets,
        Reason,
    )
    from aeterna.threads.domain.task import (
        AgentId,
    )


class PushConfigs(Protocol):
    """Who is told of each task. Kept by ``adapters.postgres_push``; faked in ``testing``.

    As in `TaskLog`, a task of another agent or owner does not exist.
    """

    async def put(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, draft: PushDraft, sealed: bytes | None, *, owner: str
    ) -> PushConfig:
        """Keep the configuration under its id, with its secrets sealed; an earlier one of this id is replaced.

        From then on each streamed row of the task is noted in the outbox, in the transaction that writes it. Raises
        `TaskNotFoundError`, or `QuotaExceededError` when the task has as many as it may.
        """
        ...

    async def configs(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, *, owner: str
    ) -> tuple[PushConfig, ...]:
        """Return the configurations in the order in which they came, or raise `TaskNotFoundError`."""
        ...

    async def delete(
        self, tenant: TenantId, agent: AgentId, task_id: ThreadId, config_id: ConfigId, *, owner: str
    ) -> None:
        """Forget a configuration and what was still to be told to it; does nothing where there is none."""
        ...


class Outbox(Protocol):
    """What is still to be told, for dispatchers to share. Kept by ``adapters.postgres_outbox``; faked in ``testing``.

    A lane belongs to the lease that claimed it last, until ``ttl`` after the claim or the last call for it.
    """

    async def claim(
        self, lease: UUID, *, limit: int, per_host: int, rooms: Mapping[str, int], depth: int, ttl: timedelta
    ) -> tuple[Lane, ...]:
        """Take at most ``limit`` lanes that are due and nobody has, each with its first ``depth`` places in the log.

        At most ``per_host`` of one host, or as many as ``rooms`` says of it.
        """
        ...

    async def delivered(self, lane_id: LaneId, seq: int, lease: UUID, *, ttl: timedelta) -> bool:
        """Forget a notification that was delivered; return whether the lane is still this lease's."""
        ...

    async def failed(self, lane_id: LaneId, lease: UUID, *, attempts: int, wait: timedelta) -> None:
        """Give the lane back, to be tried again after ``wait``."""
        ...

    async def bury(
        self, lane_id: LaneId, seq: int, lease: UUID, *, reason: Reason, error: str, attempts: int, ttl: timedelta
    ) -> bool:
        """Make a notification a dead letter, if the lane is still this lease's, and return whether it is."""
        ...

    async def release(self, lane_id: LaneId, lease: UUID) -> None:
        """Give the lane back, due at once."""
        ...

    async def sweep(self, *, max_age: timedelta, most: int) -> Mapping[Reason, int]:
        """Bury what waits longer than ``max_age``, and of each tenant the oldest beyond ``most``; return how many."""
        ...

    async def backlog(self) -> Backlog:
        """Return how much is still to be told."""
        ...


class DeadLetters(Protocol):
    """What could not be told. Kept by ``adapters.postgres_push``; faked in ``testing``."""

    async def letters(
        self, tenant: TenantId, choice: LetterChoice, *, before: LetterId | None, limit: int
    ) -> tuple[DeadLetter, ...]:
        """Return at most ``limit`` dead letters, newest first, that are older than ``before``."""
        ...

    async def replay(self, tenant: TenantId, choice: LetterChoice) -> int:
        """Have them sent again, each at its old place among those of its receiver; return how many.

        Raises `DeadLetterNotFoundError` when one was named that is not there.
        """
        ...

    async def discard(self, tenant: TenantId, choice: LetterChoice) -> int:
        """Forget them for good; as `replay`."""
        ...


class SecretBox(Protocol):
    """Keeps the secrets of receivers from whoever reads the database. Kept by ``adapters.push_secrets``."""

    def seal(self, secrets: PushSecrets, *, place: tuple[str, ...]) -> bytes | None:
        """Return the secrets encrypted for one place only, or None where there are none."""
        ...

    def open(self, sealed: bytes | None, *, place: tuple[str, ...]) -> PushSecrets:
        """Return the secrets; raise `SecretsUnreadableError` when they were not sealed for this place by our keys."""
        ...


class Resolver(Protocol):
    """Finds the addresses of names. Kept by ``adapters.resolver``; faked in ``testing``."""

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """Return every address of the host, in the order of preference; none where it has none or nobody knows."""
        ...


class Courier(Protocol):
    """Brings notifications to their receivers. Kept by ``adapters.push_http``; faked in ``testing``."""

    async def deliver(self, notification: Notification, *, at: datetime) -> Attempt:
        """Send it once, signed at that moment, and return what came of it; never raises for what a receiver does."""
        ...


class PushObserver(Protocol):
    """Hears what the dispatcher does. Kept by ``adapters.push_metrics``."""

    def delivered(self) -> None:
        """Note a notification that its receiver took."""
        ...

    def failed(self) -> None:
        """Note an attempt that will be made again."""
        ...

    def died(self, reason: Reason, count: int = 1) -> None:
        """Note dead letters."""
        ...

    def backlog(self, backlog: Backlog) -> None:
        """Note how much is still to be told."""
        ...
