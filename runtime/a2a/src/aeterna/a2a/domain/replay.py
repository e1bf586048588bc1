"""What an agent says again after a takeover, recognised, so that nobody hears it twice.

A run that was cut off is run again from its message. For as long as it says what is durable already, in the same order,
nothing is written. What differs in nature between two runs of the same code is not compared: the time of a status, the
id of a message within it, and an artifact's id where both are random UUIDs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from a2a.types import Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent

from aeterna.a2a.domain.events import event_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.a2a.domain.events import Event
    from aeterna.a2a.domain.rows import Row, StoredRow
    from aeterna.contracts.json_value import JsonValue

_ANSWERS: Final = "answers"
"""In the first row that answers a message: the message's seq."""
_VERSION_RANDOM: Final = 4


def answering(row: Row, message_seq: int) -> Row:
    """Return the first row that answers a message, marked with the message's place."""
    if row.payload is None:
        return replace(row, extra={**(row.extra or {}), _ANSWERS: message_seq})
    return replace(row, payload={**row.payload, _ANSWERS: message_seq})


def recorded_of(rows: Sequence[StoredRow], message_seq: int) -> tuple[StoredRow, ...]:
    """Return what a subscriber saw of the answer to a message: the streamed rows from the one that is marked so."""
    start = next((at for at, row in enumerate(rows) if _answers(row.row) == message_seq), len(rows))
    return tuple(row for row in rows[start:] if row.row.streamed)


def _answers(row: Row) -> JsonValue:
    return (row.payload or row.extra or {}).get(_ANSWERS)


class Replay:
    """The events that are durable already, held against those that an agent says now."""

    def __init__(self, recorded: Sequence[StoredRow], *, task_id: str, context_id: str) -> None:
        self._recorded = recorded
        self._events = [event_of(row.row, task_id=task_id, context_id=context_id) for row in recorded]
        self._at = 0
        self._names: dict[str, str] = {}
        self.diverged = False

    def known(self, event: Event) -> bool:
        """Tell whether the event is the next of those that are durable; from the first that is not, none is."""
        while self._at < len(self._events) and isinstance(self._events[self._at], Task) and not isinstance(event, Task):
            self._at += 1
        if self.diverged or self._at == len(self._events):
            return False
        first = self._events[self._at]
        if isinstance(event, Task) and not isinstance(first, Task):
            return False
        if self._same(first, event):
            self._at += 1
            return True
        self.diverged = True
        return False

    def named(self, event: Event) -> Event:
        """Return the event under the artifact's id that subscribers know it by."""
        if isinstance(event, TaskArtifactUpdateEvent) and event.artifact.artifact_id in self._names:
            renamed = TaskArtifactUpdateEvent()
            renamed.CopyFrom(event)
            renamed.artifact.artifact_id = self._names[event.artifact.artifact_id]
            return renamed
        return event

    def abandoned(self) -> tuple[int, frozenset[str]]:
        """Return the seq of the last event that was said again, and the artifacts that had gone on after it."""
        rest = self._recorded[self._at :]
        last = rest[0].seq - 1 if rest else 0
        return last, frozenset(row.row.artifact_id or "" for row in rest if row.row.kind == "artifact")

    def _same(self, first: Event, event: Event) -> bool:
        if isinstance(first, TaskArtifactUpdateEvent) and isinstance(event, TaskArtifactUpdateEvent):
            old, new = first.artifact.artifact_id, event.artifact.artifact_id
            if not event.append and old != new and _random(old) and _random(new):
                self._names[new] = old
            event = self.named(event)
        return _comparable(first) == _comparable(event)


def _comparable(event: Event) -> Event:
    """Return a copy without what differs between two runs of the same code."""
    copy = type(event)()
    copy.CopyFrom(event)  # pyright: ignore[reportArgumentType] - of the same class
    if isinstance(copy, Task):
        return Task(id=copy.id)
    if isinstance(copy, TaskStatusUpdateEvent):
        copy.status.ClearField("timestamp")
        copy.status.message.message_id = ""
    elif not isinstance(copy, TaskArtifactUpdateEvent):
        copy.message_id = ""
    copy.context_id = ""
    return copy


def _random(name: str) -> bool:
    try:
        return UUID(name).version == _VERSION_RANDOM
    except ValueError:
        return False
