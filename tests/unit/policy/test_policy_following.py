"""Following what is published: what is taken on, what is refused, and how old it is said to be."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import pytest

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.testing import FakeCompiler
from aeterna.policy.domain.tally import ADOPTED, REFUSED
from aeterna.policy.testing import FakePublications
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.following import Follower
from fixtures.fix_policy import question

pytestmark = pytest.mark.anyio


def bundle(*actions: str, text: str = "permit") -> Bundle:
    """Return a bundle that the fake compiler makes an engine of which allows the actions."""
    return Bundle(policies={f"{action}.cedar": text for action in actions}, schema="")


@dataclass
class Worker:
    """A decider that follows publications, with its time in the test's hands."""

    now: float = 1000.0

    def __post_init__(self) -> None:
        self.publications = FakePublications(clock=lambda: self.now)
        self.decider = Decider(
            cache=lambda: VerdictCache(
                ttl=timedelta(seconds=60), capacity=10, clock=lambda: self.now, random=lambda: 0.0
            ),
            steady=lambda: self.now,
            system=lambda: self.now,
        )
        self.follower = Follower(self.decider, self.publications, FakeCompiler(), interval=3600)


async def test_while_nothing_is_published_there_is_nothing() -> None:
    worker = Worker()

    assert await worker.follower.look() == "nothing"
    assert worker.decider.edition is None


async def test_what_is_published_is_taken_on_with_its_epoch_and_digest() -> None:
    worker = Worker()
    published = worker.publications.publish(bundle("graph.read"))

    outcome = await worker.follower.look()

    decision = worker.decider.decide(question())
    assert outcome == "adopted"
    assert (decision.allowed, decision.epoch, decision.digest) == (True, 1, published.digest)


async def test_a_confirmation_is_no_new_epoch_and_makes_it_young_again() -> None:
    worker = Worker()
    worker.publications.publish(bundle("graph.read"))
    await worker.follower.look()
    worker.now += 50
    aged = worker.decider.age
    worker.publications.confirm()

    outcome = await worker.follower.look()

    assert (outcome, aged, worker.decider.age) == ("unchanged", 50, 0)
    assert worker.decider.tally.words[ADOPTED] == 1


@pytest.mark.parametrize("damaged", [False, True], ids=["does not compile", "cannot be read"])
async def test_what_is_no_good_leaves_the_last_one_in_use_and_ageing(damaged: bool) -> None:
    worker = Worker()
    worker.publications.publish(bundle("graph.read"))
    await worker.follower.look()
    bad = worker.publications.publish(bundle("graph.write", text="" if not damaged else "permit"))
    if damaged:
        worker.publications.unreadable.add(bad.digest)
    worker.now += 7

    outcomes = [await worker.follower.look(), await worker.follower.look()]

    assert outcomes == ["refused", "unchanged"]
    assert worker.decider.tally.words[REFUSED] == 1
    decision = worker.decider.decide(question())
    assert (decision.allowed, decision.epoch, decision.age) == (True, 1, 7)


async def test_what_could_not_be_read_for_a_moment_is_taken_on_when_it_can_be() -> None:
    worker = Worker()
    worker.publications.publish(bundle("graph.read"))
    await worker.follower.look()
    revoking = worker.publications.publish(bundle("graph.write"))
    worker.publications.unreadable.add(revoking.digest)
    await worker.follower.look()
    worker.publications.unreadable.clear()

    outcome = await worker.follower.look()

    assert (outcome, worker.decider.decide(question()).epoch) == ("adopted", revoking.epoch)


async def test_after_one_that_is_no_good_the_next_good_one_is_taken_on() -> None:
    worker = Worker()
    worker.publications.publish(bundle("graph.write", text=""))
    await worker.follower.look()
    worker.publications.publish(bundle("graph.read"))

    assert await worker.follower.look() == "adopted"
    assert worker.decider.decide(question()).epoch == 2


async def test_what_was_published_before_the_loop_began_is_there_at_once() -> None:
    worker = Worker()
    worker.publications.publish(bundle("graph.read"))

    worker.follower.begin()

    assert worker.decider.decide(question()).allowed


async def test_who_is_woken_looks_at_once_and_tells_those_who_wait() -> None:
    worker = Worker()
    running = asyncio.create_task(worker.follower.run())
    changed = worker.decider.changed
    worker.publications.publish(bundle("graph.read"))

    worker.follower.wake()
    async with asyncio.timeout(5):
        await changed.wait()

    assert worker.decider.edition is not None
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_the_edition_that_was_in_use_is_let_go_and_its_memory_with_it() -> None:
    worker = Worker()
    worker.publications.publish(bundle("graph.read"))
    await worker.follower.look()
    worker.decider.decide(question())
    before = worker.decider.edition
    worker.publications.publish(bundle("graph.write"))

    await worker.follower.look()

    assert before is not None
    assert len(before.verdicts) == 0
    assert worker.decider.decide(question("graph.write")).allowed
