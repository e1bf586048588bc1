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
├── QueryTimeoutError
├── GraphBusyError              the tenant's queue of waiting sessions is full
├── GraphClosedError            the service is stopping
└── StorageError                the storage below failed
    ├── StorageFullError        no room; nothing was written
    ├── CommitConflictError     another writer was first; nothing was written
    └── CommitUncertainError    the commit may or may not have happened
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aeterna.contracts.errors import AeternaError

if TYPE_CHECKING:
    from datetime import timedelta


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


class QueryTimeoutError(GraphError):
    """The query took longer than it may; narrow it by depth, types or limit."""

    code = "graph.query_timeout"

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"stopped after {limit.total_seconds():g} s; narrow it by depth, types or limit")
        self.limit = limit


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


class CommitConflictError(StorageError):
    """Another writer committed first; nothing was written."""

    code = "graph.commit_conflict"


class CommitUncertainError(StorageError):
    """The commit failed in a way that leaves open whether it happened; look for it before trying again."""

    code = "graph.commit_uncertain"

    def __init__(self, operation: str, reason: str, otherwise: StorageError) -> None:
        """``otherwise`` is what the failure means once it is known that the commit did not happen."""
        super().__init__(operation, reason)
        self.otherwise = otherwise
