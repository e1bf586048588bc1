"""The client for plain Python without an event loop: the same client, on a loop and a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, TypeVar

from aeterna.enforcement.errors import DecisionUnavailableError, Doubt

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from types import TracebackType
    from typing import Self

    from aeterna.enforcement.client import DecisionClient
    from aeterna.enforcement.decision import Decision
    from aeterna.enforcement.question import Question

R = TypeVar("R")


class BlockingDecisionClient:
    """Asks from any thread, and blocks until there is a decision. Close it at the end; use it in ``with``.

    A thread does not survive a fork: a process that forks makes its client after that, and one that forgot has no
    decisions rather than none that ever come.
    """

    def __init__(self, client: DecisionClient) -> None:
        """Take a client that no event loop uses yet."""
        self._client = client
        self._process = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="aeterna-enforcement", daemon=True)
        self._thread.start()

    def evaluation(self, question: Question) -> Decision:
        """Return the decision, a deny being a value; raise `DecisionUnavailableError` when there is no clear one."""
        return self._result(self._client.evaluation(question))

    def evaluations(self, questions: Sequence[Question]) -> list[Decision]:
        """Return one decision for each question, in their order; raise as ``evaluation`` when one is not clear."""
        return self._result(self._client.evaluations(questions))

    def check(self) -> None:
        """Return when the decision point says that it is ready, or raise `DecisionUnavailableError`."""
        self._result(self._client.check())

    def close(self) -> None:
        """Close the connections and end the thread; a second time it does nothing."""
        if self._loop.is_closed() or self._process != os.getpid():
            return
        self._result(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _result(self, asking: Coroutine[object, object, R]) -> R:
        if self._loop.is_closed() or self._process != os.getpid():
            asking.close()
            raise DecisionUnavailableError("the client is closed, or was made before a fork", Doubt.AWAY)
        return asyncio.run_coroutine_threadsafe(asking, self._loop).result()
