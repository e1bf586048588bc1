"""Keeping what is in force up to what a feed has: what is published, confirmed or refused, and when it is looked at."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleError, BundleSignatureError, BundleUnreadableError
from aeterna.cedar.testing import FakeCompiler
from aeterna.policy.testing import FakeBundleSource, FakePublications
from aeterna.policy.usecases.handing_over import HandingOver
from aeterna.policy.usecases.keeping import Keeper, PolledFeed
from aeterna.policy.usecases.publishing import Publisher

if TYPE_CHECKING:
    from aeterna.cedar.ports import Compiler, Engine

pytestmark = pytest.mark.anyio

SILENT = BundleUnreadableError("https://policies.example", "does not answer")


def bundle(name: str = "a", text: str = "permit") -> Bundle:
    """Return a bundle of one policy; without a text the fake compiler refuses it."""
    return Bundle.of({f"{name}.cedar": text, "s.cedarschema": ""})


class CountingCompiler(FakeCompiler):
    """Counts what it compiles, and notes in which thread."""

    def __init__(self) -> None:
        self.compiled = 0
        self.threads: set[int] = set()

    @override
    def compile(self, bundle: Bundle) -> Engine:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.compiled += 1
        self.threads.add(threading.get_ident())
        return super().compile(bundle)


class Bench:
    """A keeper with everything around it."""

    def __init__(
        self, source: Bundle | BundleError, *, local: bool = True, seed: Bundle | BundleError | None = None
    ) -> None:
        self.now = 1_000.0
        self.nudges = 0
        self.publications = FakePublications(clock=lambda: self.now)
        self.compiler = CountingCompiler()
        self.publisher = Publisher(self.publications, self.compiler, clock=lambda: self.now, nudge=self._nudge)
        self.source = FakeBundleSource(source)
        self.feed = PolledFeed(
            self.source, self.publisher, interval=timedelta(seconds=10), random=lambda: 0.0, local=local
        )
        self.keeper = Keeper(self.publisher, self.feed, seed=FakeBundleSource(seed if seed is not None else source))

    def _nudge(self) -> None:
        self.nudges += 1

    @property
    def policies(self) -> tuple[int, set[str]]:
        """Epoch and policies in force."""
        current = self.publications.current()
        assert current is not None
        return current.epoch, set(self.publications.bundle(current).policies)


async def test_a_folder_is_in_force_from_the_beginning() -> None:
    bench = Bench(bundle())

    bench.keeper.begin()

    assert bench.policies == (1, {"a.cedar"})


async def test_a_source_far_away_is_not_waited_for() -> None:
    bench = Bench(SILENT, local=False, seed=bundle("seed"))

    bench.keeper.begin()

    assert bench.policies == (1, {"seed.cedar"})


async def test_what_was_in_force_stays_and_the_seed_is_not_looked_at() -> None:
    bench = Bench(SILENT, local=False, seed=bundle("seed"))
    bench.publications.publish(bundle("last"))

    bench.keeper.begin()

    assert bench.policies == (1, {"last.cedar"})
    assert bench.compiler.compiled == 0


async def test_a_folder_that_is_broken_at_start_leaves_what_was_in_force() -> None:
    bench = Bench(bundle("broken", ""))
    bench.publications.publish(bundle("last"))

    bench.keeper.begin()

    assert bench.policies == (1, {"last.cedar"})


async def test_the_seed_replaces_what_is_kept_and_cannot_be_read() -> None:
    bench = Bench(SILENT, local=False, seed=bundle("seed"))
    bench.publications.unreadable.add(bench.publications.publish(bundle("last")).digest)

    bench.keeper.begin()

    assert bench.policies == (2, {"seed.cedar"})


@pytest.mark.parametrize("seed", [SILENT, bundle("broken", "")], ids=["silent", "broken"])
async def test_without_any_policies_it_does_not_begin(seed: Bundle | BundleError) -> None:
    bench = Bench(SILENT, local=False, seed=seed)

    with pytest.raises(BundleError):
        bench.keeper.begin()


async def test_without_a_seed_nothing_is_in_force_until_the_feed_brings_something() -> None:
    bench = Bench(SILENT, local=False)
    keeper = Keeper(bench.publisher, bench.feed, seed=None)

    keeper.begin()
    begun = bench.publications.current()
    bench.source.current = bundle("deployed")
    await keeper.refresh()

    assert (begun, bench.policies) == (None, (1, {"deployed.cedar"}))


async def test_another_bundle_is_published_and_the_workers_are_told() -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    bench.source.current = bundle("b")

    await bench.keeper.refresh()

    assert (bench.policies, bench.nudges) == ((2, {"b.cedar"}), 1)


async def test_a_bundle_is_checked_off_the_event_loop() -> None:
    bench = Bench(bundle())

    await bench.keeper.refresh()

    assert bench.compiler.threads.isdisjoint({threading.get_ident()})


async def test_the_same_bundle_is_confirmed_and_not_compiled_again() -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    bench.now += 60

    await bench.keeper.refresh()

    current = bench.publications.current()
    assert current is not None
    assert (current.epoch, current.confirmed_at, bench.compiler.compiled) == (1, bench.now, 1)
    assert bench.keeper.state.succeeded_at == bench.now


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [(SILENT, "unreachable"), (BundleSignatureError("the bundle is not signed"), "refused")],
    ids=["silent", "forged"],
)
async def test_trouble_changes_and_confirms_nothing(trouble: BundleError, outcome: str) -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    before = bench.publications.current()
    bench.now += 60
    bench.source.current = trouble

    await bench.keeper.refresh()

    refusal = bench.keeper.state.refusal
    assert bench.publications.current() == before
    assert refusal is not None
    assert (refusal.code, refusal.at) == (trouble.code, bench.now)
    assert bench.keeper.state.outcomes == {"published": 1, outcome: 1}


async def test_a_bundle_that_was_refused_is_not_compiled_again_and_confirms_nothing() -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    before = bench.publications.current()
    bench.source.current = bundle("broken", "")

    for _ in range(3):
        await bench.keeper.refresh()

    assert (bench.publications.current(), bench.compiler.compiled) == (before, 2)
    assert bench.keeper.state.outcomes == {"published": 1, "refused": 3}


async def test_a_refusal_is_told_again_after_a_silence() -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    for current in (bundle("broken", ""), SILENT, bundle("broken", "")):
        bench.source.current = current
        await bench.keeper.refresh()

    refusal = bench.keeper.state.refusal
    assert refusal is not None
    assert refusal.code == "policy.bundle_invalid"


async def test_a_return_to_what_is_in_force_ends_a_refusal() -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    for current in (bundle("broken", ""), bundle()):
        bench.source.current = current
        await bench.keeper.refresh()

    assert bench.keeper.state.refusal is None


async def test_faults_that_stop_no_decision_are_named() -> None:
    bench = Bench(bundle())
    bench.keeper.begin()
    well = bench.keeper.state.faults(None)
    bench.source.current = SILENT
    await bench.keeper.refresh()

    assert (well, bench.keeper.state.faults("No space left on device")) == (
        {},
        {"feed": "policy.bundle_unreadable", "state": "No space left on device"},
    )


def feed(random: float) -> tuple[PolledFeed, FakeBundleSource]:
    """Return a feed of ten seconds whose chance is given."""
    source = FakeBundleSource(bundle())
    publisher = Publisher(FakePublications(clock=lambda: 0.0), FakeCompiler(), clock=lambda: 0.0)
    return PolledFeed(source, publisher, interval=timedelta(seconds=10), random=lambda: random, local=False), source


@pytest.mark.parametrize("random", [0.0, 0.5, 0.999])
async def test_jitter_only_shortens_an_interval(random: float) -> None:
    polled, _ = feed(random)
    await polled.refresh()

    assert 9.0 <= polled.delay() <= 10.0


async def test_silence_doubles_the_interval_up_to_a_minute() -> None:
    polled, source = feed(0.0)
    source.current = SILENT
    delays: list[float] = []
    for _ in range(40):
        await polled.refresh()
        delays.append(polled.delay())

    assert delays[:5] == [10.0, 20.0, 40.0, 60.0, 60.0]
    assert set(delays[5:]) == {60.0}


async def test_those_who_lost_a_source_together_do_not_return_together() -> None:
    delays: list[float] = []
    for random in (0.0, 0.999):
        polled, source = feed(random)
        source.current = SILENT
        for _ in range(5):
            await polled.refresh()
        delays.append(polled.delay())

    assert max(delays) / min(delays) > 1.9


async def test_the_interval_is_as_before_once_the_source_is_back() -> None:
    polled, source = feed(0.0)
    source.current = SILENT
    await polled.refresh()
    source.current = bundle()
    await polled.refresh()

    assert polled.delay() == 10.0


async def test_a_look_that_fails_as_nobody_foresaw_ends_nothing() -> None:
    class Broken(FakeBundleSource):
        @override
        def read(self) -> Bundle:
            raise RuntimeError("unforeseen")

    bench = Bench(bundle())
    feed = PolledFeed(
        Broken(bundle()), bench.publisher, interval=timedelta(seconds=10), random=lambda: 0.0, local=False
    )
    await feed.refresh()
    await feed.refresh()

    assert feed.delay() == 20


async def test_a_source_far_away_is_looked_at_at_once() -> None:
    bench = Bench(bundle(), local=False, seed=bundle("seed"))
    bench.keeper.begin()
    running = asyncio.create_task(bench.keeper.run())

    async with asyncio.timeout(10):
        while bench.nudges == 0:  # noqa: ASYNC110 - the publisher calls, and has no event
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert bench.policies == (2, {"a.cedar"})


def test_an_engine_is_handed_over_once() -> None:
    """Whoever checked a bundle and whoever decides by it share the process: one compilation is enough."""
    counting = CountingCompiler()
    compiler: Compiler = HandingOver(counting)

    engines = [compiler.compile(bundle()) for _ in range(3)]

    assert engines[0] is engines[1]
    assert engines[1] is not engines[2]
    assert counting.compiled == 2


def test_another_bundles_engine_is_not_handed_over() -> None:
    compiler = HandingOver(FakeCompiler())

    engines = [compiler.compile(bundle(name)) for name in ("a", "b")]

    assert engines[0] is not engines[1]
