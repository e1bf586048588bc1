"""What the thread store refuses or cannot do, as one tree; the HTTP statuses are in ``api.problem``.

AeternaError
└── ThreadsError
    ├── ThreadNotFoundError        no such thread in the caller's tenant
    ├── ThreadConflictError        the thread id is taken by a thread that was opened otherwise
    ├── MessageConflictError       the message id is taken by other content
    ├── SequenceConflictError      the thread has moved on since the writer looked
    ├── PositionAheadError         the reader has seen more than the thread holds
    ├── CursorInvalidError         a cursor that this store did not give out
    ├── MessageTooLargeError       a message above the limit
    ├── TaskNotFoundError          no such task for this agent and owner
    ├── TaskEndedError             the task is in a terminal state; nothing is written after it
    ├── VersionConflictError       the task has moved on since the writer looked
    ├── LeaseLostError             the writer's lease is not the task's present one
    ├── StepNotFoundError          a step is finished that was never begun
    ├── StepConflictError          the step's key was used for something else
    ├── QuotaExceededError         the tenant holds as much as it may
    ├── StreamsExhaustedError      as many streams are open as this process holds
    ├── StoreBusyError             a lock or a connection was not free in time; try again
    ├── StoreUnavailableError      the database is not there; try again
    ├── StoreDefectError           the database refused what it should accept: a defect of ours
    └── DatabaseUnfitError         the process cannot start on this database; never seen by a caller
        ├── SchemaOutdatedError    it has not been migrated to what this release needs
        │   └── SchemaMissingError it has never been migrated
        ├── RoleUnavailableError   the login may not act as the service's role
        ├── RoleUnboundError       row-level security would not bind the service
        └── RevisionUnknownError   it was asked to become what no release knows
            └── DatabaseUnreachableError  it does not answer, or does not let the login in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from aeterna.contracts.errors import AeternaError
from aeterna.postgres import errors as postgres
from aeterna.postgres.names import Names

if TYPE_CHECKING:
    from datetime import timedelta

    from aeterna.threads.domain.conversation import MessageId, ThreadId

NAMES: Final = Names(name="threads", title="the thread store")


class ThreadsError(AeternaError):
    """Something the thread store refuses or cannot do."""

    code: ClassVar[str] = "threads.error"
    names: ClassVar[Names] = NAMES


class ThreadNotFoundError(ThreadsError):
    """No thread has this id, or it belongs to another tenant; the two are not told apart."""

    code = "threads.thread_not_found"

    def __init__(self, thread_id: ThreadId) -> None:
        super().__init__(f"no thread {thread_id!r:.300}")
        self.thread_id = thread_id


class ThreadConflictError(ThreadsError):
    """The tenant has a thread of this id that was opened with another title or other metadata."""

    code = "threads.thread_conflict"

    def __init__(self, thread_id: ThreadId) -> None:
        super().__init__(f"thread {thread_id!r} exists with another title or other metadata")
        self.thread_id = thread_id


class MessageConflictError(ThreadsError):
    """The thread has a message of this id with other content; nothing was written."""

    code = "threads.message_conflict"

    def __init__(self, message_id: MessageId, seq: int) -> None:
        super().__init__(f"message {message_id!r} is already in the thread at {seq}, with other content")
        self.message_id = message_id
        self.facts = {"seq": seq}


class SequenceConflictError(ThreadsError):
    """The thread's last sequence number is not the one that the writer expected; nothing was written."""

    code = "threads.sequence_conflict"

    def __init__(self, expected_seq: int, last_seq: int) -> None:
        super().__init__(f"expected the thread to end at {expected_seq}, but it ends at {last_seq}")
        self.facts = {"expected_seq": expected_seq, "last_seq": last_seq}


class PositionAheadError(ThreadsError):
    """A reader asks to go on after a message that the thread does not hold, as after a restore to an earlier time."""

    code = "threads.position_ahead"

    def __init__(self, after_seq: int, last_seq: int) -> None:
        super().__init__(f"cannot go on after {after_seq}: the thread ends at {last_seq}")
        self.facts = {"after_seq": after_seq, "last_seq": last_seq}


class CursorInvalidError(ThreadsError):
    """The cursor is not one that this store gave out."""

    code = "threads.invalid_cursor"

    def __init__(self) -> None:
        super().__init__("the cursor is not one that this store gave out; start again without one")


class MessageTooLargeError(ThreadsError):
    """The message is larger than the store keeps; nothing was written."""

    code = "threads.message_too_large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the message is {size} bytes as canonical JSON; the limit is {limit}")
        self.facts = {"size": size, "limit": limit}


class TaskNotFoundError(ThreadsError):
    """No task has this id, or it belongs to another agent or owner, or it has expired; they are not told apart."""

    code = "threads.task_not_found"

    def __init__(self, task_id: ThreadId) -> None:
        super().__init__(f"no task {task_id!r:.300}")
        self.task_id = task_id


class TaskEndedError(ThreadsError):
    """The task is in a terminal state, and nothing is ever written after one."""

    code = "threads.task_ended"

    def __init__(self, task_id: ThreadId, state: str, version: int) -> None:
        super().__init__(f"task {task_id!r} has ended as {state}; begin another one")
        self.task_id = task_id
        self.facts = {"state": state, "version": version}


class VersionConflictError(ThreadsError):
    """The task's version is not the one that the writer derived its write from; nothing was written."""

    code = "threads.version_conflict"

    def __init__(self, expected_version: int, version: int) -> None:
        super().__init__(f"expected the task at version {expected_version}, but it is at {version}; read it again")
        self.facts = {"expected_version": expected_version, "version": version}


class LeaseLostError(ThreadsError):
    """Another runner has the task by now, or it was cancelled; nothing was written."""

    code = "threads.lease_lost"

    def __init__(self, task_id: ThreadId, epoch: int) -> None:
        super().__init__(f"the lease of epoch {epoch} on task {task_id!r} is lost; stop running it")
        self.task_id = task_id
        self.facts = {"epoch": epoch}


class StepNotFoundError(ThreadsError):
    """A step of this key was never begun."""

    code = "threads.step_not_found"

    def __init__(self, key: str) -> None:
        super().__init__(f"no step {key!r:.300} was begun; begin it before the side effect")
        self.key = key


class StepConflictError(ThreadsError):
    """The key stands for a step that was begun with other arguments."""

    code = "threads.step_conflict"

    def __init__(self, key: str) -> None:
        super().__init__(f"step {key!r:.300} was begun with other arguments; give each side effect a key of its own")
        self.key = key


class QuotaExceededError(ThreadsError):
    """The tenant holds as much as it may, or asks faster than it may."""

    code = "threads.quota_exceeded"

    def __init__(self, quota: str, limit: int, retry_after: timedelta | None = None) -> None:
        super().__init__(f"the tenant's quota of {limit} {quota} is used up")
        self.quota = quota
        self.retry_after = retry_after
        self.facts = {"quota": quota, "limit": limit}


class StreamsExhaustedError(ThreadsError):
    """This process holds as many event streams as it is allowed to."""

    code = "threads.streams_exhausted"
    retry_after = postgres.RETRY_AFTER

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} event streams are open here, which is the limit; try again")
        self.limit = limit


class StoreBusyError(ThreadsError, postgres.BusyError):
    """A lock, a connection or a statement took longer than allowed; nothing is half-written, try again."""

    code = "threads.busy"
    again = "try again with the same ids"


class StoreUnavailableError(ThreadsError, postgres.UnavailableError):
    """The database cannot be reached or cannot write; nothing is half-written, try again with the same ids."""

    code = "threads.unavailable"
    again = "try again with the same ids"


class StoreDefectError(ThreadsError, postgres.DefectError):
    """The database refused a statement that it should accept; nothing was written."""

    code = "threads.defect"


class DatabaseUnfitError(ThreadsError, postgres.UnfitError):
    """The process cannot start on this database as it is."""

    code = "threads.database_unfit"


class SchemaOutdatedError(DatabaseUnfitError, postgres.OutdatedError):
    """The database's schema is older than this release needs."""

    code = "threads.schema_outdated"


class SchemaMissingError(SchemaOutdatedError, postgres.MissingError):
    """The database has no schema of the thread store."""

    code = "threads.schema_missing"


class RoleUnavailableError(DatabaseUnfitError, postgres.RoleRefusedError):
    """The login may not act as the role that the service acts as."""

    code = "threads.role_unavailable"


class RoleUnboundError(DatabaseUnfitError, postgres.RoleFreeError):
    """The role that the service acts as may bypass row-level security, so tenants would not be apart."""

    code = "threads.role_unbound"


class RevisionUnknownError(DatabaseUnfitError, postgres.UnknownRevisionError):
    """No release of the thread store has a schema of this revision."""

    code = "threads.revision_unknown"


class DatabaseUnreachableError(DatabaseUnfitError, postgres.NotReachedError):
    """The database does not answer, or does not let the login in."""

    code = "threads.database_unreachable"


FAMILY: Final = postgres.Family(
    busy=StoreBusyError,
    unavailable=StoreUnavailableError,
    defect=StoreDefectError,
    outdated=SchemaOutdatedError,
    missing=SchemaMissingError,
    role_refused=RoleUnavailableError,
    role_free=RoleUnboundError,
    unknown_revision=RevisionUnknownError,
    not_reached=DatabaseUnreachableError,
)
"""What the database's own errors are called here."""
