"""Reads the events of one round of upkeep; nothing here does input or output.

A round is asked for once: when the connection breaks it goes on without us, and asking again would begin another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.errors import ClientError
from aeterna.client.reader import Reader
from aeterna.client.upkeep_values import TaskDone, UpkeepProgress, UpkeepReport

if TYPE_CHECKING:
    from aeterna.client.json_value import JsonObject
    from aeterna.client.operation import Service
    from aeterna.client.upkeep_values import UpkeepTask


class UpkeepStream:
    """One round: progress, then its report."""

    service: Service = "graph"
    path = "/api/v1/graph/maintenance"

    def __init__(self, task: UpkeepTask, *, full: bool, dry_run: bool) -> None:
        self.body: JsonObject = {"task": task, "full": full, "dry_run": dry_run}
        self._fields: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """Return the headers of the request."""
        return {"Accept": "text/event-stream"}

    def feed(self, line: str) -> UpkeepProgress | UpkeepReport | None:
        """Take one line; return what it completes."""
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        match fields.get("event"):
            case "progress":
                reader = Reader.of(fields.get("data", "").encode(), "progress")
                return UpkeepProgress(
                    task=reader.text("task"),
                    done=reader.integer("done"),
                    total=reader.integer("total"),
                    unit=reader.text("unit"),
                )
            case "report":
                reader = Reader.of(fields.get("data", "").encode(), "report")
                return UpkeepReport(tasks=tuple(_task(task) for task in reader.readers("tasks")))
            case _:
                return None

    def pause(self, failure: ClientError | None) -> float:
        """Raise: a round is not asked for twice."""
        raise failure or ClientError("the stream ended before its report; the round goes on")


def _task(reader: Reader) -> TaskDone:
    return TaskDone(
        task=reader.text("task"),
        dry_run=reader.flag("dry_run"),
        seconds=reader.number("seconds"),
        error=reader.optional_text("error"),
        result=reader.object("result"),
    )
