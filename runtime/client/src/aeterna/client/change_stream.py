"""Follows a graph's change feed: parses the events, remembers the position, and says where to resume.

The format is the WHATWG HTML standard's, section 9.2. Nothing here does input or output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.errors import ClientError
from aeterna.client.history_operations import CHANGES_PATH, session_changes_of
from aeterna.client.reader import Reader
from aeterna.client.retry import may_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.client.history_values import SessionChanges
    from aeterna.client.operation import Service
    from aeterna.client.retry import RetryPolicy


class ChangeStream:
    """Where a reader is in a graph's changes, across any number of connections.

    Without a position the first connection begins now, and says where that is.
    """

    service: Service = "graph"
    body: None = None
    path = CHANGES_PATH

    def __init__(self, *, after: int | None, policy: RetryPolicy, random: Callable[[], float]) -> None:
        self._position = after
        self._policy = policy
        self._random = random
        self._failures = 0
        self._fields: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """Return the headers of the next connection, which resumes behind the last session that is complete."""
        self._fields = {}
        resume = {} if self._position is None else {"Last-Event-ID": str(self._position)}
        return {"Accept": "text/event-stream", **resume}

    def feed(self, line: str) -> SessionChanges | None:
        """Take one line of the stream; return the changes that it completes, if it does and they are new."""
        if line:
            name, _, value = line.partition(":")
            self._fields[name] = value.removeprefix(" ")
            return None
        fields, self._fields = self._fields, {}
        if fields.get("event") != "changes":
            if self._position is None and fields.get("id", "").isdecimal():
                self._position = int(fields["id"])
            # An announced end is followed by the real one: the next connection is refused, and says why.
            return None
        changes = session_changes_of(Reader.of(fields.get("data", "").encode(), "event"))
        self._failures = 0
        if self._position is not None and changes.seq <= self._position:
            return None
        if changes.last:
            self._position = changes.seq
        return changes

    def pause(self, failure: ClientError | None) -> float:
        """Return the seconds to wait before connecting again; raise the failure when that cannot help.

        A stream that ended without an error (its time was over, or a server restarts) counts as a failure that may
        pass. Only failures in a row are counted, and a session that arrives ends the row.
        """
        self._failures += 1
        error = failure or ClientError("the stream ended")
        patience = self._failures < self._policy.attempts
        if failure is not None and not (may_pass(failure) and patience):
            raise failure
        attempt = min(self._failures, self._policy.attempts)
        return self._policy.pause(attempt, error, self._random)
