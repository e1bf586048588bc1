"""The SDK's handler on the thread store does what it does on the SDK's own stores, without their defects."""

from __future__ import annotations

import asyncio
import itertools
import json
import uuid
from typing import TYPE_CHECKING, Protocol

import pytest
from a2a.auth.user import User
from a2a.server.cluster import ConcurrentTaskModificationError, TaskVersion, VersionedEvent
from a2a.server.context import ServerCallContext
from a2a.server.request_handlers import DefaultRequestHandlerV2
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import (
    AgentCapabilities,
    AgentCard,
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    Part,
    Role,
    SendMessageRequest,
    Task,
    TaskPushNotificationConfig,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import TaskNotFoundError

from aeterna.a2a.adapters.sdk_stores import AeternaPushConfigStore, AeternaTaskEventStream, AeternaTaskStore
from aeterna.a2a.adapters.wire import write_json
from aeterna.a2a.testing import FakePushConfigs, FakeTaskLog
from fixtures.scripted_agents import ScriptedExecutor, begun, chunk, message, status

if TYPE_CHECKING:
    from a2a.server.agent_execution import RequestContext
    from a2a.server.events import EventQueue

    from aeterna.a2a.domain.rows import TaskView, Write, Written
    from aeterna.a2a.ports import TaskLog

pytestmark = pytest.mark.anyio


class Named(User):
    """A caller with a name."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def user_name(self) -> str:
        return self._name


def caller(name: str = "ada") -> ServerCallContext:
    return ServerCallContext(user=Named(name))


@pytest.fixture(params=["fake", "http"])
def log(request: pytest.FixtureRequest) -> TaskLog:
    return FakeTaskLog() if request.param == "fake" else request.getfixturevalue("http_store").log


@pytest.fixture
def store(log: TaskLog) -> AeternaTaskStore:
    return AeternaTaskStore(log)


def task(task_id: str | None = None, *said: str) -> Task:
    return Task(
        id=task_id or str(uuid.uuid4()),
        context_id="context",
        status=TaskStatus(state=TaskState.TASK_STATE_WORKING),
        history=[Message(message_id=f"m-{text}", role=Role.ROLE_USER, parts=[Part(text=text)]) for text in said],
    )


def update(changed: Task, state: TaskState, text: str = "") -> TaskStatusUpdateEvent:
    """Change a task as the SDK's `TaskManager` does, and return the event."""
    event = TaskStatusUpdateEvent(task_id=changed.id, context_id=changed.context_id, status=TaskStatus(state=state))
    if text:
        event.status.message.CopyFrom(Message(message_id=f"s-{text}", role=Role.ROLE_AGENT, parts=[Part(text=text)]))
    if changed.status.HasField("message"):
        changed.history.append(changed.status.message)
    changed.status.CopyFrom(event.status)
    return event


async def saved(store: AeternaTaskStore, one: Task, *, owner: str = "ada") -> TaskVersion:
    return await store.save(one, event=one, prev=None, prev_version=TaskVersion.MISSING, context=caller(owner))


async def converse(context: RequestContext, queue: EventQueue) -> None:
    """Ask back once, and then answer."""
    if context.current_task is None:
        await queue.enqueue_event(begun(context))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_WORKING, "thinking"))
        await queue.enqueue_event(status(context, TaskState.TASK_STATE_INPUT_REQUIRED, "which?"))
        return
    await queue.enqueue_event(chunk(context, "this ", append=False))
    await queue.enqueue_event(chunk(context, "one"))
    await queue.enqueue_event(status(context, TaskState.TASK_STATE_COMPLETED, "done"))


class Answers(Protocol):
    """What a caller asks of a handler; the SDK's decorators take the types of its methods away."""

    async def on_message_send(self, params: SendMessageRequest, context: ServerCallContext) -> Message | Task: ...
    async def on_get_task(self, params: GetTaskRequest, context: ServerCallContext) -> Task | None: ...
    async def on_list_tasks(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse: ...
    async def on_cancel_task(self, params: CancelTaskRequest, context: ServerCallContext) -> Task | None: ...
    async def aclose(self) -> None: ...


async def conversation(handler: Answers) -> list[Task]:
    """Have a conversation and return the tasks that a caller saw on the way, under ids that compare."""
    first = await handler.on_message_send(message("book"), caller())
    assert isinstance(first, Task)
    asked = await handler.on_get_task(GetTaskRequest(id=first.id), caller())
    second = await handler.on_message_send(message("that", message_id="m2", task_id=first.id), caller())
    ended = await handler.on_get_task(GetTaskRequest(id=first.id), caller())
    listed = await handler.on_list_tasks(ListTasksRequest(include_artifacts=True), caller())
    again = await handler.on_message_send(message("other", message_id="m3"), caller())
    assert isinstance(again, Task)
    cancelled = await handler.on_cancel_task(CancelTaskRequest(id=again.id), caller())
    await handler.aclose()
    tasks = [first, asked, second, ended, *listed.tasks, again, cancelled]
    assert all(isinstance(one, Task) for one in tasks)
    return [comparable(one) for one in tasks if isinstance(one, Task)]


def comparable(one: Task) -> Task:
    copy = Task()
    copy.CopyFrom(one)
    copy.id = copy.context_id = ""
    copy.status.ClearField("timestamp")
    for said in (*copy.history, copy.status.message) if copy.status.HasField("message") else copy.history:
        said.task_id = said.context_id = ""
    return copy


CARD = AgentCard(name="a", description="d", version="1", capabilities=AgentCapabilities(streaming=True))


async def test_the_sdks_handler_tells_a_caller_the_same_as_on_the_sdks_own_store(
    store: AeternaTaskStore, log: TaskLog
) -> None:
    reference = DefaultRequestHandlerV2(ScriptedExecutor(converse), InMemoryTaskStore(), CARD)
    ours = DefaultRequestHandlerV2(
        ScriptedExecutor(converse), store, CARD, event_stream=AeternaTaskEventStream(log, store)
    )

    assert await conversation(ours) == await conversation(reference)


async def test_another_owner_cannot_take_a_task_over_by_saving_its_id(store: AeternaTaskStore) -> None:
    """The SDK's stores let the last who saves an id have it."""
    mine = task(None, "mine")
    await saved(store, mine)

    with pytest.raises(ConcurrentTaskModificationError):
        await saved(store, task(mine.id, "theirs"), owner="eve")

    assert await store.get(mine.id, caller("eve")) is None
    kept = await store.get(mine.id, caller())
    assert kept is not None
    assert kept.task == mine


async def test_of_two_concurrent_appends_one_is_refused_and_none_is_lost(store: AeternaTaskStore) -> None:
    """The SDK's plain store kept one message of two, and told both writers that all was well."""
    one = task(None, "one")
    version = await saved(store, one)
    left, right = Task(), Task()
    for copy, text in ((left, "left"), (right, "right")):
        copy.CopyFrom(one)
        copy.history.append(Message(message_id=text, role=Role.ROLE_USER, parts=[Part(text=text)]))

    outcomes = await asyncio.gather(
        *(store.save(copy, event=copy, prev=one, prev_version=version, context=caller()) for copy in (left, right)),
        return_exceptions=True,
    )

    refused = [isinstance(outcome, ConcurrentTaskModificationError) for outcome in outcomes]
    kept = await store.get(one.id, caller())
    assert kept is not None
    assert sorted(refused) == [False, True]
    assert kept.task == (right if refused[0] else left)


@pytest.mark.parametrize("length", [40, 255])
async def test_long_ids_are_kept(store: AeternaTaskStore, length: int) -> None:
    """The SDK's tables have room for 36 characters."""
    one = task(uuid.uuid4().hex + "x" * (length - 32), "hello")
    await saved(store, one)

    kept = await store.get(one.id, caller())

    assert kept is not None
    assert kept.task == one


async def test_a_stale_version_is_refused_and_a_fresh_one_goes_on(store: AeternaTaskStore) -> None:
    one = task(None, "hello")
    first = await saved(store, one)
    event = update(one, TaskState.TASK_STATE_WORKING, "a")
    second = await store.save(one, event=event, prev=None, prev_version=first, context=caller())
    event = update(one, TaskState.TASK_STATE_WORKING, "b")

    with pytest.raises(ConcurrentTaskModificationError):
        await store.save(one, event=event, prev=None, prev_version=first, context=caller())

    third = await store.save(one, event=event, prev=None, prev_version=second, context=caller())
    kept = await store.get(one.id, caller())
    assert kept is not None
    assert (kept.task, kept.version) == (one, third)
    assert third.is_after(second)


async def test_a_whole_task_is_kept_right_by_a_process_that_has_not_seen_it_before(
    store: AeternaTaskStore, log: TaskLog
) -> None:
    one = task(None, "hello")
    version = await saved(store, one)
    event = update(one, TaskState.TASK_STATE_INPUT_REQUIRED, "which?")
    version = await store.save(one, event=event, prev=None, prev_version=version, context=caller())
    cold = AeternaTaskStore(log)
    one.history.append(one.status.message)
    one.status.ClearField("message")
    one.history.append(Message(message_id="m2", role=Role.ROLE_USER, parts=[Part(text="this")]))

    await cold.save(one, event=one, prev=None, prev_version=version, context=caller())

    kept = await cold.get(one.id, caller())
    assert kept is not None
    assert kept.task == one


async def test_a_cancelled_task_stays_cancelled(store: AeternaTaskStore) -> None:
    one = task(None, "hello")
    version = await saved(store, one)
    cancelled = task(one.id, "hello")
    event = update(cancelled, TaskState.TASK_STATE_CANCELED)
    await store.save(cancelled, event=event, prev=None, prev_version=version, context=caller())
    late = update(one, TaskState.TASK_STATE_COMPLETED)

    with pytest.raises(ConcurrentTaskModificationError):
        await store.save(one, event=late, prev=None, prev_version=version, context=caller())

    kept = await store.get(one.id, caller())
    assert kept is not None
    assert kept.task.status.state == TaskState.TASK_STATE_CANCELED


async def test_a_subscriber_in_another_process_sees_what_is_saved_from_where_it_began(
    store: AeternaTaskStore, log: TaskLog
) -> None:
    one = task(None, "hello")
    version = await saved(store, one)
    other = AeternaTaskStore(log)
    assert await other.get(one.id, caller()) is not None

    async def subscribe(after: TaskVersion) -> list[VersionedEvent]:
        return [event async for event in AeternaTaskEventStream(log, other).subscribe(one.id, after=after)]

    subscribing = asyncio.create_task(subscribe(version))
    for text in ("a", "b"):
        event = update(one, TaskState.TASK_STATE_WORKING, text)
        version = await store.save(one, event=event, prev=None, prev_version=version, context=caller())
    event = update(one, TaskState.TASK_STATE_COMPLETED)
    await store.save(one, event=event, prev=None, prev_version=version, context=caller())
    seen = await subscribing

    states = [one.event.status.state for one in seen if isinstance(one.event, TaskStatusUpdateEvent)]
    assert states == [TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_WORKING, TaskState.TASK_STATE_COMPLETED]
    assert all(later.version.is_after(before.version) for before, later in itertools.pairwise(seen))


async def test_a_stranger_cannot_subscribe_to_what_was_not_read(log: TaskLog, store: AeternaTaskStore) -> None:
    with pytest.raises(TaskNotFoundError):
        await anext(AeternaTaskEventStream(log, store).subscribe("nowhere", after=TaskVersion.MISSING))


class Weighed:
    """A log that weighs what is written to it, and counts what is read."""

    def __init__(self) -> None:
        self._log = FakeTaskLog()
        self.sizes: list[int] = []
        self.reads = 0

    async def write(self, write: Write) -> Written:
        self.sizes.append(len(json.dumps(write_json(write))))
        return await self._log.write(write)

    async def task(self, task_id: str, *, owner: str) -> TaskView:
        self.reads += 1
        return await self._log.task(task_id, owner=owner)


@pytest.mark.parametrize("whole", [False, True], ids=["event", "task"])
async def test_a_save_writes_as_much_at_a_long_history_as_at_a_short_one(whole: bool) -> None:
    """The SDK's stores write the whole task for each event."""
    weighed = Weighed()
    store = AeternaTaskStore(weighed)  # pyright: ignore[reportArgumentType] - the part of a log that a save needs
    one = task(None, "hello")
    version = await saved(store, one)

    for at in range(300):
        text = f"{at:03}"
        if whole:
            one.history.append(Message(message_id=text, role=Role.ROLE_AGENT, parts=[Part(text=text)]))
            version = await store.save(one, event=one, prev=None, prev_version=version, context=caller())
        else:
            event = update(one, TaskState.TASK_STATE_WORKING, text)
            version = await store.save(one, event=event, prev=None, prev_version=version, context=caller())

    # Two more digits of the version.
    assert max(weighed.sizes[1:]) - min(weighed.sizes[1:]) <= 2
    assert weighed.reads == 0


async def test_a_push_configuration_that_comes_before_the_task_is_kept_with_it() -> None:
    """The SDK's handler hands over the configuration of a first message before it saves the task."""
    fake = FakeTaskLog()
    store, pushes = AeternaTaskStore(fake), FakePushConfigs(fake)
    configs = AeternaPushConfigStore(pushes, store)
    one = task(None, "hello")
    wanted = TaskPushNotificationConfig(url="https://example.com/hook", token="secret")

    await configs.set_info(one.id, wanted, caller())
    await saved(store, one)

    (kept,) = await configs.get_info(one.id, caller())
    assert (kept.url, kept.token, kept.task_id) == (wanted.url, "", one.id)
    assert await configs.get_info_for_dispatch(one.id) == []
