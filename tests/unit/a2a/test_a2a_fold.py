"""The task that rows tell is the task that the SDK folds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from a2a.server.context import ServerCallContext
from a2a.server.tasks import InMemoryTaskStore, TaskManager
from a2a.types import (
    Artifact,
    Message,
    Part,
    Role,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import InvalidAgentResponseError
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from aeterna.a2a.domain.events import Event, Progress, event_of
from aeterna.a2a.domain.fold import assembled
from aeterna.a2a.domain.messages import message_row
from aeterna.a2a.domain.rows import Row, StoredRow, StoredTask, TaskView

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from aeterna.a2a.domain.rows import Json

TASK, CONTEXT = "task-1", "context-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, -0.5) | texts
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


def struct(content: Mapping[str, Any]) -> Struct:
    made = Struct()
    made.update(dict(content))
    return made


def value(content: Any) -> Value:  # noqa: ANN401 - any JSON
    return struct({"it": content}).fields["it"]


structs = st.none() | st.dictionaries(texts, json_values, min_size=1, max_size=3).map(struct)
contents = st.one_of(
    st.builds(Part, text=texts),
    st.builds(Part, raw=st.binary(max_size=8)),
    st.builds(Part, url=texts),
    st.builds(Part, data=json_values.map(value)),
)


def part(content: Part, filename: str, media_type: str, metadata: Struct | None) -> Part:
    content.MergeFrom(Part(filename=filename, media_type=media_type, metadata=metadata))
    return content


parts = st.builds(part, contents, texts, texts, structs)
messages = st.builds(
    Message,
    message_id=st.uuids().map(str) | st.just("no/id of ours"),
    task_id=st.sampled_from(["", TASK, "another"]),
    context_id=st.sampled_from(["", CONTEXT]),
    role=st.sampled_from([Role.ROLE_UNSPECIFIED, Role.ROLE_USER, Role.ROLE_AGENT]),
    parts=st.lists(parts, max_size=3),
    metadata=structs,
    extensions=st.lists(texts, max_size=2),
    reference_task_ids=st.lists(texts, max_size=2),
)
going_on = st.sampled_from(
    [TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_INPUT_REQUIRED]
)
statuses = st.builds(TaskStatus, state=going_on, message=st.none() | messages)
artifacts = st.builds(
    Artifact,
    artifact_id=st.sampled_from(["a", "b"]),
    name=texts,
    description=texts,
    parts=st.lists(parts, max_size=3),
    metadata=structs,
    extensions=st.lists(texts, max_size=2),
)
updates = st.one_of(
    st.builds(
        TaskStatusUpdateEvent, task_id=st.just(TASK), context_id=st.just(CONTEXT), status=statuses, metadata=structs
    ),
    st.builds(
        TaskArtifactUpdateEvent,
        task_id=st.just(TASK),
        context_id=st.just(CONTEXT),
        artifact=artifacts,
        append=st.booleans(),
        last_chunk=st.booleans(),
        metadata=structs,
    ),
)
first_tasks = st.builds(
    Task,
    id=st.just(TASK),
    context_id=st.just(CONTEXT),
    status=statuses,
    artifacts=st.lists(artifacts, max_size=2, unique_by=lambda artifact: artifact.artifact_id),
    metadata=structs,
)
user_messages = st.builds(
    Message,
    message_id=st.uuids().map(str),
    task_id=st.just(TASK),
    context_id=st.just(CONTEXT),
    role=st.just(Role.ROLE_USER),
    parts=st.lists(parts, min_size=1, max_size=2),
)


def folded_by_the_sdk(first: Message, events: Sequence[Event]) -> tuple[Task | None, list[bool]]:
    """Return what the SDK folds, and which events it took."""

    async def fold() -> tuple[Task | None, list[bool]]:
        store, context = InMemoryTaskStore(), ServerCallContext()
        manager = TaskManager(store, context, TASK, CONTEXT, first)
        taken: list[bool] = []
        for event in events:
            task = await manager.get_task()
            try:
                if isinstance(event, Message):
                    if task is not None:
                        await manager.save_task_event(manager.update_with_message(event, task))
                else:
                    await manager.process(event)
            except InvalidAgentResponseError:
                taken.append(False)
            else:
                taken.append(True)
        return await store.get(TASK, context), taken

    return asyncio.run(fold())


class Log:
    """The rows of one task, and what the store keeps beside them."""

    def __init__(self, first: Message) -> None:
        self.progress = Progress(task_id=TASK, context_id=CONTEXT)
        self.rows: list[StoredRow] = []
        self.status: Json | None = None
        self.metadata: Json | None = None
        self.say(first)

    def say(self, message: Message) -> None:
        self.progress.messages.add(message.message_id)
        self.add([message_row(message, kind="message", task_id=TASK, context_id=CONTEXT, author="owner")])

    def take(self, event: Event) -> bool:
        try:
            change = self.progress.change_of(event)
        except InvalidAgentResponseError:
            return False
        self.add(change.rows)
        self.status = change.status or self.status
        self.metadata = change.metadata or self.metadata
        return True

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.rows.append(StoredRow(seq=len(self.rows) + 1, created_at=NOW, row=row))

    def task(self) -> Task | None:
        if self.progress.state is None:
            return None
        stored = StoredTask(
            task_id=TASK,
            context_id=CONTEXT,
            owner="owner",
            state=self.progress.state,
            status=self.status,
            metadata=self.metadata,
            version=len(self.rows),
            epoch=1,
            waiting=False,
            handled_seq=0,
            attempts=0,
            created_at=NOW,
            status_at=NOW,
            expires_at=None,
        )
        return assembled(
            TaskView(task=stored, rows=tuple(row for row in self.rows if row.row.said or row.row.kind == "artifact"))
        )


@settings(max_examples=60, deadline=None)
@given(first=user_messages, begun=st.none() | first_tasks, later=st.lists(updates | user_messages, max_size=8))
def test_the_task_from_rows_is_the_task_that_the_sdk_folds(
    first: Message, begun: Task | None, later: list[Event]
) -> None:
    if begun is not None:
        begun.history.append(first)
    events: list[Event] = [
        *([begun] if begun else []),
        *(event for event in later if begun or not isinstance(event, Message)),
    ]
    expected, taken = folded_by_the_sdk(first, [_copy(event) for event in events])
    log = Log(first)

    for event, was_taken in zip(events, taken, strict=True):
        if isinstance(event, Message):
            log.say(event)
        else:
            assert log.take(event) is was_taken

    # The SDK makes a task also for a piece that it then refuses.
    assert log.task() == (expected if any(taken) else None)


@settings(max_examples=150, deadline=None)
@given(event=updates)
def test_a_streamed_row_tells_the_event_that_made_it(event: Event) -> None:
    progress = Progress(task_id=TASK, context_id=CONTEXT, state="TASK_STATE_WORKING", artifacts={"a", "b"})

    change = progress.change_of(event)

    assert event_of(change.rows[-1], task_id=TASK, context_id=CONTEXT) == event


@settings(max_examples=100, deadline=None)
@given(message=messages)
def test_a_message_comes_back_from_its_columns_as_it_was(message: Message) -> None:
    row = message_row(message, kind="reply", task_id=TASK, context_id=CONTEXT, author="agent")

    assert event_of(row, task_id=TASK, context_id=CONTEXT) == message


@pytest.mark.parametrize("later", [Task(id=TASK), Message(message_id="again", parts=[Part(text="b")])], ids=type)
def test_nothing_follows_a_reply(later: Event) -> None:
    progress = Progress(task_id=TASK, context_id=CONTEXT)
    progress.change_of(Message(message_id="first", parts=[Part(text="a")]))

    with pytest.raises(InvalidAgentResponseError):
        progress.change_of(later)


def _copy(event: Event) -> Event:
    made = type(event)()
    made.CopyFrom(event)  # pyright: ignore[reportArgumentType]
    return made
