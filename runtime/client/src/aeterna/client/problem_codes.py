"""One error class for each problem code of the services, so that a caller catches what it means and not a status."""

from __future__ import annotations

from aeterna.client.errors import (
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    ProblemError,
    UnauthenticatedError,
    UnavailableError,
)
from aeterna.client.knowledge_problem_codes import KNOWLEDGE_KINDS
from aeterna.client.policy_problem_codes import POLICY_KINDS
from aeterna.client.thread_problem_codes import THREAD_KINDS


class TokenRejectedError(UnauthenticatedError):
    """Who is calling is not proven."""

    code = "token.rejected"


class TokenMissingError(UnauthenticatedError):
    """The request carried no bearer token."""

    code = "token.missing"


class TokenInvalidError(UnauthenticatedError):
    """The bearer token is expired, is for another audience, or was not signed by a trusted key."""

    code = "token.invalid"


class TenantMissingError(ForbiddenError):
    """The token is valid and names no tenant: without a tenant there is no service."""

    code = "tenant.missing"


class PolicyDeniedError(ForbiddenError):
    """The policy does not permit this action on this resource."""

    code = "policy.denied"


class NodeNotFoundError(NotFoundError):
    """No node has this id as of that snapshot."""

    code = "graph.node_not_found"


class NoPathError(NotFoundError):
    """No path leads from the source to the target within the hops allowed."""

    code = "graph.no_path"


class SnapshotNotFoundError(NotFoundError):
    """No snapshot has this id, or none is as old as the time asked for."""

    code = "graph.snapshot_not_found"


class NotYetVisibleError(SnapshotNotFoundError):
    """The answer was to hold a session that the graph's history does not have, as after a restored backup."""

    code = "graph.not_yet_visible"


class TagNotFoundError(NotFoundError):
    """The tenant's graph has no tag of this name."""

    code = "graph.tag_not_found"


class TagConflictError(ConflictError):
    """The tag names another snapshot; delete it first, or choose another name."""

    code = "graph.tag_conflict"


class ChangesExpiredError(NotFoundError):
    """The changes behind this position are no longer kept one by one: read the graph, and follow it from there."""

    code = "graph.changes_expired"


class FeedsExhaustedError(UnavailableError):
    """The process holds as many change feeds as it may."""

    code = "graph.feeds_exhausted"


class ErasureNotFoundError(NotFoundError):
    """No erasure of the caller's tenant has this id."""

    code = "graph.erasure_not_found"


class HoldNotFoundError(NotFoundError):
    """No legal hold of the caller's tenant has this id."""

    code = "graph.hold_not_found"


class UpkeepBusyError(ConflictError):
    """Another round of upkeep of the graph is running; nothing was done."""

    code = "graph.upkeep_busy"


class CompactionOvertakenError(ConflictError):
    """Something else rewrote what a compaction had read; nothing was changed."""

    code = "graph.compaction_overtaken"


class LegalHoldError(ConflictError):
    """A legal hold forbids to erase this; release it first."""

    code = "graph.legal_hold"


class InvalidErasureError(InvalidRequestError):
    """The erasure or the hold cannot be made as asked."""

    code = "graph.invalid_erasure"


class SessionConflictError(ConflictError):
    """This session id was committed before with other content."""

    code = "graph.session_conflict"


class InvalidSessionError(InvalidRequestError):
    """The session cannot be written as given."""

    code = "graph.invalid_session"


class SessionTooLargeError(InvalidRequestError):
    """The session holds more changes than one commit may; `ingest` splits them."""

    code = "graph.session_too_large"


class UnknownNodeError(InvalidRequestError):
    """An edge names a node that neither the graph nor the session has; the whole session was refused."""

    code = "graph.unknown_node"


class InvalidQueryError(InvalidRequestError):
    """The graph cannot answer the question as asked."""

    code = "graph.invalid_query"


class OriginRefusedError(ForbiddenError):
    """The request said that a browser sent it for a page that the service does not serve."""

    code = "request.origin_refused"


class RequestTooLargeError(InvalidRequestError):
    """The request's body is larger than the service takes."""

    code = "request.too_large"


class RequestTimeoutError(UnavailableError):
    """The request took too long to arrive."""

    code = "request.timeout"


class NotReadyError(UnavailableError):
    """A part of the service is not fit for requests now."""

    code = "service.not_ready"


class AnswerTimeoutError(UnavailableError):
    """The service took too long; what was asked may or may not have been done."""

    code = "service.timeout"


class QueryTimeoutError(UnavailableError):
    """The query took longer than it may; narrow it by depth, types or limit."""

    code = "graph.query_timeout"


class QueryTooLargeError(InvalidRequestError):
    """The query needs more memory than one query may have; narrow it by kinds, types, ids or conditions."""

    code = "graph.query_too_large"


class AnswerTooLargeError(InvalidRequestError):
    """The answer has more bytes than one answer may; ask for less of it."""

    code = "graph.answer_too_large"


class KeysUnavailableError(UnavailableError):
    """The service cannot get the keys that prove tokens."""

    code = "token.keys_unavailable"


class WorkloadsUnavailableError(UnavailableError):
    """The service cannot tell yet whose the cluster's namespaces are, so it knows no workload."""

    code = "token.workloads_unavailable"


class DecisionUnavailableError(UnavailableError):
    """The policy could not be asked, and doubt is a deny."""

    code = "policy.unavailable"


class GraphBusyError(UnavailableError):
    """Too many sessions are waiting to be committed."""

    code = "graph.busy"


class GraphClosedError(UnavailableError):
    """The graph service is stopping and takes no more sessions."""

    code = "graph.closed"


class StorageUnavailableError(UnavailableError):
    """The storage below the graph failed; what was acknowledged is safe."""

    code = "graph.storage_unavailable"


class StorageFullError(UnavailableError):
    """The storage below the graph has no room; nothing was written."""

    code = "graph.storage_full"


class LayoutUnsupportedError(UnavailableError):
    """The graph was written by a newer version of the service than the one that was asked."""

    code = "graph.layout_unsupported"


class CommitConflictError(UnavailableError):
    """Another writer committed first; nothing was written."""

    code = "graph.commit_conflict"


class WriterFencedError(CommitConflictError):
    """A writer with a newer lease has committed; nothing was written."""

    code = "graph.writer_fenced"


class CommitUncertainError(UnavailableError):
    """The commit may or may not have happened; sending the same session again settles it."""

    code = "graph.commit_uncertain"


KINDS: tuple[type[ProblemError], ...] = (
    TokenRejectedError,
    TokenMissingError,
    TokenInvalidError,
    TenantMissingError,
    PolicyDeniedError,
    NodeNotFoundError,
    NoPathError,
    NotYetVisibleError,
    SnapshotNotFoundError,
    TagNotFoundError,
    TagConflictError,
    ChangesExpiredError,
    FeedsExhaustedError,
    ErasureNotFoundError,
    HoldNotFoundError,
    LegalHoldError,
    UpkeepBusyError,
    CompactionOvertakenError,
    InvalidErasureError,
    SessionConflictError,
    InvalidSessionError,
    SessionTooLargeError,
    UnknownNodeError,
    InvalidQueryError,
    OriginRefusedError,
    RequestTooLargeError,
    RequestTimeoutError,
    NotReadyError,
    AnswerTimeoutError,
    QueryTimeoutError,
    QueryTooLargeError,
    AnswerTooLargeError,
    KeysUnavailableError,
    WorkloadsUnavailableError,
    DecisionUnavailableError,
    GraphBusyError,
    GraphClosedError,
    StorageUnavailableError,
    StorageFullError,
    CommitConflictError,
    WriterFencedError,
    CommitUncertainError,
    LayoutUnsupportedError,
    *KNOWLEDGE_KINDS,
    *POLICY_KINDS,
    *THREAD_KINDS,
)
BY_CODE: dict[str, type[ProblemError]] = {kind.code: kind for kind in KINDS}

# For codes that are newer than this client, and for answers that are not problem documents.
BY_STATUS: dict[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: UnavailableError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}
