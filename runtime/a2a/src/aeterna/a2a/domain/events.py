"""What an agent says, as rows of its task's log, and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from a2a.types import Message, Task, TaskArtifactUpdateEvent, TaskState, TaskStatus, TaskStatusUpdateEvent
from a2a.utils.errors import InvalidAgentResponseError
from google.protobuf.json_format import Error as JsonError
from google.protobuf.struct_pb2 import Struct

from aeterna.a2a.domain.messages import message_row, row_message
from aeterna.a2a.domain.proto_json import STATE_NAMES, artifact_json, artifact_of, proto_json, proto_of
from aeterna.a2a.domain.rows import Json, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aeterna.contracts.json_value import JsonValue

Event: TypeAlias = Message | Task | TaskStatusUpdateEvent | TaskArtifactUpdateEvent

TERMINAL: Final = frozenset({"TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"})
MAX_ID: Final = 255
INTERRUPTED: Final = frozenset({"TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Rows to be written together, and what they make of the task where it changes."""

    rows: tuple[Row, ...]
    state: str | None = None
    status: Json | None = None
    metadata: Json | None = None


NOTHING: Final = Change(rows=())
_SUBMITTED: Final = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a task has come, as far as the next event's rows depend on it."""

    task_id: str
    context_id: str
    author: str = "agent"
    state: str | None = None
    replied: bool = False
    metadata: Struct = field(default_factory=Struct)
    artifacts: set[str] = field(default_factory=set[str])
    messages: set[str] = field(default_factory=set[str])

    @property
    def over(self) -> bool:
        """Whether nothing can follow."""
        return self.replied or self.state in TERMINAL

    def change_of(self, event: Event) -> Change:
        """Return what the event adds, and take note of it; or raise `InvalidAgentResponseError`.

        The first status or piece of an artifact makes a task where the agent sent none; a second `Task` adds nothing,
        as under the SDK's own handler.
        """
        try:
            match event:
                case TaskArtifactUpdateEvent():
                    return self._artifact(event)
                case TaskStatusUpdateEvent():
                    return self._status(event)
                case Task():
                    return self._task(event)
                case Message():
                    return self._reply(event)
        except (JsonError, ValueError) as error:
            raise InvalidAgentResponseError(message="The agent's event cannot be kept as JSON.") from error

    def _artifact(self, event: TaskArtifactUpdateEvent) -> Change:
        self._require_mine(event.task_id)
        artifact_id = event.artifact.artifact_id
        if not 1 <= len(artifact_id) <= MAX_ID:
            raise InvalidAgentResponseError(message=f"An artifact needs an id of at most {MAX_ID} characters.")
        if event.append and artifact_id not in self.artifacts:
            raise InvalidAgentResponseError(message=f"append=True for nonexistent artifact_id={artifact_id!r:.300}")
        row = artifact_row(event, author=self.author)
        if self.state is not None:
            self.artifacts.add(artifact_id)
            return Change(rows=(row,))
        begun = self._begun(_SUBMITTED)
        self.artifacts.add(artifact_id)
        return Change(rows=(begun, row), state=self.state, status=proto_json(_SUBMITTED))

    def _status(self, event: TaskStatusUpdateEvent) -> Change:
        self._require_mine(event.task_id)
        before = () if self.state is not None else (self._begun(_SUBMITTED),)
        payload: dict[str, JsonValue] = {"status": proto_json(event.status)}
        metadata: Json | None = None
        if event.metadata.fields:
            payload["metadata"] = proto_json(event.metadata)
            self.metadata.MergeFrom(event.metadata)
            metadata = proto_json(self.metadata)
        self.state = _named(event.status.state)
        said = event.status.HasField("message")
        row = Row(kind="status", streamed=True, said=said, author=self.author, payload=payload)
        status = payload_object(payload, "status")
        return Change(rows=(*before, row), state=self.state, status=status, metadata=metadata)

    def _task(self, task: Task) -> Change:
        self._require_mine(task.id)
        if self.state is not None:
            return NOTHING
        rows = [
            message_row(message, kind="message", task_id=self.task_id, context_id=self.context_id, author=self.author)
            for message in task.history
            if message.message_id not in self.messages
        ]
        for artifact in task.artifacts:
            self.artifacts.add(artifact.artifact_id)
            rows.append(artifact_row(TaskArtifactUpdateEvent(artifact=artifact), author=self.author, streamed=False))
        self.metadata.CopyFrom(task.metadata)
        rows.append(self._begun(task.status))
        metadata = proto_json(task.metadata) if task.metadata.fields else None
        return Change(rows=tuple(rows), state=self.state, status=proto_json(task.status), metadata=metadata)

    def _begun(self, status: TaskStatus) -> Row:
        if self.replied:
            raise InvalidAgentResponseError(message="Received a task's event in message mode.")
        payload: dict[str, JsonValue] = {"status": proto_json(status)}
        if self.metadata.fields:
            payload["metadata"] = proto_json(self.metadata)
        self.state = _named(status.state)
        said = status.HasField("message")
        return Row(kind="task", streamed=True, said=said, author=self.author, payload=payload)

    def _reply(self, message: Message) -> Change:
        if self.state is not None or self.replied:
            raise InvalidAgentResponseError(
                message="Received Message object in task mode. Use a status or an artifact instead."
            )
        self.replied = True
        row = message_row(
            message, kind="reply", task_id=self.task_id, context_id=self.context_id, author=self.author, streamed=True
        )
        return Change(rows=(row,))

    def _require_mine(self, task_id: str) -> None:
        if task_id != self.task_id:
            raise InvalidAgentResponseError(message="The agent's event names another task than the one it runs.")


def _named(state: TaskState) -> str:
    if state == TaskState.TASK_STATE_UNSPECIFIED:
        raise InvalidAgentResponseError(message="The agent's status has no state.")
    return STATE_NAMES[state]


def artifact_row(event: TaskArtifactUpdateEvent, *, author: str, streamed: bool = True) -> Row:
    """Return the row of a piece of an artifact."""
    payload: dict[str, JsonValue] = {"artifact": artifact_json(event.artifact)}
    if event.append:
        payload["append"] = True
    if event.last_chunk:
        payload["lastChunk"] = True
    if event.metadata.fields:
        payload["metadata"] = proto_json(event.metadata)
    return Row(
        kind="artifact",
        streamed=streamed,
        author=author,
        payload=payload,
        artifact_id=event.artifact.artifact_id,
        append=event.append,
    )


def event_of(row: Row, *, task_id: str, context_id: str) -> Event:
    """Return what a subscriber sees of a streamed row; of a task's first appearance, without history and artifacts."""
    if row.kind in {"message", "reply"}:
        return row_message(row, task_id=task_id, context_id=context_id)
    payload = row.payload or {}
    if row.kind == "artifact":
        update = TaskArtifactUpdateEvent(
            task_id=task_id,
            context_id=context_id,
            artifact=artifact_of(payload_object(payload, "artifact")),
            append=payload.get("append") is True,
            last_chunk=payload.get("lastChunk") is True,
        )
        if "metadata" in payload:
            proto_of(payload_object(payload, "metadata"), update.metadata)
        return update
    event = (
        Task(id=task_id, context_id=context_id)
        if row.kind == "task"
        else TaskStatusUpdateEvent(task_id=task_id, context_id=context_id)
    )
    proto_of(payload_object(payload, "status"), event.status)
    if "metadata" in payload:
        proto_of(payload_object(payload, "metadata"), event.metadata)
    return event


def payload_object(payload: Json, name: str) -> Mapping[str, JsonValue]:
    """Return an object within a payload; empty where there is none."""
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def state_after(row: Row, before: str | None) -> str | None:
    """Return the task's state after a row."""
    if row.kind not in {"task", "status"}:
        return before
    state = payload_object(row.payload or {}, "status").get("state")
    return state if isinstance(state, str) else before


def progress_of(rows: Iterable[Row], *, task_id: str, context_id: str, state: str | None) -> Progress:
    """Return how far a task has come whose said rows and artifacts these are."""
    progress = Progress(task_id=task_id, context_id=context_id, state=state)
    for row in rows:
        if row.kind == "artifact":
            progress.artifacts.add(row.artifact_id or "")
        elif row.message_id is not None:
            progress.messages.add(row.message_id)
    return progress
