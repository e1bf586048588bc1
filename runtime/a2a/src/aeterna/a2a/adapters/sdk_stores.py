"""The SDK's own stores on the thread store, for authors who keep the SDK's `DefaultRequestHandlerV2`.

They leave out what only the kit's engine does: a task that was cut off is not run again, and steps have no ledger.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeVar

from a2a.server.cluster import (
    ConcurrentTaskModificationError,
    StoredTask,
    TaskEventStream,
    TaskVersion,
    VersionedEvent,
    VersionedTaskStore,
)
from a2a.server.owner_resolver import OwnerResolver, resolve_user_scope
from a2a.server.tasks import PushNotificationConfigStore
from a2a.server.tasks.push_notification_config_store import normalize_push_notification_config
from a2a.types import (
    AuthenticationInfo,
    ListTasksResponse,
    TaskArtifactUpdateEvent,
    TaskPushNotificationConfig,
    TaskState,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import InvalidParamsError, TaskNotFoundError, UnsupportedOperationError

from aeterna.a2a.domain.fold import assembled
from aeterna.a2a.domain.messages import ID_PATTERN
from aeterna.a2a.domain.proto_json import proto_json
from aeterna.a2a.domain.rows import Creation, PushConfig, TaskQuery, Write
from aeterna.a2a.domain.snapshots import Snapshot, event_change, first_change, later_change
from aeterna.a2a.errors import LeaseGoneError, StoreRefusedError
from aeterna.a2a.usecases.channels import Channels
from aeterna.a2a.usecases.conversations import task_query
from aeterna.a2a.usecases.following import Follower

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import timedelta

    from a2a.server.context import ServerCallContext
    from a2a.server.events import Event
    from a2a.types import ListTasksRequest, Task

    from aeterna.a2a.domain.events import Change
    from aeterna.a2a.ports import PushConfigs, TaskLog

_K = TypeVar("_K")
_V = TypeVar("_V")
_KNOWN: Final = 10_000
_NOBODY: Final = "anonymous"
_MOVED_ON: Final = frozenset({"threads.version_conflict", "threads.task_ended", "threads.task_not_found"})
_PATIENCE: Final = 5.0
"""A subscription reads the log again after so many seconds without news, in case that a wake was lost."""


class AeternaTaskStore(VersionedTaskStore):
    """Tasks as rows that are only added: a save writes what is new, whatever the length of the history.

    Unlike the SDK's stores, it lets nobody take over another owner's task by its id, and nothing change a terminal
    state. Tasks are not deleted one by one; they expire, or are erased with what belongs to a person.
    """

    def __init__(
        self, log: TaskLog, *, owner_resolver: OwnerResolver = resolve_user_scope, ttl: timedelta | None = None
    ) -> None:
        self._log = log
        self._owner_of = owner_resolver
        self._ttl = ttl
        self._snapshots: OrderedDict[tuple[str, str], Snapshot] = OrderedDict()
        self._places: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self.waiting_configs: dict[tuple[str, str], list[tuple[PushConfigs, PushConfig]]] = {}

    async def save(
        self,
        task: Task,
        *,
        event: Event | None,
        prev: Task | None,
        prev_version: TaskVersion,
        context: ServerCallContext,
    ) -> TaskVersion:
        """See `VersionedTaskStore.save`."""
        del prev  # the SDK hands over the very object that it changes
        owner = self.owner(context)
        if ID_PATTERN.fullmatch(task.id) is None:
            raise InvalidParamsError(message=f"The task id {task.id!r:.300} cannot be kept.")
        seen = _number(prev_version)
        try:
            if task.status.state == TaskState.TASK_STATE_CANCELED:
                written = await self._log.cancel(task.id, owner=owner, status=proto_json(task.status))
            else:
                write = self._write(task, owner, seen, await self._change(task, event, owner, seen))
                if not write.rows and write.metadata is None:
                    return prev_version
                written = await self._log.write(write)
        except (StoreRefusedError, LeaseGoneError) as error:
            if isinstance(error, LeaseGoneError) or error.problem in _MOVED_ON:
                raise ConcurrentTaskModificationError(task.id) from error
            raise
        pieces = isinstance(event, TaskArtifactUpdateEvent | TaskStatusUpdateEvent)
        _remember(self._snapshots, (task.id, owner), Snapshot.of(task, written.version, artifacts=not pieces))
        _remember(self._places, task.id, (owner, task.context_id))
        await self._register_waiting(task.id, owner)
        return TaskVersion(written.version)

    async def get(self, task_id: str, context: ServerCallContext) -> StoredTask | None:
        """See `VersionedTaskStore.get`."""
        owner = self.owner(context)
        if ID_PATTERN.fullmatch(task_id) is None:
            return None
        try:
            view = await self._log.task(task_id, owner=owner)
        except StoreRefusedError as error:
            if error.problem == "threads.task_not_found":
                return None
            raise
        if view.task.state is None:
            return None
        task = assembled(view)
        _remember(self._snapshots, (task_id, owner), Snapshot.of(task, view.task.version))
        _remember(self._places, task_id, (owner, task.context_id))
        return StoredTask(task, TaskVersion(view.task.version))

    async def list(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        """See `VersionedTaskStore.list`."""
        query: TaskQuery = task_query(self.owner(context), params)
        try:
            page = await self._log.tasks(query)
        except StoreRefusedError as error:
            raise InvalidParamsError(message=f"Invalid page token: {params.page_token}") from error
        found = await asyncio.gather(*(self.get(task.task_id, context) for task in page.tasks))
        return ListTasksResponse(
            tasks=[one.task for one in found if one is not None],
            next_page_token=page.next_cursor or "",
            page_size=query.limit,
            total_size=page.total,
        )

    async def delete(self, task_id: str, context: ServerCallContext) -> None:
        """Refuse: tasks expire, or are erased by who may do that."""
        del task_id, context
        raise UnsupportedOperationError(message="Tasks expire; they are not deleted one by one.")

    def owner(self, context: ServerCallContext) -> str:
        """Return whose task it is; callers that the SDK does not know are one owner."""
        return self._owner_of(context) or _NOBODY

    def place(self, task_id: str) -> tuple[str, str]:
        """Return the owner and the context of a task that was read or written here, or raise `TaskNotFoundError`."""
        try:
            return self._places[task_id]
        except KeyError:
            raise TaskNotFoundError from None

    def _write(self, task: Task, owner: str, seen: int, change: Change) -> Write:
        return Write(
            task_id=task.id,
            owner=owner,
            write_id=uuid.uuid4().hex,
            rows=change.rows,
            creation=None if seen else Creation(context_id=task.context_id, ttl=self._ttl),
            expected_version=seen,
            state=change.state,
            status=change.status,
            metadata=change.metadata,
        )

    async def _change(self, task: Task, event: Event | None, owner: str, seen: int) -> Change:
        if not seen:
            return first_change(task)
        if isinstance(event, TaskStatusUpdateEvent | TaskArtifactUpdateEvent):
            return event_change(event, task)
        known = self._snapshots.get((task.id, owner))
        if known is None or known.version != seen or (known.artifacts is None and task.artifacts):
            view = await self._log.task(task.id, owner=owner)
            known = Snapshot.of(assembled(view), view.task.version)
        return later_change(known, task)

    async def _register_waiting(self, task_id: str, owner: str) -> None:
        for pushes, config in self.waiting_configs.pop((task_id, owner), ()):
            await pushes.put(task_id, config, owner=owner)


class AeternaTaskEventStream(TaskEventStream):
    """What other processes wrote, as soon as they did: the store wakes it, and the log is read from where it stopped.

    ``store`` is the one that the same handler uses: it knows whose task is subscribed to.
    """

    def __init__(self, log: TaskLog, store: AeternaTaskStore) -> None:
        self._log = log
        self._store = store
        self._channels = Channels()
        self._subscribers = 0
        self._listening: asyncio.Task[None] | None = None

    async def publish(self, task_id: str, event: VersionedEvent) -> None:
        """Let subscribers in this process look at once; the others are woken by the store."""
        self._channels.hint(task_id, _number(event.version))

    async def subscribe(self, task_id: str, *, after: TaskVersion) -> AsyncGenerator[VersionedEvent, None]:
        """See `TaskEventStream.subscribe`."""
        owner, context_id = self._store.place(task_id)
        follower = Follower(
            log=self._log,
            channels=self._channels,
            task_id=task_id,
            owner=owner,
            context_id=context_id,
            cursor=_number(after),
            until=None,
            patience=_PATIENCE,
        )
        self._subscribers += 1
        if self._listening is None:
            self._listening = asyncio.get_running_loop().create_task(self._listen())
        try:
            async for followed in follower.events():
                yield VersionedEvent(event=followed.event, version=TaskVersion(followed.seq))
        finally:
            self._subscribers -= 1
            if not self._subscribers:
                self._listening.cancel()
                self._listening = None

    async def destroy(self, task_id: str) -> None:
        """Do nothing: the log stays, and subscribers end by themselves."""

    async def _listen(self) -> None:
        async for wake in self._log.wakes():
            self._channels.hint(wake.task_id, wake.version)


class AeternaPushConfigStore(PushNotificationConfigStore):
    """Who wants to be told; the thread store itself tells them, also when no process of the agent lives.

    Give the SDK's handler no sender besides: each receiver would be told twice.
    """

    def __init__(self, pushes: PushConfigs, store: AeternaTaskStore) -> None:
        self._pushes = pushes
        self._store = store

    async def set_info(
        self, task_id: str, notification_config: TaskPushNotificationConfig, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        """See `PushNotificationConfigStore.set_info`; before the task's first save, it waits for that."""
        owner = self._store.owner(context)
        stored = normalize_push_notification_config(task_id, notification_config)
        config = PushConfig(
            config_id=stored.id,
            url=stored.url,
            token=stored.token or None,
            scheme=stored.authentication.scheme or None,
            credentials=stored.authentication.credentials or None,
        )
        try:
            await self._pushes.put(task_id, config, owner=owner)
        except StoreRefusedError as error:
            if error.problem != "threads.task_not_found":
                raise InvalidParamsError(message=error.detail) from error
            self._store.waiting_configs.setdefault((task_id, owner), []).append((self._pushes, config))
        return stored

    async def get_info(self, task_id: str, context: ServerCallContext) -> list[TaskPushNotificationConfig]:
        """See `PushNotificationConfigStore.get_info`; without secrets, which the thread store gives nobody again."""
        try:
            found = await self._pushes.all(task_id, owner=self._store.owner(context))
        except StoreRefusedError:
            return []
        return [_shown(task_id, config) for config in found]

    async def get_info_for_dispatch(self, task_id: str) -> list[TaskPushNotificationConfig]:
        """Return none: the thread store sends, and a process of the agent must not send as well."""
        del task_id
        return []

    async def delete_info(self, task_id: str, context: ServerCallContext, config_id: str | None = None) -> None:
        """See `PushNotificationConfigStore.delete_info`; without an id, all of the caller's."""
        owner = self._store.owner(context)
        found = (
            [config.config_id for config in await self._pushes.all(task_id, owner=owner)]
            if config_id is None
            else [config_id]
        )
        for one in found:
            await self._pushes.delete(task_id, one, owner=owner)


def _shown(task_id: str, config: PushConfig) -> TaskPushNotificationConfig:
    shown = TaskPushNotificationConfig(task_id=task_id, id=config.config_id, url=config.url)
    if config.scheme is not None:
        shown.authentication.CopyFrom(AuthenticationInfo(scheme=config.scheme))
    return shown


def _number(version: TaskVersion) -> int:
    """Return the place in the log that a version of ours stands for."""
    number = version._value  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as the SDK's own stores read it
    if not isinstance(number, int):
        raise TypeError(f"a version of this store is a number, not {type(number).__name__}")
    return number


def _remember(kept: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > _KNOWN:
        kept.popitem(last=False)
