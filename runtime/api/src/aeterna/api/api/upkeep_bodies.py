"""Upkeep as JSON: what may be asked, how far it is, and what came of it."""

# Without the postponed annotations that we have elsewhere: pydantic reads these at run time.
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from aeterna.graph.domain.upkeep import TASKS, Outcome, Progress, TaskReport
from aeterna.graph.usecases.upkeep import Order

TaskText = Literal["backup", "compact", "expire", "collect"]
Value = int | str | list[str] | None


class MaintenanceBody(BaseModel):
    """What shall be done now."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task: Literal["backup", "compact", "expire", "collect", "all"] = Field(description="One task, or all in order.")
    dry_run: bool = Field(default=False, description="Change nothing, and report what would be done.")
    full: bool = Field(default=False, description="Merge everything, whether or not it is worth it yet.")

    def order(self) -> Order:
        """Return it in the graph's words."""
        tasks = TASKS if self.task == "all" else (self.task,)
        return Order(tasks=tasks, full=self.full, dry_run=self.dry_run)


class ProgressBody(BaseModel):
    """How far a task is."""

    task: TaskText
    done: int
    total: int = Field(description="0 while nobody knows.")
    unit: str

    @classmethod
    def of(cls, progress: Progress) -> Self:
        """Write progress down."""
        return cls(task=progress.task, done=progress.done, total=progress.total, unit=progress.unit)


class TaskBody(BaseModel):
    """What one task did, or would have done."""

    task: TaskText
    dry_run: bool
    seconds: float
    error: str | None = Field(description="The code of the error that stopped it; the other tasks went on.")
    result: dict[str, Value] = Field(description="Counts by name, as the guide describes them for each task.")

    @classmethod
    def of(cls, report: TaskReport) -> Self:
        """Write a report down."""
        return cls(
            task=report.task,
            dry_run=report.dry_run,
            seconds=round(report.seconds, 3),
            error=report.error,
            result=_result(report.outcome) if report.outcome else {},
        )


class ReportBody(BaseModel):
    """What a round of upkeep did."""

    tasks: list[TaskBody]

    @classmethod
    def of(cls, reports: Sequence[TaskReport]) -> Self:
        """Write the reports down."""
        return cls(tasks=[TaskBody.of(report) for report in reports])


def _result(outcome: Outcome) -> dict[str, Value]:
    return {field.name: _value(field.name, getattr(outcome, field.name)) for field in fields(outcome)}


def _value(name: str, value: object) -> Value:
    match value:
        case None:
            return None
        case int() if name == "snapshot_id":
            return str(value)  # JSON's numbers are too short for it
        case int() | str():
            return value
        case datetime():
            return value.isoformat()
        case tuple():
            return [str(each) for each in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # names of tags
        case _:
            raise TypeError(name)
