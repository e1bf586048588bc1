"""What the thread store answers about leases: tasks that are stuck, and those that were freed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckTask:
    """A task that waits without a process that lives, or that was tried more than once.

    ``runner`` is the process that has it, or had it when it died; ``attempts`` counts since a message was last handled.
    """

    task_id: str
    owner: str
    agent: str
    runner: str | None
    runner_alive: bool
    epoch: int
    attempts: int
    waiting_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckPage:
    """One page of stuck tasks."""

    tasks: tuple[StuckTask, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreedLease:
    """A task whose lease was taken away: who writes under an epoch before ``epoch`` is refused."""

    task_id: str
    owner: str
    agent: str
    epoch: int
    version: int
