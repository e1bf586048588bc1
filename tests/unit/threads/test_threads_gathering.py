"""How writes gather: what shares a batch, what stays apart, and who is held up by whom."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from aeterna.threads.errors import StoreBusyError, StoreUnavailableError, ThreadNotFoundError, ThreadsError
from aeterna.threads.usecases.gathering import MOST, Gathering

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

pytestmark = pytest.mark.anyio


@dataclass(slots=True)
class Slow:
    """A store that makes a batch when it is told to, and keeps what it was given."""

    batches: list[list[str]] = field(default_factory=list[list[str]])
    gates: list[asyncio.Event] = field(default_factory=list[asyncio.Event])
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    refused: dict[str, ThreadsError] = field(default_factory=dict[str, ThreadsError])
    away: ThreadsError | None = None
    busy: int = 0

    async def finish(self) -> None:
        """Open every gate, until nothing is on its way."""
        while self.busy:
            for gate in self.gates:
                gate.set()
            await asyncio.sleep(0)

    async def make(self, key: str, items: Sequence[str], settle: Callable[[int, str | ThreadsError], None]) -> None:
        """Make a batch: settle each at the gate, but those that end with an exclamation mark only at the next one."""
        self.busy += 1
        try:
            await self._make(key, items, settle)
        finally:
            self.busy -= 1

    async def _make(self, key: str, items: Sequence[str], settle: Callable[[int, str | ThreadsError], None]) -> None:
        self.batches.append(list(items))
        self.gates.append(gate := asyncio.Event())
        async with self.came:
            self.came.notify_all()
        await gate.wait()
        if self.away is not None:
            raise self.away
        slow = [place for place, item in enumerate(items) if item.endswith("!")]
        for place, item in enumerate(items):
            if place not in slow:
                settle(place, self.refused.get(item, f"{key}:{item}"))
        if slow:
            gate.clear()
            await gate.wait()
            for place in slow:
                settle(place, f"{key}:{items[place]}")

    async def batch(self, number: int) -> list[str]:
        """Wait for the batch of a number, from 0."""
        async with self.came:
            await self.came.wait_for(lambda: len(self.batches) > number)
        return self.batches[number]


@pytest.fixture
async def slow() -> AsyncGenerator[Slow]:
    """Return a store that waits to be told."""
    store = Slow()
    yield store
    await store.finish()


@pytest.fixture
def gathering(slow: Slow) -> Gathering[str, str, str]:
    """Return what gathers for it, one batch at a time; a write's log is its first letter, its mark the last two."""
    return Gathering(
        slow.make, log_of=lambda item: item[0], marks_of=lambda item: (item[-2:],), at_once=1, most_waiting=300
    )


async def settled(futures: Sequence[asyncio.Future[str]]) -> list[str | BaseException]:
    """Return what the writes came to."""
    return await asyncio.gather(*futures, return_exceptions=True)


async def test_what_comes_while_a_batch_is_away_goes_together(slow: Slow, gathering: Gathering[str, str, str]) -> None:
    first = gathering.add_all("acme", ["a-1"])
    await slow.batch(0)
    rest = [*gathering.add_all("acme", ["b-2"]), *gathering.add_all("acme", ["c-3", "d-4"])]
    slow.gates[0].set()

    assert await slow.batch(1) == ["b-2", "c-3", "d-4"]

    slow.gates[1].set()
    assert await settled([*first, *rest]) == ["acme:a-1", "acme:b-2", "acme:c-3", "acme:d-4"]


@pytest.fixture
def paired(slow: Slow) -> Gathering[str, str, str]:
    """Return what lets two batches be on their way."""
    return Gathering(slow.make, log_of=lambda item: item, marks_of=lambda _: ())


async def test_whose_writes_shared_a_batch_share_the_next_one(slow: Slow, paired: Gathering[str, str, str]) -> None:
    async def client(name: str) -> None:
        for turn in range(2):
            await paired.add("acme", f"{name}{turn}")

    clients = asyncio.gather(*(client(f"{n:02}-") for n in range(40)))
    await slow.batch(1)
    slow.gates[0].set()

    assert await slow.batch(2) == [f"{n:02}-1" for n in range(20)]

    slow.gates[1].set()
    assert await slow.batch(3) == [f"{n:02}-1" for n in range(20, 40)]
    await slow.finish()
    await clients


async def test_what_comes_at_once_goes_in_as_many_batches_as_may_be_away(
    slow: Slow, paired: Gathering[str, str, str]
) -> None:
    paired.add_all("acme", [str(n) for n in range(39)])

    assert [len(await slow.batch(0)), len(await slow.batch(1))] == [20, 19]


async def test_a_few_wait_for_the_many_that_are_away(slow: Slow, paired: Gathering[str, str, str]) -> None:
    many = paired.add_all("acme", [str(n) for n in range(40)])
    await slow.batch(1)
    slow.gates[0].set()
    await many[0]

    few = paired.add_all("acme", ["c", "d"])
    # As many turns of the loop as whatever may leave needs, and more.
    for _ in range(9):
        await asyncio.sleep(0)

    assert len(slow.batches) == 2
    slow.gates[1].set()
    assert "c" in await slow.batch(2)
    await slow.finish()
    assert await settled(few) == ["acme:c", "acme:d"]


async def test_tenants_do_not_wait_for_each_other(slow: Slow, gathering: Gathering[str, str, str]) -> None:
    gathering.add_all("acme", ["a-1"])

    gathering.add_all("other", ["a-1"])

    assert [await slow.batch(0), await slow.batch(1)] == [["a-1"], ["a-1"]]


async def test_one_that_is_refused_does_not_touch_the_others(slow: Slow, gathering: Gathering[str, str, str]) -> None:
    slow.refused["b-2"] = StoreBusyError()
    futures = gathering.add_all("acme", ["a-1", "b-2", "c-3"])
    await slow.batch(0)
    slow.gates[0].set()

    first, second, third = await settled(futures)

    assert (first, third) == ("acme:a-1", "acme:c-3")
    assert isinstance(second, StoreBusyError)


async def test_a_slow_write_holds_up_neither_its_neighbours_nor_the_next_batch(
    slow: Slow, gathering: Gathering[str, str, str]
) -> None:
    late, quick = gathering.add_all("acme", ["a-1!", "b-2"])
    await slow.batch(0)
    (following,) = gathering.add_all("acme", ["c-3"])
    slow.gates[0].set()

    assert await quick == "acme:b-2"
    assert await slow.batch(1) == ["c-3"]
    slow.gates[1].set()
    assert await following == "acme:c-3"
    assert not late.done()
    slow.gates[0].set()
    assert await late == "acme:a-1!"


async def test_what_follows_a_slow_write_in_its_log_stays_after_it(
    slow: Slow, gathering: Gathering[str, str, str]
) -> None:
    futures = gathering.add_all("acme", ["a-1!", "b-2"])
    await slow.batch(0)
    more = gathering.add_all("acme", ["a-3", "c-4"])
    slow.gates[0].set()

    assert await slow.batch(1) == ["c-4"]

    slow.gates[1].set()
    await more[1]
    slow.gates[0].set()
    assert await slow.batch(2) == ["a-3"]
    slow.gates[2].set()
    assert await settled([*futures, more[0]]) == ["acme:a-1!", "acme:b-2", "acme:a-3"]


async def test_writes_with_a_mark_in_common_never_share_a_batch(
    slow: Slow, gathering: Gathering[str, str, str]
) -> None:
    """Two copies of one message: the second is known only once the first is written."""
    gathering.add_all("acme", ["a-1", "a-1", "a-2"])

    assert await slow.batch(0) == ["a-1"]
    slow.gates[0].set()
    # The third waits as well: a log is written in order.
    assert await slow.batch(1) == ["a-1", "a-2"]


async def test_who_gives_up_takes_nothing_from_the_others(slow: Slow, gathering: Gathering[str, str, str]) -> None:
    away = gathering.add_all("acme", ["a-1", "b-2"])
    await slow.batch(0)
    waiting = gathering.add_all("acme", ["c-3", "d-4"])
    away[0].cancel()
    waiting[0].cancel()
    slow.gates[0].set()

    assert await away[1] == "acme:b-2"
    assert await slow.batch(1) == ["d-4"]
    slow.gates[1].set()
    assert await waiting[1] == "acme:d-4"


async def test_a_store_that_is_away_is_told_to_all_of_the_batch_and_to_nobody_else(
    slow: Slow, gathering: Gathering[str, str, str]
) -> None:
    futures = gathering.add_all("acme", ["a-1", "b-2"])
    await slow.batch(0)
    later = gathering.add_all("acme", ["c-3"])
    slow.away = StoreUnavailableError()
    slow.gates[0].set()

    assert [type(each) for each in await settled(futures)] == [StoreUnavailableError] * 2
    await slow.batch(1)
    slow.away = None
    slow.gates[1].set()
    assert await settled(later) == ["acme:c-3"]


async def test_more_than_may_wait_is_refused_at_once(slow: Slow, gathering: Gathering[str, str, str]) -> None:
    gathering.add_all("acme", ["a-1"])
    await slow.batch(0)
    waiting = gathering.add_all("acme", [f"b{n:03}" for n in range(300)])

    with pytest.raises(StoreBusyError):
        await gathering.add("acme", "c-1")

    assert not any(future.done() for future in waiting)


async def test_a_batch_is_bounded(slow: Slow) -> None:
    gathering: Gathering[str, str, str] = Gathering(
        slow.make, log_of=lambda item: item, marks_of=lambda _: (), at_once=1
    )

    gathering.add_all("acme", [str(n) for n in range(MOST + 5)])

    assert len(await slow.batch(0)) == MOST
    slow.gates[0].set()
    assert len(await slow.batch(1)) == 5


async def test_what_a_store_forgets_to_settle_is_a_defect_and_not_a_wait_for_ever() -> None:
    async def forgetful(_key: str, _items: Sequence[str], settle: Callable[[int, str | ThreadsError], None]) -> None:
        await asyncio.sleep(0)
        settle(0, "made")

    gathering: Gathering[str, str, str] = Gathering(
        forgetful, log_of=lambda item: item, marks_of=lambda _: (), at_once=1
    )

    made, forgotten = await settled(gathering.add_all("acme", ["a", "b"]))

    assert made == "made"
    assert isinstance(forgotten, ThreadsError)
    assert not isinstance(forgotten, ThreadNotFoundError)
