"""Side effects that are done once, however often the run that does them is cut off."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from aeterna.a2a.domain.rows import Lease
from aeterna.a2a.errors import StepUncertainError
from aeterna.a2a.ports import Ledger
from aeterna.a2a.usecases.log_queue import LogQueue
from aeterna.contracts.json_value import JsonValue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from a2a.server.agent_execution import RequestContext


STATE_KEY: Final = "aeterna.a2a.steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an author's code found out of a step that was cut off: it was done, with this result."""

    result: JsonValue = None


class NotDone:
    """What an author's code found out of a step that was cut off: it was not done, so do it now."""


OnDoubt: TypeAlias = "Literal['run_again', 'fail'] | Callable[[str], Awaitable[Done | NotDone]]"


@dataclass(slots=True, kw_only=True)
class Steps:
    """The ledger of one message's side effects.

    ``resumed`` tells whether the message was begun before, by a process that was cut off; ``attempt`` counts from 1.
    """

    lease: Lease
    ledger: Ledger
    queue: LogQueue
    message_seq: int
    resumed: bool
    attempt: int
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])

    async def run(
        self,
        key: str,
        effect: Callable[[str], Awaitable[JsonValue]],
        *,
        arguments: JsonValue = None,
        on_doubt: OnDoubt = "fail",
    ) -> JsonValue:
        """Do the side effect, or return what it returned when it was finished before.

        ``effect`` gets an idempotency key, the same at each attempt, to hand to whatever it calls; it returns JSON.
        ``key`` names the step within the message; ``arguments`` are what it depends on, so that a changed step is not
        taken for the old one. Where an attempt was cut off in the middle, nobody knows whether it was done:
        ``on_doubt`` says to run it again, to fail (`StepUncertainError`), or is asked with the idempotency key and
        answers `Done` or `NotDone`.

        Everything that was said before is durable when the effect begins. Raises `LeaseGoneError` when this run was
        cancelled or is another process's by now, and `StoreRefusedError` when the key was used with other arguments.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            return await self._run(key, effect, arguments, on_doubt)

    async def _run(
        self, key: str, effect: Callable[[str], Awaitable[JsonValue]], arguments: JsonValue, on_doubt: OnDoubt
    ) -> JsonValue:
        await self.queue.flush()
        task_id, epoch, place = self.lease.task_id, self.lease.epoch, f"{self.message_seq}:{key}"
        step = await self.ledger.begin(task_id, place, epoch=epoch, fingerprint=_fingerprint(arguments))
        if step.finished:
            return step.result
        token = hashlib.sha256(f"{task_id}\n{place}".encode()).hexdigest()[:40]
        found = await _found(key, token, on_doubt) if step.epoch < epoch else NotDone()
        result = found.result if isinstance(found, Done) else await effect(token)
        return (await self.ledger.finish(task_id, place, epoch=epoch, result=result)).result


async def _found(key: str, token: str, on_doubt: OnDoubt) -> Done | NotDone:
    if on_doubt == "fail":
        raise StepUncertainError(key)
    return NotDone() if on_doubt == "run_again" else await on_doubt(token)


def _fingerprint(arguments: JsonValue) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, allow_nan=False).encode()).hexdigest()


def steps(context: RequestContext) -> Steps:
    """Return the ledger of the message that an executor was given."""
    found = context.call_context.state.get(STATE_KEY)
    if not isinstance(found, Steps):
        raise TypeError("this context does not come from the kit: steps are there only in an executor that it runs")
    return found
