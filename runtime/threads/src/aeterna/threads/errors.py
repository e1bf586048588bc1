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
    ├── SearchInvalidError         a search that is too long, or that names nothing to look for
    ├── TaskNotFoundError          no such task for this agent and owner
    ├── InvalidWriteError          a write that is not of the form that it should have
    ├── TaskEndedError             the task is in a terminal state; nothing is written after it
    ├── VersionConflictError       the task has moved on since the writer looked
    ├── LeaseLostError             the writer's lease is not the task's present one
    ├── StepNotFoundError          a step is finished that was never begun
    ├── StepConflictError          the step's key was used for something else
    ├── StepTooLargeError          a step's result above the limit
    ├── PushUrlRefusedError        notifications may not go to this address
    ├── PushUnavailableError       this store was given no keys to send notifications with
    ├── SecretsUnreadableError     a receiver's secrets were sealed by a key that this process does not have
    ├── DeadLetterNotFoundError    no such dead letter in the caller's tenant
    ├── QuotaExceededError         the tenant holds as much as it may
    ├── LifetimeError              a time to live that the service does not grant
    ├── LegalHoldError             a legal hold forbids the erasure
    ├── InvalidErasureError        an erasure or a hold that is not clear
    ├── ErasureConflictError       the erasure id stands for another erasure
    ├── ErasureNotFoundError       no such erasure
    ├── HoldNotFoundError          no such hold in force
    ├── PartLostError              a large part is not in the object store, or not what was put there
    ├── ObjectsUnavailableError    the object store is not there; try again
    ├── StreamsExhaustedError      as many streams are open as this process holds
    ├── StoreBusyError             a lock or a connection was not free in time; try again
    ├── StoreUnavailableError      the database is not there; try again
    │   └── LoginFailedError       the login's cloud gives no token for it; try again
    ├── StoreDefectError           the database refused what it should accept: a defect of ours
    └── DatabaseUnfitError         the process cannot start on this database; never seen by a caller
        ├── SchemaOutdatedError    it has not been migrated to what this release needs
        │   └── SchemaMissingError it has never been migrated
        ├── RoleUnavailableError   the login may not act as the service's role
        ├── RoleUnboundError       row-level security would not bind the service
        ├── ConnectionInsecureError  a stranger could be the server
        └── RevisionUnknownError   it was asked to become what no release knows
            └── DatabaseUnreachableError  it does not answer, or does not let the login in
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from aeterna.contracts.errors import AeternaError
from aeterna.postgres import errors as postgres
from aeterna.postgres.names import Names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta
    from uuid import UUID

    from aeterna.service.json_value import JsonValue
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


class SearchInvalidError(ThreadsError):
    """The search is too long, or names nothing to look for: only what is to be left out, or only signs."""

    code = "threads.search_invalid"

    def __init__(self, reason: str) -> None:
        super().__init__(f"not to be searched for: {reason}")


class TaskNotFoundError(ThreadsError):
    """No task has this id, or it belongs to another agent or owner, or it has expired; they are not told apart."""

    code = "threads.task_not_found"

    def __init__(self, task_id: ThreadId) -> None:
        super().__init__(f"no task {task_id!r:.300}")
        self.task_id = task_id


class InvalidWriteError(ThreadsError):
    """The write does not have the form that it should have; nothing of it was written."""

    code = "threads.invalid_write"

    def __init__(self, detail: str, errors: Sequence[JsonValue] = ()) -> None:
        super().__init__(detail)
        self.facts = {"errors": list(errors)}


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


class PushUrlRefusedError(ThreadsError):
    """Notifications may not go to this address; ``reason`` says why, and never what a name resolved to."""

    code = "threads.push_url_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"notifications may not go to this address: {reason}")
        self.reason = reason


class PushUnavailableError(ThreadsError):
    """This store was started without the keys that notifications are signed and their secrets encrypted with."""

    code = "threads.push_unavailable"

    def __init__(self) -> None:
        super().__init__("this thread store sends no push notifications; its operator has given it no keys for them")


class SecretsUnreadableError(ThreadsError):
    """A receiver's secrets were sealed by a key that this process does not have, or for another receiver."""

    code = "threads.secrets_unreadable"

    def __init__(self) -> None:
        super().__init__("the receiver's secrets cannot be read with the keys of this process")


class DeadLetterNotFoundError(ThreadsError):
    """No dead letter has this id, or it belongs to another tenant, or its task has expired; they are not told apart."""

    code = "threads.dead_letter_not_found"

    def __init__(self, letter_id: object) -> None:
        super().__init__(f"no dead letter {letter_id!r:.300}")


class StepTooLargeError(ThreadsError):
    """The result of a step is larger than the ledger keeps; the step stays unfinished."""

    code = "threads.step_too_large"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"the result is {size} bytes as canonical JSON; the limit is {limit}: keep a reference to it")
        self.facts = {"size": size, "limit": limit}


class QuotaExceededError(ThreadsError):
    """The tenant holds as much as it may, or asks faster than it may."""

    code = "threads.quota_exceeded"

    def __init__(self, quota: str, limit: int, retry_after: timedelta | None = None) -> None:
        super().__init__(f"the tenant's quota of {limit} {quota} is used up")
        self.quota = quota
        self.retry_after = retry_after
        self.facts = {"quota": quota, "limit": limit}


class LifetimeError(ThreadsError):
    """The time to live is outside of what the service grants."""

    code = "threads.invalid_ttl"

    def __init__(self, wish: timedelta, shortest: timedelta, longest: timedelta) -> None:
        seconds = [each.total_seconds() for each in (wish, shortest, longest)]
        super().__init__("a time to live of {:g} s is not granted; ask for {:g} to {:g} s".format(*seconds))
        self.facts = {"shortest_seconds": seconds[1], "longest_seconds": seconds[2]}


class LegalHoldError(ThreadsError):
    """A legal hold covers something that the erasure would reach; nothing was erased."""

    code = "threads.legal_hold"

    def __init__(self, hold_id: str) -> None:
        super().__init__(f"the legal hold {hold_id!r} forbids it; release the hold first")
        self.hold_id = hold_id
        self.facts = {"hold_id": hold_id}


class InvalidErasureError(ThreadsError):
    """An erasure or a legal hold does not say clearly what it is about."""

    code = "threads.invalid_erasure"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}")
        self.field = field
        self.facts = {"field": field}


class ErasureConflictError(ThreadsError):
    """The erasure id stands for an erasure of somebody or something else."""

    code = "threads.erasure_conflict"

    def __init__(self, erasure_id: UUID) -> None:
        super().__init__(f"erasure {erasure_id} is about something else; draw a new id")
        self.erasure_id = erasure_id


class ErasureNotFoundError(ThreadsError):
    """The tenant has no erasure of this id."""

    code = "threads.erasure_not_found"

    def __init__(self, erasure_id: str) -> None:
        super().__init__(f"no erasure {erasure_id!r:.300}")
        self.erasure_id = erasure_id


class HoldNotFoundError(ThreadsError):
    """The tenant has no legal hold of this id in force."""

    code = "threads.hold_not_found"

    def __init__(self, hold_id: str) -> None:
        super().__init__(f"no legal hold {hold_id!r:.300} is in force")
        self.hold_id = hold_id


class PartLostError(ThreadsError):
    """A large part of a message is not in the object store, or is not what was put there; the rest of it is well."""

    code = "threads.part_lost"

    def __init__(self, thread_id: ThreadId, sha256: str, *, damaged: bool) -> None:
        found = "is damaged" if damaged else "is missing"
        super().__init__(f"a large part of thread {thread_id!r} {found} in the object store: {sha256}")
        self.thread_id = thread_id
        self.facts = {"thread_id": thread_id, "sha256": sha256, "damaged": damaged}


class ObjectsUnavailableError(ThreadsError):
    """The object store cannot be reached or does not let the service in; nothing is half-written."""

    code = "threads.objects_unavailable"
    retry_after = postgres.RETRY_AFTER

    def __init__(self) -> None:
        super().__init__("the object store cannot be reached; try again with the same ids")


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


class LoginFailedError(StoreUnavailableError, postgres.LoginFailedError):
    """The cloud that vouches for the login gives no token for it; nothing was written, try again."""

    code = "threads.login_failed"


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


class ConnectionInsecureError(DatabaseUnfitError, postgres.InsecureError):
    """A stranger could be the database, or read what is said to it."""

    code = "threads.connection_insecure"


class RevisionUnknownError(DatabaseUnfitError, postgres.UnknownRevisionError):
    """No release of the thread store has a schema of this revision."""

    code = "threads.revision_unknown"


class DatabaseUnreachableError(DatabaseUnfitError, postgres.NotReachedError):
    """The database does not answer, or does not let the login in."""

    code = "threads.database_unreachable"


FAMILY: Final = postgres.Family(
    busy=StoreBusyError,
    unavailable=StoreUnavailableError,
    login_failed=LoginFailedError,
    defect=StoreDefectError,
    outdated=SchemaOutdatedError,
    missing=SchemaMissingError,
    role_refused=RoleUnavailableError,
    role_free=RoleUnboundError,
    insecure=ConnectionInsecureError,
    unknown_revision=RevisionUnknownError,
    not_reached=DatabaseUnreachableError,
)
"""What the database's own errors are called here."""
