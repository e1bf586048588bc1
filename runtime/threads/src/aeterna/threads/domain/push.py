"""What a push notification is: who is told of a task, what is still to be told, and what could not be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import ThreadId
from aeterna.threads.domain.push_url import PushUrl
from aeterna.threads.domain.task import AgentId

ConfigId = NewType("ConfigId", str)
"""A receiver's configuration within one task; its owner's own."""
LaneId = NewType("LaneId", int)
"""One configuration of one task over the whole store: its notifications are sent one after the other."""
LetterId = NewType("LetterId", int)
"""A notification that could not be delivered."""

MAX_SECRET: Final = 4096
MAX_SCHEME: Final = 64
MAX_ERROR: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSecrets:
    """What proves a notification to its receiver; neither is shown, logged or stored in clear."""

    token: str | None = field(default=None, repr=False)
    credentials: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDraft:
    """A configuration as an owner asks for it; ``scheme`` and the credentials become the Authorization header."""

    config_id: ConfigId
    url: PushUrl
    scheme: str | None = None
    secrets: PushSecrets


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig:
    """A configuration as it is shown: without its secrets."""

    config_id: ConfigId
    url: str
    scheme: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A receiver that a dispatcher has for a while, and the places in the log that it is still to be told of, in order.

    ``attempts`` counts how often the first of them was tried.
    """

    lane_id: LaneId
    tenant: TenantId
    agent: AgentId
    owner: str
    task_id: ThreadId
    context_id: str
    config_id: ConfigId
    url: str
    host: str
    scheme: str | None
    secrets: bytes | None = field(repr=False)
    attempts: int
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One POST: the bytes that are signed and sent, and the id that stays the same however often they are sent."""

    notification_id: str
    url: PushUrl
    task_id: ThreadId
    config_id: ConfigId
    seq: int
    body: bytes
    scheme: str | None
    secrets: PushSecrets


class Verdict(StrEnum):
    """What an attempt to deliver came to."""

    DELIVERED = "delivered"
    LATER = "later"
    """The receiver asked for patience, or was not reached."""
    NEVER = "never"
    """The receiver, or our own guard, will not take it however often it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt went; ``error`` is in our own words and quotes nothing that the receiver said.

    ``reached`` is whether the host answered at all; ``retry_after`` is how long it asked to be left alone.
    """

    verdict: Verdict
    reached: bool
    error: str = ""
    retry_after: timedelta | None = None


class Reason(StrEnum):
    """Why a notification is a dead letter."""

    REFUSED = "refused"
    ATTEMPTS = "attempts"
    AGE = "age"
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A notification that was given up: of which task, to whom, why and when."""

    letter_id: LetterId
    task_id: ThreadId
    config_id: ConfigId
    url: str
    seq: int
    reason: Reason
    error: str
    attempts: int
    created_at: datetime
    died_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterChoice:
    """Which dead letters of a tenant: one, those of a task, those of one of its configurations, or all of them."""

    letter_id: LetterId | None = None
    task_id: ThreadId | None = None
    config_id: ConfigId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What is still to be told over all tenants, and since when the oldest of it waits."""

    waiting: int
    oldest: timedelta
