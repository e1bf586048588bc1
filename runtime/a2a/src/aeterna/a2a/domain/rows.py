"""The thread store's words for tasks, as the kit sends and reads them; see its guide for what each means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from aeterna.contracts.json_value import JsonValue

Json: TypeAlias = Mapping[str, JsonValue]
Kind: TypeAlias = Literal["message", "task", "status", "artifact", "reply"]
Speaker: TypeAlias = Literal["user", "agent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row for a task's log; ``streamed`` rows are what a subscriber sees, ``said`` ones count as history."""

    kind: Kind
    streamed: bool
    said: bool = False
    author: str
    message_id: str | None = None
    role: Speaker | None = None
    parts: tuple[Json, ...] | None = None
    metadata: Json | None = None
    extra: Json | None = None
    payload: Json | None = None
    artifact_id: str | None = None
    append: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A row at its place in the log."""

    seq: int
    created_at: datetime
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """How a task begins; ``ttl`` of None is the store's default."""

    context_id: str
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Rows for one task, all or none, at most once for each ``write_id``; see `aeterna.threads`' ``Write``."""

    task_id: str
    owner: str
    write_id: str
    rows: tuple[Row, ...]
    creation: Creation | None = None
    expected_version: int | None = None
    epoch: int | None = None
    state: str | None = None
    status: Json | None = None
    metadata: Json | None = None
    waiting: bool = False
    handled_seq: int | None = None
    claim: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write came to; ``epoch`` is that of the lease, where ``claim`` won it."""

    version: int
    created: bool = False
    repeated: bool = False
    epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """A task without its rows; ``state`` is None for an exchange that never became a task."""

    task_id: str
    context_id: str
    owner: str
    state: str | None
    status: Json | None
    metadata: Json | None
    version: int
    epoch: int
    waiting: bool
    handled_seq: int
    attempts: int
    created_at: datetime
    status_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with rows that were said and its artifacts, in order."""

    task: StoredTask
    rows: tuple[StoredRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPage:
    """Rows in order, and where the log ended when they were read."""

    rows: tuple[StoredRow, ...]
    version: int
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks of an owner; what is None does not filter."""

    owner: str
    context_id: str | None = None
    state: str | None = None
    status_after: datetime | None = None
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Tasks without their rows."""

    tasks: tuple[StoredTask, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to run a task."""

    task_id: str
    owner: str
    context_id: str
    epoch: int
    version: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the ledger knows of a side effect."""

    key: str
    finished: bool
    result: JsonValue
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """A hint that a task has grown to a version; without a task, that any may have."""

    task_id: str | None
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PushConfig:
    """Where to send news of a task; ``token`` and ``credentials`` are secrets that the store never gives out again."""

    config_id: str
    url: str
    token: str | None = field(default=None, repr=False)
    scheme: str | None = None
    credentials: str | None = field(default=None, repr=False)
