"""Runs an analyser in a process of its own, so that it holds nobody up and can be ended when it takes too long."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import threading
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from aeterna.cedar.errors import BundleInvalidError
from aeterna.policies.errors import AnalysisFailedError, AnalysisTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from aeterna.cedar.domain.bundle import Bundle
    from aeterna.policies.domain.findings import Difference, Report
    from aeterna.policies.ports import Analyser

Invalid: TypeAlias = "tuple[str, str, int | None]"

_SPAWN: Final = multiprocessing.get_context("spawn")


class AnalysisProcess:
    """An `Analysis` that asks one child at a time.

    The child is started by the first question and kept: what an analyser remembers of one bundle makes the next one
    quick. One that does not answer in time is killed, and the next question starts another.
    """

    def __init__(self, make: Callable[[], Analyser], *, timeout: timedelta) -> None:
        """Take what makes the analyser in the child: a function of a module, since it is sent by its name."""
        self._make = make
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._child: _Child | None = None

    async def analyse(self, bundle: Bundle) -> Report:
        """See `Analysis.analyse`."""
        return cast("Report", await self._ask("analyse", bundle))  # what the child's analyser returned

    async def compare(self, before: Bundle, after: Bundle) -> tuple[Difference, ...]:
        """See `Analysis.compare`."""
        return cast("tuple[Difference, ...]", await self._ask("compare", before, after))  # as above

    async def aclose(self) -> None:
        """End the child."""
        async with self._turn:
            self._end()

    async def _ask(self, question: str, *bundles: Bundle) -> object:
        async with self._turn:
            try:
                async with asyncio.timeout(self._timeout.total_seconds()):
                    if self._child is None:
                        self._child = await asyncio.to_thread(_Child, self._make)
                    answer, invalid = await self._child.ask(question, bundles)
            except TimeoutError:
                self._end()
                raise AnalysisTimeoutError(self._timeout) from None
            except (OSError, EOFError) as exc:
                self._end()
                raise AnalysisFailedError from exc
            except BaseException:
                # Cancelled: an answer may still come, and would be taken for that of the next question.
                self._end()
                raise
        if invalid is not None:
            where, reason, line = invalid
            raise BundleInvalidError(where, reason, line=line)
        return answer

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Child:
    """A running process with an analyser in it."""

    def __init__(self, make: Callable[[], Analyser]) -> None:
        ours, theirs = _SPAWN.Pipe()
        self._pipe: Connection = ours
        self._process: SpawnProcess = _SPAWN.Process(
            target=_serve, args=(make, theirs), name="aeterna-policies-analysis", daemon=True
        )
        self._process.start()
        theirs.close()

    async def ask(self, question: str, bundles: tuple[Bundle, ...]) -> tuple[object, Invalid | None]:
        """Send a question and return its answer; the thread that waits ends when the process is killed."""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[tuple[object, Invalid | None]] = loop.create_future()

        def wait() -> None:
            try:
                self._pipe.send((question, bundles))
                outcome = self._pipe.recv()
            except (OSError, EOFError) as exc:
                outcome = exc
            loop.call_soon_threadsafe(_settle, answered, outcome)

        # No thread of a pool: one that is left behind by a question out of time must not be waited for at the end.
        threading.Thread(target=wait, name="analysis", daemon=True).start()
        return await answered

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _settle(answered: asyncio.Future[tuple[object, Invalid | None]], outcome: object) -> None:
    if answered.done():
        return
    if isinstance(outcome, Exception):
        answered.set_exception(outcome)
    else:
        answered.set_result(cast("tuple[object, Invalid | None]", outcome))  # what `_serve` sends


def _serve(make: Callable[[], Analyser], pipe: Connection) -> None:
    """Answer questions until the pipe ends; the body of the child."""
    # Ctrl-C reaches the whole group of processes: our parent decides when we end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    analyser = make()
    try:
        while True:
            question, bundles = pipe.recv()
            pipe.send(_answered(analyser, question, bundles))
    except (EOFError, OSError):
        # Our parent is gone, and nobody wants an answer any more.
        return


def _answered(
    analyser: Analyser, question: str, bundles: tuple[Bundle, ...]
) -> tuple[Report | tuple[Difference, ...] | None, Invalid | None]:
    try:
        return analyser.analyse(*bundles) if question == "analyse" else analyser.compare(*bundles), None
    except BundleInvalidError as exc:
        # Not the error itself: its constructor takes facts, which pickle does not know.
        return None, (exc.where, exc.reason, exc.line)
