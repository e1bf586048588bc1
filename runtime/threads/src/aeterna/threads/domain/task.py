"""What an A2A task is to the store: rows that are only added, a small state beside them, and who may add to it.

A task is a thread whose log holds more than messages. The payloads are ProtoJSON of A2A 1.0; the store reads nothing in
them. What it does read is said in fields of its own: the task's state, which rows are messages, and which rows a
subscriber of the task sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from aeterna.service.json_value import JsonValue
from aeterna.threads.domain.conversation import MAX_MESSAGE_BYTES, MessageId, Role, ThreadId, canonical, compact
from aeterna.threads.errors import MessageTooLargeError, StepTooLargeError

RunnerId = NewType("RunnerId", str)
"""One process of an agent; drawn anew at each start."""
AgentId = NewType("AgentId", str)
"""Whose task it is to run: the subject of the token that its processes bring. Agents never see each other's tasks."""


class Kind(StrEnum):
    """What a row of a thread's log holds."""

    MESSAGE = "message"
    """A message, in the columns of a message; a subscriber of the task does not see it."""
    TASK = "task"
    """The task's first appearance, without its history and artifacts, which are rows of their own before it."""
    STATUS = "status"
    """A new status: ``{"status": TaskStatus, "metadata": …}``."""
    ARTIFACT = "artifact"
    """A piece of an artifact: ``{"artifact": Artifact, "append": …, "lastChunk": …, "metadata": …}``."""
    REPLY = "reply"
    """The agent's answer where there is no task: one message, in the columns of a message."""


class State(StrEnum):
    """The states of a task; the words of A2A 1.0."""

    SUBMITTED = "TASK_STATE_SUBMITTED"
    WORKING = "TASK_STATE_WORKING"
    COMPLETED = "TASK_STATE_COMPLETED"
    FAILED = "TASK_STATE_FAILED"
    CANCELED = "TASK_STATE_CANCELED"
    INPUT_REQUIRED = "TASK_STATE_INPUT_REQUIRED"
    REJECTED = "TASK_STATE_REJECTED"
    AUTH_REQUIRED = "TASK_STATE_AUTH_REQUIRED"


TERMINAL: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELED, State.REJECTED})
"""Nothing is ever written after one of these."""


MAX_RESULT_BYTES: Final = 256 * 1024
"""The largest result of a side effect that the ledger keeps; what is larger belongs into an artifact."""
MAX_RUNNERS: Final = 1000
"""As many processes as an agent may have, those counted that ended a moment ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row to be added to a task's log.

    ``message_id``, ``role``, ``parts``, ``metadata`` and ``extra`` (extensions, referenceTaskIds) belong to messages
    and replies, ``payload`` to the other kinds. ``streamed`` says whether a subscriber of the task sees the row;
    ``said`` whether it counts as history (a message, or a status that carries one). ``said_digest`` is given where
    large parts were moved away, so that the message is known again wherever they are.
    """

    kind: Kind
    streamed: bool
    said: bool = False
    author: str
    message_id: MessageId | None = None
    role: Role | None = None
    parts: tuple[Mapping[str, JsonValue], ...] | None = None
    metadata: Mapping[str, JsonValue] | None = None
    extra: Mapping[str, JsonValue] | None = None
    payload: Mapping[str, JsonValue] | None = None
    artifact_id: str | None = None
    append: bool = False
    said_digest: bytes | None = None

    @property
    def by_user(self) -> bool:
        """Whether it is a message of the user that is recognised when it comes again."""
        return self.kind is Kind.MESSAGE and self.role is Role.USER and self.message_id is not None

    def digest(self) -> bytes:
        """Return what tells a repeated message from another one under the same id (SHA-256 of what was said).

        ``extra`` counts not: what comes with a message, such as the trace that it was sent in, differs each time.
        """
        if self.said_digest is not None:
            return self.said_digest
        said: list[JsonValue] = [self.role, list(self.parts or ()), self.metadata or {}]
        return hashlib.sha256(canonical(said).encode()).digest()


def row_json(row: Row) -> str:
    """Return the row as it is stored, without what it leaves out, or raise `MessageTooLargeError`."""
    members: dict[str, JsonValue] = {"kind": row.kind, "author": row.author}
    if row.streamed:
        members["streamed"] = True
    if row.said:
        members["said"] = True
    if row.append:
        members["append"] = True
    if row.payload is not None:
        members["payload"] = row.payload
    if row.artifact_id is not None:
        members["artifact_id"] = row.artifact_id
    if row.extra is not None:
        members["extra"] = row.extra
    if row.parts is not None:
        members["role"] = row.role
        members["parts"] = list(row.parts)
        members["metadata"] = row.metadata or {}
        members["digest"] = row.digest().hex()
        if row.message_id is not None:
            members["message_id"] = row.message_id
    text = compact(members)
    # No character is more than four bytes.
    if len(text) * 4 > MAX_MESSAGE_BYTES and (size := len(text.encode())) > MAX_MESSAGE_BYTES:
        raise MessageTooLargeError(size, MAX_MESSAGE_BYTES)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A row as stored: never changed, at one place in its log for ever."""

    seq: int
    created_at: datetime
    row: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Creation:
    """How a task begins, in the write that first names it; ``ttl`` of None is the store's default."""

    context_id: str
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Rows for one task, written together or not at all, at most once.

    Who may write is proven in one of three ways, and at least one must be given unless every row is a message of the
    user with an id (such a write `is_proven` without): ``epoch`` (the fence of the lease: it must be the task's present
    one), ``expected_version`` (compare and swap; 0 is a first write), or ``creation``. ``write_id`` is drawn by the
    writer before its first attempt: the same write again returns what the first came to, for as long as no other proven
    write came after it. A write that names a message which the task already has is recognised as well, and for ever.

    ``state``, ``status`` and ``metadata`` replace the task's where they are given. ``waiting`` says that the last
    message of the write waits for a runner; ``handled_seq`` that the messages up to there were handled: when none is
    left that waits, the lease is given back. ``claim`` asks for the lease on behalf of a runner that lives, if nobody
    who lives has it; a repeated write asks for it again.
    """

    task_id: ThreadId
    owner: str
    write_id: str
    rows: tuple[Row, ...]
    creation: Creation | None = None
    expected_version: int | None = None
    epoch: int | None = None
    state: State | None = None
    status: Mapping[str, JsonValue] | None = None
    metadata: Mapping[str, JsonValue] | None = None
    waiting: bool = False
    handled_seq: int | None = None
    claim: RunnerId | None = None

    @property
    def is_proven(self) -> bool:
        """Whether it says who may write it."""
        return self._says_who or self._is_from_user

    @property
    def may_create(self) -> bool:
        """Whether it is a first write where there is no such task."""
        return self.creation is not None and self.epoch is None and not self.expected_version and bool(self.rows)

    @property
    def compared_version(self) -> int | None:
        """The version that it must find. A first write finds none, unless messages tell whether it was made before."""
        first = self.creation is not None and self.epoch is None and not self._is_from_user
        return 0 if first and self.expected_version is None else self.expected_version

    @property
    def waiting_place(self) -> int:
        """The place, from 1, of its last message among its rows."""
        places = (place for place, row in enumerate(self.rows, start=1) if row.kind is Kind.MESSAGE)
        return max(places, default=len(self.rows))

    @property
    def _says_who(self) -> bool:
        return self.epoch is not None or self.expected_version is not None or self.creation is not None

    @property
    def _is_from_user(self) -> bool:
        return bool(self.rows) and all(row.by_user for row in self.rows)


def cancellation(task_id: ThreadId, owner: str, status: Mapping[str, JsonValue]) -> Write:
    """Return the write that ends a task at its owner's wish, whoever runs it."""
    row = Row(kind=Kind.STATUS, streamed=True, said="message" in status, author=owner, payload={"status": status})
    return Write(task_id=task_id, owner=owner, write_id="", rows=(row,), state=State.CANCELED, status=status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a write came to.

    ``version`` is the seq of the task's last row after it; ``created`` is True when it was the task's first write, and
    ``repeated`` when it had been made before. ``epoch`` is the fence of the lease where the runner of ``claim`` has it
    after the write, whether it won it now or had it before; else None.
    """

    version: int
    created: bool
    repeated: bool
    epoch: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as stored, without its rows; ``state`` is None for an exchange that never became a task."""

    task_id: ThreadId
    context_id: str
    owner: str
    agent: AgentId
    state: State | None
    status: Mapping[str, JsonValue] | None
    metadata: Mapping[str, JsonValue] | None
    version: int
    epoch: int
    runner: RunnerId | None
    waiting: bool
    handled_seq: int
    attempts: int
    created_at: datetime
    status_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with the rows that were asked for: what was said, and the artifacts; in order."""

    task: Task
    rows: tuple[StoredRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPage:
    """Rows in order, and where the log ended when they were read."""

    rows: tuple[StoredRow, ...]
    version: int
    state: State | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to run a task: whoever writes names its ``epoch``, and a later lease's is greater.

    ``attempts`` counts the leases since the last message was handled, so that a task which kills its runners is
    noticed.
    """

    task_id: ThreadId
    owner: str
    context_id: str
    epoch: int
    version: int
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the ledger knows of a side effect; ``result`` is the JSON that it was finished with."""

    key: str
    finished: bool
    result: JsonValue
    epoch: int
    started_at: datetime
    finished_at: datetime | None


def result_json(result: JsonValue) -> str:
    """Return the canonical JSON of a side effect's result, or raise `StepTooLargeError`."""
    text = canonical(result)
    if (size := len(text.encode())) > MAX_RESULT_BYTES:
        raise StepTooLargeError(size, MAX_RESULT_BYTES)
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckTask:
    """A task that waits for a runner: since when, for whose, and how often it was tried."""

    task_id: ThreadId
    owner: str
    agent: AgentId
    runner: RunnerId | None
    runner_alive: bool
    epoch: int
    attempts: int
    waiting_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckPlace:
    """A place in the listing of stuck tasks, the oldest first."""

    waiting_since: datetime
    task_id: ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """A task whose lease was taken away by hand; ``epoch`` is the new one, which no runner has."""

    task_id: ThreadId
    agent: AgentId
    owner: str
    epoch: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Tasks of an agent that have grown, and to which version; with ``everything``, any of them may have."""

    grown: Mapping[ThreadId, int]
    everything: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlace:
    """A place in the listing of tasks."""

    status_at: datetime
    task_id: ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskQuery:
    """Which tasks of an owner; what is None does not filter. ``status_after`` is inclusive, as A2A has it."""

    owner: str
    context_id: str | None = None
    state: State | None = None
    status_after: datetime | None = None
    after: TaskPlace | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPage:
    """Tasks without their rows, the place of the next page or None, and how many there are on all pages together."""

    tasks: tuple[Task, ...]
    next_place: TaskPlace | None
    total: int
