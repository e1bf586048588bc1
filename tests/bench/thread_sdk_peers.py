"""The stores that come with the A2A SDK, saving the same events on the same PostgreSQL as ours."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from a2a.auth.user import User
from a2a.server.cluster import TaskVersion, VersionedDatabaseTaskStore
from a2a.server.context import ServerCallContext
from a2a.server.tasks import DatabaseTaskStore
from a2a.types import a2a_pb2
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from a2a.server.cluster import VersionedTaskStore
    from sqlalchemy.ext.asyncio import AsyncEngine

TEXT: Final = "The checkout service returns 503 since the rollout at 14:02. " * 4
OWNER: Final = "bench"


class _Somebody(User):
    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def user_name(self) -> str:
        return OWNER


CONTEXT: Final = ServerCallContext(user=_Somebody())


def task_of(task_id: str, history: int) -> a2a_pb2.Task:
    """Return a task under way after so many messages."""
    said = [
        a2a_pb2.Message(
            message_id=f"{task_id}-{n}",
            task_id=task_id,
            context_id="bench",
            role=a2a_pb2.ROLE_USER if n % 2 == 0 else a2a_pb2.ROLE_AGENT,
            parts=[a2a_pb2.Part(text=TEXT)],
        )
        for n in range(history)
    ]
    status = a2a_pb2.TaskStatus(state=a2a_pb2.TASK_STATE_WORKING)
    return a2a_pb2.Task(id=task_id, context_id="bench", status=status, history=said)


def event_of(task: a2a_pb2.Task, number: int, *, keep: int | None = None) -> a2a_pb2.TaskStatusUpdateEvent:
    """Return what the agent says next, and put it into the task as the SDK does before it saves.

    What it said before becomes history, which therefore grows by a message with each save; with ``keep`` it is held at
    that length, so that a store whose cost grows with it can be measured at one.
    """
    said = a2a_pb2.Message(
        message_id=f"{task.id}-said-{number}",
        task_id=task.id,
        context_id=task.context_id,
        role=a2a_pb2.ROLE_AGENT,
        parts=[a2a_pb2.Part(text=TEXT)],
    )
    status = a2a_pb2.TaskStatus(state=a2a_pb2.TASK_STATE_WORKING, message=said)
    status.timestamp.GetCurrentTime()
    if task.status.HasField("message"):
        task.history.append(task.status.message)
    if keep is not None:
        del task.history[: len(task.history) - keep]
    task.status.CopyFrom(status)
    return a2a_pb2.TaskStatusUpdateEvent(task_id=task.id, context_id=task.context_id, status=status)


class Saver:
    """One task that is saved again and again by a versioned store, as one runner of an agent does."""

    def __init__(
        self, store: VersionedTaskStore, task: a2a_pb2.Task, version: TaskVersion, *, keep: int | None = None
    ) -> None:
        self._store = store
        self._task = task
        self._version = version
        self._keep = keep

    @classmethod
    async def begun(cls, store: VersionedTaskStore, task_id: str, history: int) -> Saver:
        """Return a saver whose task is in the store."""
        task = task_of(task_id, history)
        version = await store.save(task, event=task, prev=None, prev_version=TaskVersion.MISSING, context=CONTEXT)
        return cls(store, task, version, keep=history)

    async def save(self, number: int) -> int:
        """Save one event."""
        event = event_of(self._task, number, keep=self._keep)
        self._version = await self._store.save(
            self._task, event=event, prev=self._task, prev_version=self._version, context=CONTEXT
        )
        return 0


class PlainSaver:
    """The same for the SDK's store without versions."""

    def __init__(self, store: DatabaseTaskStore, task: a2a_pb2.Task) -> None:
        self._store = store
        self._task = task
        self._keep = len(task.history)

    async def save(self, number: int) -> int:
        """Save one event."""
        event_of(self._task, number, keep=self._keep)
        await self._store.save(self._task, CONTEXT)
        return 0


@asynccontextmanager
async def engine(dsn: str, clients: int) -> AsyncGenerator[AsyncEngine]:
    """Yield SQLAlchemy's engine over asyncpg, with a connection for each client."""
    where = conninfo_to_dict(dsn)
    url = URL.create(
        "postgresql+asyncpg",
        username=str(where["user"]),
        database=str(where["dbname"]),
        query={"host": str(where["host"]), "port": str(where["port"])},
    )
    made = create_async_engine(url, pool_size=clients, max_overflow=0)
    try:
        yield made
    finally:
        await made.dispose()


async def plain_savers(made: AsyncEngine, clients: int, history: int) -> list[PlainSaver]:
    """Return the SDK's `DatabaseTaskStore` with a task for each client."""
    store = DatabaseTaskStore(made)
    await store.initialize()
    savers = [PlainSaver(store, task_of(f"plain-{history}-{n}", history)) for n in range(clients)]
    for saver in savers:
        await saver.save(0)
    return savers


async def versioned_savers(made: AsyncEngine, clients: int, history: int) -> list[Saver]:
    """Return the SDK's `VersionedDatabaseTaskStore` with a task for each client."""
    store = VersionedDatabaseTaskStore(made, table_name=f"versioned_tasks_{history}")
    await store.initialize()
    return [await Saver.begun(store, f"versioned-{history}-{n}", history) for n in range(clients)]
