"""One error class for each problem code of the thread store."""

from __future__ import annotations

from aeterna.client.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    UnavailableError,
)


class ThreadNotFoundError(NotFoundError):
    """No thread of the caller's tenant has this id."""

    code = "threads.thread_not_found"


class ThreadConflictError(ConflictError):
    """This thread id is taken by a thread that was opened with another title or other metadata."""

    code = "threads.thread_conflict"


class MessageConflictError(ConflictError):
    """This message id was appended before with other content."""

    code = "threads.message_conflict"


class SequenceConflictError(ConflictError):
    """The thread has gone on since the sequence number that was expected."""

    code = "threads.sequence_conflict"


class PositionAheadError(ConflictError):
    """The reader has seen more than the thread holds, as after a restore to an earlier time."""

    code = "threads.position_ahead"


class InvalidCursorError(InvalidRequestError):
    """The cursor is not one that the thread store gave out."""

    code = "threads.invalid_cursor"


class MessageTooLargeError(InvalidRequestError):
    """The message is larger than the thread store keeps."""

    code = "threads.message_too_large"


class SearchInvalidError(InvalidRequestError):
    """The search is too long, or names nothing to look for."""

    code = "threads.search_invalid"


class StreamsExhaustedError(UnavailableError):
    """The thread store holds as many event streams as it is allowed to."""

    code = "threads.streams_exhausted"


class ThreadsBusyError(UnavailableError):
    """A lock or a connection was not free in time; nothing is half-written."""

    code = "threads.busy"


class ThreadsUnavailableError(UnavailableError):
    """The thread store's database cannot be reached or cannot write."""

    code = "threads.unavailable"


class ThreadsLoginError(ThreadsUnavailableError):
    """The thread store gets no token for its database from the cloud that vouches for its login."""

    code = "threads.login_failed"


class SchemaMissingError(UnavailableError):
    """The thread store's database was never migrated."""

    code = "threads.schema_missing"


class SchemaOutdatedError(UnavailableError):
    """The thread store's database is older than its release needs."""

    code = "threads.schema_outdated"


class TaskNotFoundError(NotFoundError):
    """No task of this agent and owner has this id, or it has expired."""

    code = "threads.task_not_found"


class TaskEndedError(ConflictError):
    """The task is in a terminal state, and nothing is written after one."""

    code = "threads.task_ended"


class VersionConflictError(ConflictError):
    """The task has moved on since the writer looked; nothing was written."""

    code = "threads.version_conflict"


class LeaseLostError(ConflictError):
    """Another runner has the task by now, or it was cancelled; nothing was written."""

    code = "threads.lease_lost"


class StepNotFoundError(NotFoundError):
    """A step of this key was never begun."""

    code = "threads.step_not_found"


class StepConflictError(ConflictError):
    """The key stands for a step that was begun with other arguments."""

    code = "threads.step_conflict"


class StepTooLargeError(InvalidRequestError):
    """The result of a step is larger than the thread store keeps."""

    code = "threads.step_too_large"


class QuotaExceededError(UnavailableError):
    """The tenant holds as much as it may, or asks faster than it may."""

    code = "threads.quota_exceeded"


class InvalidTtlError(InvalidRequestError):
    """The time to live is outside of what the thread store grants."""

    code = "threads.invalid_ttl"


class ThreadHoldError(ConflictError):
    """A legal hold of the thread store forbids the erasure."""

    code = "threads.legal_hold"


class InvalidThreadErasureError(InvalidRequestError):
    """An erasure or a hold of the thread store is not clear."""

    code = "threads.invalid_erasure"


class ThreadErasureConflictError(ConflictError):
    """The erasure id stands for an erasure of somebody or something else."""

    code = "threads.erasure_conflict"


class ThreadErasureNotFoundError(NotFoundError):
    """The thread store knows no erasure of this id."""

    code = "threads.erasure_not_found"


class ThreadHoldNotFoundError(NotFoundError):
    """No legal hold of this id is in force in the thread store."""

    code = "threads.hold_not_found"


class PartLostError(ProblemError):
    """A large part of a message is missing in the object store, or damaged; the message names it."""

    code = "threads.part_lost"


class ObjectsUnavailableError(UnavailableError):
    """The thread store cannot reach its object store."""

    code = "threads.objects_unavailable"


class PushUrlRefusedError(InvalidRequestError):
    """Notifications may not go to this address."""

    code = "threads.push_url_refused"


class PushUnavailableError(UnavailableError):
    """This thread store was given no keys to send notifications with."""

    code = "threads.push_unavailable"


class DeadLetterNotFoundError(NotFoundError):
    """No dead letter of the caller's tenant has this id, or its task has expired."""

    code = "threads.dead_letter_not_found"


class InvalidWriteError(InvalidRequestError):
    """A write to a task's log is one that the thread store cannot make as it is."""

    code = "threads.invalid_write"


THREAD_KINDS: tuple[type[ProblemError], ...] = (
    ThreadNotFoundError,
    ThreadConflictError,
    MessageConflictError,
    SequenceConflictError,
    PositionAheadError,
    InvalidCursorError,
    MessageTooLargeError,
    SearchInvalidError,
    StreamsExhaustedError,
    ThreadsBusyError,
    ThreadsUnavailableError,
    ThreadsLoginError,
    SchemaMissingError,
    SchemaOutdatedError,
    TaskNotFoundError,
    TaskEndedError,
    VersionConflictError,
    LeaseLostError,
    StepNotFoundError,
    StepConflictError,
    StepTooLargeError,
    QuotaExceededError,
    InvalidTtlError,
    ThreadHoldError,
    InvalidThreadErasureError,
    ThreadErasureConflictError,
    ThreadErasureNotFoundError,
    ThreadHoldNotFoundError,
    PartLostError,
    ObjectsUnavailableError,
    PushUrlRefusedError,
    PushUnavailableError,
    DeadLetterNotFoundError,
    InvalidWriteError,
)
