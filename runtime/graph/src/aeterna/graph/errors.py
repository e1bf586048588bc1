"""Every error that the graph raises on purpose.

GraphError
├── InvalidSessionError         a session cannot be written as given
│   └── SessionTooLargeError    a session holds more changes than one commit may
├── InvalidQueryError           a question cannot be answered as asked
├── UnknownNodeError            an edge names a node that does not exist
├── SessionConflictError        the session id was used for other content
├── NodeNotFoundError
├── NoPathError
├── SnapshotNotFoundError
│   └── NotYetVisibleError      the answer was to hold a session that the catalog does not know
├── TagNotFoundError
├── TagConflictError            the tag names another snapshot
├── ChangesExpiredError         the changes behind a position are no longer kept one by one
├── FeedsExhaustedError         as many feeds are open as this process holds
├── QueryTimeoutError
├── QueryTooLargeError          a question needs more memory than one may have
├── AnswerTooLargeError         an answer that cannot be paged has too many bytes
├── UpkeepBusyError             another round of upkeep of the tenant is running
├── CompactionOvertakenError    something else rewrote what a compaction had read
├── InvalidErasureError         an erasure cannot be done as asked
├── ErasureNotFoundError
├── HoldNotFoundError
├── LegalHoldError              a legal hold forbids the erasure
├── GraphBusyError              the tenant's queue of waiting sessions is full
├── GraphClosedError            the service is stopping
└── StorageError                the storage below failed
    ├── StorageFullError        no room; nothing was written
    ├── LayoutUnsupportedError  the tenant's table is of a layout that this program does not know
    ├── CommitConflictError     another writer was first; nothing was written
    │   └── WriterFencedError   a writer with a newer lease has committed; nothing was written
    └── CommitUncertainError    the commit may or may not have happened
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aeterna.contracts.errors import AeternaError

_SHOWN: Final = 3  # ids in a message: enough to explain it


class GraphError(AeternaError):
    """The graph refuses or cannot do what was asked."""

    code = "graph.error"


class InvalidSessionError(GraphError):
    """The session cannot be written as given; nothing was written."""

    code = "graph.invalid_session"

    def __init__(self, field: str, problem: str) -> None:
        """Name the field by its path in the session and say what is wrong with it."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class SessionTooLargeError(InvalidSessionError):
    """The session holds more changes than one commit may; split it."""

    code = "graph.session_too_large"

    def __init__(self, changes: int, limit: int) -> None:
        super().__init__("session", f"{changes} changes, and one session holds at most {limit}: split it")
        self.changes = changes
        self.limit = limit


class InvalidQueryError(GraphError):
    """The question cannot be answered as asked; the message says what to change."""

    code = "graph.invalid_query"

    def __init__(self, parameter: str, problem: str) -> None:
        super().__init__(f"{parameter}: {problem}")
        self.parameter = parameter
        self.problem = problem


class UnknownNodeError(GraphError):
    """An edge names a node that neither exists nor is created by the session; nothing was written."""

    code = "graph.unknown_node"

    def __init__(self, nodes: tuple[str, ...]) -> None:
        shown = ", ".join(repr(node) for node in nodes[:_SHOWN])
        more = f" and {len(nodes) - _SHOWN} more" if len(nodes) > _SHOWN else ""
        super().__init__(f"edges name nodes that do not exist: {shown}{more}; create them in the same session")
        self.nodes = nodes


class SessionConflictError(GraphError):
    """A session of this id was committed before, with other content; nothing was written."""

    code = "graph.session_conflict"

    def __init__(self, session: str, seq: int) -> None:
        super().__init__(f"session {session!r} was committed as seq {seq} with other content; use a new id")
        self.session = session
        self.seq = seq


class NodeNotFoundError(GraphError):
    """No node has this id in the snapshot that was read."""

    code = "graph.node_not_found"

    def __init__(self, node: str) -> None:
        super().__init__(f"no node {node!r}")
        self.node = node


class NoPathError(GraphError):
    """No path leads from one node to the other within the allowed hops."""

    code = "graph.no_path"

    def __init__(self, source: str, target: str, max_hops: int) -> None:
        super().__init__(f"no path from {source!r} to {target!r} within {max_hops} hops")
        self.source = source
        self.target = target
        self.max_hops = max_hops


class SnapshotNotFoundError(GraphError):
    """The tenant has no such snapshot, or none as old as the given time."""

    code = "graph.snapshot_not_found"

    def __init__(self, as_of: str) -> None:
        super().__init__(f"no snapshot for {as_of}")
        self.as_of = as_of


class NotYetVisibleError(SnapshotNotFoundError):
    """The answer was to hold a session that the catalog does not know: no replica has it."""

    code = "graph.not_yet_visible"

    def __init__(self, seq: int, newest: int) -> None:
        super().__init__(
            f"seq {seq}: the newest session of this graph is {newest}. "
            "The seq is of another tenant or of a history that was restored: read without it"
        )
        self.seq = seq
        self.newest = newest


class TagNotFoundError(GraphError):
    """The tenant has no tag of this name."""

    code = "graph.tag_not_found"

    def __init__(self, tag: str) -> None:
        super().__init__(f"no tag {tag!r}")
        self.tag = tag


class TagConflictError(GraphError):
    """The tag names another snapshot; delete it first, or choose another name."""

    code = "graph.tag_conflict"

    def __init__(self, tag: str, snapshot: int) -> None:
        super().__init__(f"tag {tag!r} names snapshot {snapshot} already; delete it first or choose another name")
        self.tag = tag
        self.snapshot = snapshot


class ChangesExpiredError(GraphError):
    """The changes behind a position are no longer kept one by one; read a snapshot and go on from its seq."""

    code = "graph.changes_expired"

    def __init__(self, after: int, oldest: int) -> None:
        """``oldest`` is the least position that can still be followed."""
        super().__init__(
            f"the changes after seq {after} are no longer kept one by one: read the graph as it is, "
            f"and follow it from the seq of that answer (at least {oldest})"
        )
        self.after = after
        self.oldest = oldest


class FeedsExhaustedError(GraphError):
    """This process holds as many change feeds as it may; come back soon, and perhaps to another one."""

    code = "graph.feeds_exhausted"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} change feeds are open, and this process holds no more")
        self.most = most
        self.retry_after = timedelta(seconds=5)


class QueryTimeoutError(GraphError):
    """The query took longer than it may; narrow it by depth, types or limit."""

    code = "graph.query_timeout"

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"stopped after {limit.total_seconds():g} s; narrow it by depth, types or limit")
        self.limit = limit


class UpkeepBusyError(GraphError):
    """Another round of upkeep of the tenant is running; nothing was done."""

    code = "graph.upkeep_busy"

    def __init__(self) -> None:
        super().__init__("another round of upkeep of this graph is running; try again when it is done")


class CompactionOvertakenError(GraphError):
    """Another compaction or an erasure rewrote what a compaction had read; nothing was changed."""

    code = "graph.compaction_overtaken"

    def __init__(self) -> None:
        super().__init__("something else rewrote the table meanwhile; the next compaction starts from there")


class QueryTooLargeError(GraphError):
    """The query needs more memory than one query may have; narrow it by kinds, types, ids or conditions."""

    code = "graph.query_too_large"

    def __init__(self) -> None:
        super().__init__("needs more memory than one query may have; narrow it by kinds, types, ids or conditions")


class AnswerTooLargeError(GraphError):
    """The answer has more bytes than one answer may; ask for less of it."""

    code = "graph.answer_too_large"

    def __init__(self, size: int, limit: int, remedy: str) -> None:
        """Say in ``remedy`` which parameter makes the answer smaller."""
        super().__init__(f"the answer has {size} bytes of properties and names, at most {limit} are sent: {remedy}")
        self.size = size
        self.limit = limit


class InvalidErasureError(GraphError):
    """The erasure or the hold cannot be made as asked; nothing was written."""

    code = "graph.invalid_erasure"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class ErasureNotFoundError(GraphError):
    """The tenant has no erasure of this id."""

    code = "graph.erasure_not_found"

    def __init__(self, erasure: str) -> None:
        super().__init__(f"no erasure {erasure!r}")
        self.erasure = erasure


class HoldNotFoundError(GraphError):
    """The tenant has no legal hold of this id."""

    code = "graph.hold_not_found"

    def __init__(self, hold: str) -> None:
        super().__init__(f"no hold {hold!r}")
        self.hold = hold


class LegalHoldError(GraphError):
    """A legal hold forbids to erase this; release it first. Nothing was written."""

    code = "graph.legal_hold"

    def __init__(self, hold: str) -> None:
        super().__init__(f"the legal hold {hold!r} forbids it; release the hold first")
        self.hold = hold


class GraphBusyError(GraphError):
    """Too many sessions of the tenant wait for their commit; nothing was written, try again later."""

    code = "graph.busy"

    def __init__(self, waiting: int, retry_after: timedelta) -> None:
        super().__init__(f"{waiting} sessions wait already; try again in {retry_after.total_seconds():g} s")
        self.waiting = waiting
        self.retry_after = retry_after


class GraphClosedError(GraphError):
    """The service is stopping and takes no more sessions; nothing was written."""

    code = "graph.closed"

    def __init__(self) -> None:
        super().__init__("the service is stopping")


class StorageError(GraphError):
    """The storage of the graph failed; what was acknowledged is safe."""

    code = "graph.storage_unavailable"

    def __init__(self, operation: str, reason: str) -> None:
        """Name what was attempted; the driver's own words may hold addresses, so they are for logs only."""
        super().__init__(f"cannot {operation} now")
        self.operation = operation
        self.reason = reason


class StorageFullError(StorageError):
    """The storage has no room; nothing was written."""

    code = "graph.storage_full"


class LayoutUnsupportedError(StorageError):
    """The tenant's table is of a layout that this program does not know; nothing was read or written."""

    code = "graph.layout_unsupported"

    def __init__(self, reason: str) -> None:
        super().__init__("work with the layout of this graph's table: a newer version of the service can", reason)


class CommitConflictError(StorageError):
    """Another writer committed first; nothing was written."""

    code = "graph.commit_conflict"


class WriterFencedError(CommitConflictError):
    """A writer with a newer lease has committed: this one's lease is over, and nothing was written."""

    code = "graph.writer_fenced"

    def __init__(self, epoch: int, newest: int) -> None:
        super().__init__("commit", f"the lease's epoch {epoch} is older than the head's, {newest}")
        self.epoch = epoch
        self.newest = newest


class CommitUncertainError(StorageError):
    """The commit failed in a way that leaves open whether it happened; look for it before trying again."""

    code = "graph.commit_uncertain"

    def __init__(self, operation: str, reason: str, otherwise: StorageError) -> None:
        """``otherwise`` is what the failure means once it is known that the commit did not happen."""
        super().__init__(operation, reason)
        self.otherwise = otherwise
