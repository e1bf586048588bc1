"""Calls what blocks without blocking the loop, and without ever waiting for it longer than there is sense in."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from aeterna.secrets.errors import SourceUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

# A source's timeout is between two bytes of an answer, and a name may take long to be resolved: this is for all of it.
_LONGEST_SECONDS: Final = 120.0


async def call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call in a thread that the end of the process does not wait for; one that does not end is given up."""
    answer: Future[R] = Future()
    answer.set_running_or_notify_cancel()

    def work() -> None:
        try:
            answer.set_result(function(*args, **kwargs))
        except Exception as exc:  # noqa: BLE001 - it is raised where it is waited for
            answer.set_exception(exc)

    threading.Thread(target=work, daemon=True).start()
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await asyncio.wrap_future(answer)
    except TimeoutError:
        raise SourceUnavailableError("does not end its answer") from None
