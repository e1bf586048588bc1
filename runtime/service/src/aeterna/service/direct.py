"""Requests that are answered the moment they are read: no task, no ASGI, for what takes microseconds to answer.

A request costs uvicorn about 25 µs beside the kernel: a scope, a task with a context, an event, two timers, two
messages. A request that came whole, for a target that an application answers without waiting, needs none of it. Every
other request, and every request that is anything out of the ordinary, goes the usual way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

from aeterna.service.http_protocol import MAX_HEAD_BYTES, BoundedHttpProtocol
from aeterna.service.problem import oversized_head

if TYPE_CHECKING:
    from collections.abc import Sequence

Headers: TypeAlias = "Sequence[tuple[bytes, bytes]]"

# With one of these a request is out of the ordinary: its body has no length, or its sender waits before sending it.
_UNUSUAL: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
# A timer that finds less than this left of its time counts as run out.
_TICK_SECONDS: Final = 0.01


@runtime_checkable
class Direct(Protocol):
    """An application that answers some requests without waiting for anything."""

    direct_targets: frozenset[bytes]
    """The targets of POST requests that `direct` may be asked about."""

    def direct(self, target: bytes, headers: Headers, body: bytes) -> tuple[bytes, bytes] | None:
        """Return the answer's header lines, each with its end of line, and its body; the status is 200.

        None sends the request the usual way. Must not raise. Names of headers are in lower case.
        """
        ...


class DirectHttpProtocol(BoundedHttpProtocol):
    """Asks an application's `direct` for whole requests, and is `BoundedHttpProtocol` for everything else.

    What is not answered within the call that brought it is handed over within that call, so between two calls there is
    nothing here that the usual protocol does not know of.
    """

    def __init__(self, direct: Direct, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own, passed on
        super().__init__(*args, **kwargs)
        self._targets = direct.direct_targets
        self._direct = direct.direct
        self._receiving = False
        self._held: list[bytes] | None = None
        self._head_open = False
        self._idle_since = 0.0
        self._lines: tuple[object, bytes, bool] = (None, b"", False)

    def data_received(self, data: bytes) -> None:
        """Answer what is whole and direct, and hand over the rest."""
        self._receiving = True
        super().data_received(data)
        self._receiving = False
        if self._held is not None:
            self._hand_over(self._held)
        elif self._head_open and self._head_deadline is None and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self._await_head()
            self._head_bytes = len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(oversized_head(MAX_HEAD_BYTES))

    def on_message_begin(self) -> None:
        """Note that a head has begun."""
        self._head_open = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hold a request that may be direct until its body is here."""
        self._head_open = False
        if self._may_be_direct():
            self._head_complete()
            self._held = []
            self._in_body = True
            self._bytes_without_body = 0
            return
        self._unset_now()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hold content, or pass it on."""
        if self._held is not None:
            self._held.append(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Answer a request that was held, or hand it over."""
        held = self._held
        if held is None:
            super().on_message_complete()
            return
        body = held[0] if len(held) == 1 else b"".join(held)
        answer = self._direct(self.url, self.headers, body)
        if answer is None:
            self._hand_over(held)
            super().on_message_complete()
            return
        self._held = None
        self._in_body = False
        self._answer(*answer)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nothing came for as long as it may be idle; wait for the rest of that otherwise."""
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > _TICK_SECONDS:
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _may_be_direct(self) -> bool:
        parser = self.parser
        if parser is None or self.url not in self._targets or parser.get_method() != b"POST":
            return False
        if self.flow.write_paused or self.pipeline or (self._served and not self.cycle.response_complete):
            return False
        if parser.get_http_version() != "1.1" or not parser.should_keep_alive():
            return False
        return not any(name in _UNUSUAL for name, _ in self.headers)

    def _hand_over(self, held: list[bytes]) -> None:
        """Begin the usual way with what was held."""
        self._held = None
        self._unset_now()
        super().on_headers_complete()
        for body in held:
            super().on_body(body)

    def _answer(self, lines: bytes, body: bytes) -> None:
        if self.transport.is_closing():
            return
        defaults = self.server_state.default_headers
        if self._lines[0] is not defaults:
            # uvicorn makes the list anew each second, with the date in it.
            common = b"".join(b"%b: %b\r\n" % field for field in defaults)
            self._lines = (defaults, common, (b"connection", b"close") in defaults)
        _, common, is_last = self._lines
        self.transport.write(b"HTTP/1.1 200 OK\r\n%b%bcontent-length: %d\r\n\r\n%b" % (common, lines, len(body), body))
        self.server_state.total_requests += 1
        if is_last:
            self.transport.close()
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _await_head(self) -> None:
        # A timer costs more than an answer, and most heads come whole: it is set once the data has been looked at.
        if not self._receiving:
            super()._await_head()

    def _unset_keepalive_if_required(self) -> None:
        if not self._receiving:
            super()._unset_keepalive_if_required()

    def _unset_now(self) -> None:
        super()._unset_keepalive_if_required()
