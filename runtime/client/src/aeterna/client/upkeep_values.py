"""What upkeep of a graph says: how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aeterna.client.json_value import JsonObject

UpkeepTask: TypeAlias = Literal["backup", "compact", "expire", "collect", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepProgress:
    """How far a task is; ``total`` is 0 while nobody knows."""

    task: str
    done: int
    total: int
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDone:
    """What one task did, or would have done; ``error`` is the code of what stopped it.

    ``result`` are counts by name, which docs/guide/graph-maintenance.md describes for each task.
    """

    task: str
    dry_run: bool
    seconds: float
    error: str | None
    result: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepReport:
    """What a round of upkeep did, task by task."""

    tasks: tuple[TaskDone, ...]

    @property
    def failed(self) -> tuple[TaskDone, ...]:
        """The tasks that an error stopped."""
        return tuple(task for task in self.tasks if task.error is not None)
