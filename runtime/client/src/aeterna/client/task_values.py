"""What the thread store answers about an agent's tasks: how they stand, and the rows of their logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aeterna.client.json_value import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTask:
    """A task as it stands; ``version`` is the number of its last row, and ``attempts`` of runs since one succeeded."""

    task_id: str
    context_id: str
    owner: str
    agent: str
    state: str | None
    version: int
    runner: str | None
    waiting: bool
    attempts: int
    created_at: datetime
    status_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTaskPage:
    """One page of an owner's tasks, and how many there are."""

    tasks: tuple[AgentTask, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One row of a task's log; ``content`` is what the row holds beyond these, by the kind of row."""

    seq: int
    kind: str
    author: str
    created_at: datetime
    content: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task with what was said and its artifacts."""

    task: AgentTask
    rows: tuple[TaskRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRowPage:
    """Rows in order, and how the task stood when they were read."""

    rows: tuple[TaskRow, ...]
    version: int
    state: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing will ever be written after these rows."""
        return self.state in ENDS and (not self.rows or self.rows[-1].seq == self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledTask:
    """A task that was ended: the number of its last row."""

    task_id: str
    version: int


ENDS = frozenset({"TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"})
"""The states after which nothing is written."""
