"""Follows a thread's server-sent events: parses the stream, remembers the last id, and says where to resume.

The format is the WHATWG HTML standard's, section 9.2. Nothing here does input or output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.client.errors import ClientError
from aeterna.client.reader import Reader
from aeterna.client.retry import may_pass
from aeterna.client.thread_operations import events_path, message_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aeterna.client.operation import Service
    from aeterna.client.retry import RetryPolicy
    from aeterna.client.thread_values import Message


class EventStream:
    """Where a reader is in a thread's events, across any number of connections.

    The server's event id is the message's seq, so a message that arrives twice (the connection broke after it was
    read) is recognised and dropped, and none is missed.
    """

    service: Service = "threads"
    body: None = None

    def __init__(self, thread_id: str, *, after_seq: int, policy: RetryPolicy, random: Callable[[], float]) -> None:
        self.path = events_path(thread_id)
        self._seq = after_seq
        self._policy = policy
        self._random = random
        self._failures = 0
        self._data: list[str] = []
        self._event = "message"

    def headers(self) -> dict[str, str]:
        """Return the headers of the next connection, which resumes after the last message that was given out."""
        self._data, self._event = [], "message"
        return {"Accept": "text/event-stream", "Last-Event-ID": str(self._seq)}

    def feed(self, line: str) -> Message | None:
        """Take one line of the stream; return the message that it completes, if it does and the message is new."""
        if line:
            self._field(line)
            return None
        data, event = "\n".join(self._data), self._event
        self._data, self._event = [], "message"
        if not data or event != "message":
            return None
        message = message_of(Reader.of(data.encode(), "event"))
        self._failures = 0
        if message.seq <= self._seq:
            return None
        self._seq = message.seq
        return message

    def pause(self, failure: ClientError | None) -> float:
        """Return the seconds to wait before connecting again; raise the failure when that cannot help.

        A stream that ended without an error (a server that restarts says goodbye) counts as a failure that may pass.
        Only failures in a row are counted, and a message that arrives ends the row.
        """
        self._failures += 1
        error = failure or ClientError("the stream ended")
        patience = self._failures < self._policy.attempts
        if failure is not None and not (may_pass(failure) and patience):
            raise failure
        attempt = min(self._failures, self._policy.attempts)
        return self._policy.pause(attempt, error, self._random)

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
