"""Deciding with a memory: what may be remembered, for how long, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.verdict import Verdict
from aeterna.cedar.errors import BundleUnreadableError
from aeterna.cedar.testing import FakeCompiler, FakeEngine
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.errors import QuestionMalformedError
from aeterna.policy.testing import FakeBundleSource
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import Decider
from aeterna.policy.usecases.refresh import Refresher
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from aeterna.cedar.adapters.cedar import CedarEngine

ALLOW = Verdict(allowed=True)


@dataclass
class Bench:
    """A decider over a fake engine, with time and chance in the test's hands."""

    engine: FakeEngine = field(default_factory=lambda: FakeEngine("graph.read"))
    max_age: timedelta | None = None
    ttl: timedelta = timedelta(seconds=60)
    capacity: int = 100
    chance: float = 0.0
    now: float = 1000.0

    def cache(self) -> VerdictCache:
        """Return an empty cache."""
        return VerdictCache(ttl=self.ttl, capacity=self.capacity, clock=lambda: self.now, random=lambda: self.chance)

    def decider(self) -> Decider:
        """Return a decider in its first epoch."""
        return Decider(self.engine, "sha256:one", cache=self.cache, clock=lambda: self.now, max_age=self.max_age)


def test_the_same_question_is_evaluated_once() -> None:
    bench = Bench()
    decider = bench.decider()

    decisions = [decider.decide(question()) for _ in range(10)]

    assert bench.engine.asked == 1
    assert [decision.cached for decision in decisions] == [False] + [True] * 9
    assert all(decision.allowed for decision in decisions)


def test_a_new_epoch_forgets_every_decision() -> None:
    """A revoked grant must not be served from memory after the epoch that revoked it."""
    bench = Bench()
    decider = bench.decider()
    before = decider.decide(question())

    decider.adopt(FakeEngine(), "sha256:two")
    after = decider.decide(question())

    assert (before.allowed, before.epoch, before.digest) == (True, 1, "sha256:one")
    assert (after.allowed, after.epoch, after.digest, after.cached) == (False, 2, "sha256:two", False)


def test_a_decision_is_remembered_up_to_its_time_and_not_longer() -> None:
    bench = Bench()
    decider = bench.decider()
    decider.decide(question())

    bench.now += 59.9
    remembered = decider.decide(question())
    bench.now += 0.1
    forgotten = decider.decide(question())

    assert (remembered.cached, forgotten.cached) == (True, False)


@given(chance=st.floats(0, 1, exclude_max=True))
def test_jitter_only_shortens_the_time(chance: float) -> None:
    bench = Bench(chance=chance)
    cache = bench.cache()
    cache.put(b"key", ALLOW)

    bench.now += 53.9
    early = cache.get(b"key")
    bench.now += 6.1
    late = cache.get(b"key")

    assert (early, late) == (ALLOW, None)


def test_the_least_recently_used_goes_first() -> None:
    cache = Bench(capacity=2).cache()
    cache.put(b"a", ALLOW)
    cache.put(b"b", ALLOW)
    cache.get(b"a")

    cache.put(b"c", ALLOW)

    assert [cache.get(key) for key in (b"a", b"b", b"c")] == [ALLOW, None, ALLOW]
    assert len(cache) == 2


@pytest.mark.parametrize("bench", [Bench(capacity=0), Bench(ttl=timedelta(0))])
def test_the_memory_can_be_switched_off(bench: Bench) -> None:
    decider = bench.decider()

    decisions = [decider.decide(question()) for _ in range(2)]

    assert [decision.cached for decision in decisions] == [False, False]


def test_long_questions_are_answered_and_not_remembered() -> None:
    """Ten thousand of them would be ten thousand times their length in memory."""
    decider = Bench().decider()
    long = question(roles=["x" * 5000])

    assert [decider.decide(long).cached for _ in range(2)] == [False, False]
    assert len(decider.edition.verdicts) == 0


VALUES: list[object] = [True, 1, 1.0, "1", "True", None, [], {}, [True], [1]]
DIFFERENT = [
    question(),
    question("graph.write"),
    question(subject="Agent"),
    question(resource="Thread"),
    question(tenant="globex"),
    question(owner="globex"),
    question(roles=[]),
    question(roles=["admin"]),
    *(
        Question(
            subject=Entity(type="User", id="ada", properties={"flag": value}),
            action="graph.read",
            resource=Entity(type="Graph", id="main"),
        )
        for value in VALUES
    ),
    *(
        Question(
            subject=Entity(type="User", id=subject),
            action="graph.read",
            resource=Entity(type="Graph", id=resource),
            context=context,
        )
        for subject, resource, context in [
            ("a", "bc", {}),
            ("ab", "c", {}),
            ('a","', "c", {}),
            ("a", "c", {"ip": "::1"}),
            ("a", "c", {"ip": ""}),
        ]
    ),
]


def test_questions_that_differ_in_anything_have_different_keys() -> None:
    """In Python, True, 1 and 1.0 are one key of a dictionary; here they are three."""
    assert len({asked.key() for asked in DIFFERENT}) == len(DIFFERENT)


def test_the_order_of_properties_is_no_difference() -> None:
    one = Entity(type="User", id="ada", properties={"a": 1, "b": {"c": 2, "d": 3}})
    two = Entity(type="User", id="ada", properties={"b": {"d": 3, "c": 2}, "a": 1})
    graph = Entity(type="Graph", id="main")

    assert (
        Question(subject=one, action="x", resource=graph).key()
        == Question(subject=two, action="x", resource=graph).key()
    )


def test_a_question_too_deep_to_write_down_is_no_question() -> None:
    deep: list[object] = []
    for _ in range(500):
        deep = [deep]
    asked = Question(
        subject=Entity(type="User", id="ada", properties={"deep": deep}),
        action="graph.read",
        resource=Entity(type="Graph", id="main"),
    )

    with pytest.raises(QuestionMalformedError):
        Bench().decider().decide(asked)


def test_policies_that_nobody_confirmed_for_too_long_permit_nothing() -> None:
    bench = Bench(max_age=timedelta(minutes=5))
    decider = bench.decider()
    decider.decide(question())
    bench.now += 301

    decision = decider.decide(question())

    assert (decision.allowed, decision.age, decider.stale) == (False, 301, True)


def test_without_a_bound_the_last_policies_are_trusted_and_their_age_is_told() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.now += 1_000_000

    decision = decider.decide(question())

    assert (decision.allowed, decision.age) == (True, 1_000_000)


ANY_QUESTION = st.builds(
    question,
    st.sampled_from(["graph.read", "graph.write", "threads.read", "planet.destroy"]),
    roles=st.lists(st.sampled_from(["reader", "writer", "admin", "x"]), max_size=2),
    resource=st.sampled_from(["Graph", "Thread"]),
    tenant=st.sampled_from(["acme", "globex"]),
    owner=st.sampled_from(["acme", "globex"]),
)


@given(steps=st.lists(st.sampled_from(["ask", "ask", "ask", "wait", "adopt"]), max_size=30), data=st.data())
def test_memory_never_changes_an_answer(steps: list[str], data: st.DataObject, shipped_engine: CedarEngine) -> None:
    """Whatever is asked, however often, and whenever time passes or the policies change: plain Cedar says the same."""
    bench = Bench(capacity=5)
    editions: list[CedarEngine | FakeEngine] = [shipped_engine, FakeEngine()]
    current = editions[0]
    decider = Decider(current, "sha256:one", cache=bench.cache, clock=lambda: bench.now, max_age=bench.max_age)
    for step in steps:
        if step == "wait":
            bench.now += 40
        elif step == "adopt":
            current = editions[(editions.index(current) + 1) % 2]
            decider.adopt(current, f"sha256:{editions.index(current)}")
        else:
            asked = data.draw(ANY_QUESTION)
            assert decider.decide(asked).allowed == current.evaluate(asked).allowed


def bundle(*actions: str, text: str = "permit") -> Bundle:
    """Return a bundle that the fake compiler makes an engine of which allows the actions."""
    return Bundle(policies={f"{action}.cedar": text for action in actions}, schema="")


@pytest.mark.anyio
async def test_another_bundle_is_a_new_epoch_and_the_same_one_is_a_confirmation() -> None:
    bench, source = Bench(), FakeBundleSource(bundle("graph.write"))
    decider = bench.decider()
    refresher = Refresher(decider, source, FakeCompiler())

    first = await refresher.refresh()
    bench.now += 7
    second = await refresher.refresh()

    assert (first, second) == ("adopted", "unchanged")
    assert (decider.edition.epoch, decider.age) == (2, 0)
    assert decider.decide(question("graph.write")).allowed


@pytest.mark.anyio
@pytest.mark.parametrize(
    "trouble", [BundleUnreadableError("/bundle", "FileNotFoundError"), bundle("graph.write", text="")]
)
async def test_a_bundle_that_is_no_good_leaves_the_last_one_in_use_and_ageing(
    trouble: Bundle | BundleUnreadableError,
) -> None:
    bench = Bench()
    decider = bench.decider()
    bench.now += 7

    outcome = await Refresher(decider, FakeBundleSource(trouble), FakeCompiler()).refresh()

    assert (outcome, decider.edition.epoch, decider.age) == ("refused", 1, 7)
    assert decider.decide(question()).allowed
