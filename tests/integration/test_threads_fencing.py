"""Whatever claims, deaths, cancels and writes of the dead come in whatever order: one epoch can write, and no other.

``AETERNA_TEST_LEASE_STORIES`` is how many stories are told.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.service.caller import TenantId
from aeterna.threads.domain.conversation import MessageId, Role, ThreadId
from aeterna.threads.domain.task import Creation, Kind, Row, RunnerId, State, Write, Written
from aeterna.threads.errors import LeaseLostError, StepNotFoundError, TaskEndedError
from fixtures.lease_model import LeaseModel
from fixtures.lease_worlds import BOT, MemoryWorld, PostgresWorld

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Mapping, Sequence

    from aeterna.service.json_value import JsonValue
    from aeterna.threads.domain.task import Step as LedgerStep
    from fixtures.lease_worlds import World

OWNER: Final = "ada"
LONG: Final = timedelta(hours=1)
WORKING: Final[Mapping[str, JsonValue]] = {"state": "TASK_STATE_WORKING"}
CANCELED: Final[Mapping[str, JsonValue]] = {"state": "TASK_STATE_CANCELED"}
STORIES: Final = int(os.environ.get("AETERNA_TEST_LEASE_STORIES", "30"))

Move: TypeAlias = tuple[str, int, int, int]
"""What happens, and three numbers that say to which task, runner and lease of those that there are by then."""

# Takeovers and writes of whoever had a lease more often than the rest, since they are what may go wrong.
NAMES: Final = """
submit submit claim lose again die beat leave free cancel takeover takeover takeover release write write write last
begin begin begin finish finish finish
"""
MOVES: Final = st.lists(
    st.tuples(st.sampled_from(NAMES.split()), st.integers(0, 2), st.integers(0, 2), st.integers(0, 9)),
    min_size=20,
    max_size=60,
)


class Story:
    """The store and the model of it, to which the same happens; a tenant of its own for each story."""

    def __init__(self, tenant: TenantId, world: World) -> None:
        self.tenant = tenant
        self.model = LeaseModel()
        self._world = world
        self._log, self._runs, self._ledger = world.log, world.runs, world.ledger
        self._leases: list[tuple[str, int]] = []
        self._numbers = itertools.count()

    async def tell(self, move: Move) -> None:
        """Let one thing happen, and compare what it came to."""
        name, task, runner, lease = move
        task_id, who = f"task-{task}", RunnerId(f"runner-{runner}")
        match name:
            case "beat":
                self.model.living.add(who)
                await self._runs.beat(self.tenant, BOT, who, ttl=LONG)
            case "die":
                self.model.living.discard(who)
                await self._world.die(self.tenant, who)
            case "takeover":
                await self.tell(("die", 0, runner, 0))
                await self.tell(("beat", 0, (runner + 1) % 3, 0))
                await self.tell(("claim", 0, (runner + 1) % 3, 2))
            case "leave":
                self.model.leave(who)
                await self._runs.leave(self.tenant, BOT, who)
            case "submit":
                await self._submit(task_id, who if lease % 2 else None)
            case "claim" | "lose" | "again":
                await self._claim(who, limit=lease % 3 + 1, known=name == "again", heard=name != "lose")
            case "cancel" | "free" if task_id in self.model.tasks:
                await (self._cancel if name == "cancel" else self._free)(ThreadId(task_id))
            case "write" | "last" | "release" | "begin" | "finish" if self._leases:
                await self._of_lease(name, *self._leases[lease % len(self._leases)], key=f"step-{task}")
            case _:
                pass

    async def _submit(self, task_id: str, claim: RunnerId | None) -> None:
        """Say something; a new task is made by it."""
        number = next(self._numbers)
        row = Row(
            kind=Kind.MESSAGE,
            streamed=False,
            said=True,
            author=OWNER,
            message_id=MessageId(f"message-{number}"),
            role=Role.USER,
            parts=({"kind": "text", "text": "go on"},),
        )
        creation = None if task_id in self.model.tasks else Creation(context_id="context")
        write = Write(
            task_id=ThreadId(task_id),
            owner=OWNER,
            write_id=f"write-{number}",
            rows=(row,),
            creation=creation,
            waiting=True,
            claim=claim,
        )
        expected = self.model.submit(task_id, claim)
        (result,) = await self._log.write(self.tenant, BOT, [write])
        assert (result.epoch if isinstance(result, Written) else refusal(result)) == expected
        if isinstance(expected, int):
            self._leases.append((task_id, expected))

    async def _claim(self, runner: RunnerId, limit: int, *, known: bool, heard: bool) -> None:
        """Claim; the answer may be lost on the way, and the runner may say what it knows to be its own."""
        held = {task_id for task_id, epoch in self._leases if self.model.tasks[task_id].epoch == epoch}
        expected = self.model.claim(runner, limit, held if known else None)
        leases = await self._runs.claim(
            self.tenant, BOT, runner, limit=limit, held=[ThreadId(task_id) for task_id in held] if known else None
        )
        assert {lease.task_id: lease.epoch for lease in leases} == expected
        self._leases += expected.items() if heard else ()

    async def _cancel(self, task_id: ThreadId) -> None:
        expected = self.model.cancel(task_id)
        done = self._log.cancel(self.tenant, BOT, task_id, owner=OWNER, status=CANCELED)
        assert await refused(done) == expected

    async def _free(self, task_id: ThreadId) -> None:
        expected = self.model.free(task_id)
        assert await refused(self._runs.free(self.tenant, task_id)) == expected

    async def _of_lease(self, name: str, task_id: str, epoch: int, key: str) -> None:
        """Let the holder of a lease do something, whether it is still the present one or not."""
        match name:
            case "release":
                self.model.release(task_id, epoch)
                await self._runs.release(self.tenant, BOT, ThreadId(task_id), epoch=epoch)
            case "begin":
                expected = self.model.begin(task_id, key, epoch)
                assert await self._step(task_id, key, epoch, finish=False) == expected
            case "finish":
                expected_step = self.model.finish(task_id, key, epoch)
                assert await self._step(task_id, key, epoch, finish=True) == expected_step
            case _:
                expected_write = self.model.write(task_id, epoch, last=name == "last")
                assert await self._write(task_id, epoch, last=name == "last") == expected_write

    async def _write(self, task_id: str, epoch: int, *, last: bool) -> str | None:
        row = Row(kind=Kind.STATUS, streamed=True, author=BOT, payload={"status": WORKING, "epoch": epoch})
        write = Write(
            task_id=ThreadId(task_id),
            owner=OWNER,
            write_id=f"write-{next(self._numbers)}",
            rows=(row,),
            epoch=epoch,
            state=State.WORKING,
            status=WORKING,
            handled_seq=1_000_000 if last else None,
        )
        (result,) = await self._log.write(self.tenant, BOT, [write])
        return None if isinstance(result, Written) else refusal(result)

    async def _step(self, task_id: str, key: str, epoch: int, *, finish: bool) -> tuple[int, object] | str | None:
        """Return who began the step and what it was finished with, or why it was refused."""
        place = (self.tenant, BOT, ThreadId(task_id), key)
        try:
            if finish:
                step: LedgerStep = await self._ledger.finish(*place, epoch=epoch, result=epoch)
            else:
                step = await self._ledger.begin(*place, epoch=epoch, fingerprint="same")
        except (LeaseLostError, TaskEndedError) as exc:
            return refusal(exc)
        except StepNotFoundError:
            return None
        assert step.finished == (step.result is not None)
        return step.epoch, step.result

    async def compare(self) -> None:
        """Compare every task and step, and who wrote each row of its log."""
        seen, tasks = await self._world.look(self.tenant), self.model.tasks
        assert seen.standings == {
            task_id: (
                task.epoch,
                task.runner,
                task.attempts,
                task.waiting_since is not None,
                len(task.rows),
                "TASK_STATE_CANCELED" if task.ended else ("TASK_STATE_WORKING" if any(task.rows) else None),
            )
            for task_id, task in tasks.items()
        }
        assert seen.steps == {
            (task_id, key): step for task_id, task in tasks.items() for key, step in task.steps.items()
        }
        assert seen.writers == {task_id: task.rows for task_id, task in tasks.items()}
        for rows in seen.writers.values():
            epochs = [epoch for epoch in rows if isinstance(epoch, int)]
            assert epochs == sorted(epochs)


def refusal(error: object) -> str:
    """Return the word of the model for an error."""
    assert isinstance(error, LeaseLostError | TaskEndedError)
    return error.code.removeprefix("threads.")


async def refused(done: Awaitable[object]) -> str | None:
    """Return why something was refused, or None where it was done."""
    try:
        await done
    except (LeaseLostError, TaskEndedError) as exc:
        return refusal(exc)
    return None


class Teller:
    """Tells stories to one world on one event loop, each as another tenant."""

    def __init__(self, loop: asyncio.Runner, world: World) -> None:
        self._loop = loop
        self._world = world
        self._stories = itertools.count()

    def tell(self, moves: Sequence[Move]) -> None:
        """Tell one story from its beginning to its end."""
        self._loop.run(self._tell(moves))

    async def _tell(self, moves: Sequence[Move]) -> None:
        story = Story(TenantId(f"story-{next(self._stories)}"), self._world)
        for number in range(3):
            await story.tell(("beat", 0, number, 0))
        for move in moves:
            await story.tell(move)
        await story.compare()


@pytest.fixture(params=["fake", "postgres"])
def teller(request: pytest.FixtureRequest) -> Generator[Teller]:
    """Return what tells stories to each world in turn."""
    with asyncio.Runner() as loop:
        if request.param == "fake":
            yield Teller(loop, MemoryWorld())
            return
        stack = AsyncExitStack()
        yield Teller(loop, loop.run(PostgresWorld.of(request.getfixturevalue("database"), stack)))
        loop.run(stack.aclose())


@settings(
    max_examples=STORIES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(moves=MOVES)
def test_no_order_of_events_lets_two_epochs_write(teller: Teller, moves: list[Move]) -> None:
    """Each answer is the model's, epochs only grow, and no finished step is begun anew."""
    teller.tell(moves)
