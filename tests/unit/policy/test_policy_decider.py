"""Deciding with a memory: what may be remembered, for how long, and what ends it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cedar.adapters.cedar import CedarCompiler
from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.domain.request import BroughtEntity, Uid
from aeterna.cedar.domain.verdict import Verdict
from aeterna.cedar.ports import Engine
from aeterna.cedar.testing import FakeEngine
from aeterna.policy.domain.publication import Publication
from aeterna.policy.domain.question import Entity, Question
from aeterna.policy.domain.tally import decisions
from aeterna.policy.errors import QuestionMalformedError
from aeterna.policy.usecases.asking import request_of
from aeterna.policy.usecases.cache import VerdictCache
from aeterna.policy.usecases.decide import NONE_YET, STALE, Decider
from fixtures.fix_policy import question

if TYPE_CHECKING:
    from aeterna.cedar.adapters.engine import CedarEngine


ALLOW = Verdict(allowed=True)
ONE = f"sha256:{'1' * 64}"
TWO = f"sha256:{'2' * 64}"


@dataclass
class Bench:
    """A decider over a fake engine, with time and chance in the test's hands."""

    engine: Engine = field(default_factory=lambda: FakeEngine("graph.read"))
    max_age: timedelta | None = None
    ttl: timedelta = timedelta(seconds=60)
    capacity: int = 100
    chance: float = 0.0
    now: float = 1000.0

    def cache(self) -> VerdictCache:
        """Return an empty cache."""
        return VerdictCache(ttl=self.ttl, capacity=self.capacity, clock=lambda: self.now, random=lambda: self.chance)

    def empty(self) -> Decider:
        """Return a decider without policies."""
        return Decider(
            cache=self.cache, steady=lambda: self.now, system=lambda: self.now, max_age=self.max_age, tenant="own"
        )

    def decider(self) -> Decider:
        """Return a decider in its first epoch."""
        decider = self.empty()
        decider.adopt(self.engine, self.published())
        return decider

    def published(self, epoch: int = 1, digest: str = ONE) -> Publication:
        """Return what is published and confirmed at this moment."""
        return Publication(epoch=epoch, digest=digest, confirmed_at=self.now)


def test_the_same_question_is_evaluated_once() -> None:
    engine = FakeEngine("graph.read")
    decider = Bench(engine=engine).decider()

    answers = [decider.decide(question()) for _ in range(10)]

    assert engine.asked == 1
    assert [answer.cached for answer in answers] == [False] + [True] * 9
    assert all(answer.allowed for answer in answers)


def test_a_new_epoch_forgets_every_decision() -> None:
    """A revoked grant must not be served from memory after the epoch that revoked it."""
    bench = Bench()
    decider = bench.decider()
    before = decider.decide(question())

    decider.adopt(FakeEngine(), bench.published(2, TWO))
    after = decider.decide(question())

    assert (before.allowed, before.epoch, before.digest) == (True, 1, ONE)
    assert (after.allowed, after.epoch, after.digest, after.cached) == (False, 2, TWO, False)


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
    early = cache.get(b"key", bench.now)
    bench.now += 6.1
    late = cache.get(b"key", bench.now)

    assert early is not None
    assert late is None


def test_the_least_recently_used_goes_first() -> None:
    bench = Bench(capacity=2)
    cache = bench.cache()
    cache.put(b"a", ALLOW)
    cache.put(b"b", ALLOW)
    cache.get(b"a", bench.now)

    cache.put(b"c", ALLOW)

    assert [cache.get(key, bench.now) is not None for key in (b"a", b"b", b"c")] == [True, False, True]
    assert len(cache) == 2


def test_answers_that_name_hundreds_of_policies_do_not_fill_memory() -> None:
    bench = Bench(capacity=10_000)
    cache = bench.cache()
    verdict = Verdict(allowed=True, policies=tuple(f"policy-{number}" for number in range(1000)))
    for number in range(1000):
        cache.put(b"%d" % number, verdict)
    full = len(cache)
    for number in range(1000):
        cache.put(b"small %d" % number, ALLOW)

    assert full * len(verdict.policies) * 100 < 64 * 1024 * 1024
    assert [cache.get(key, bench.now) is not None for key in (b"0", b"999", b"small 999")] == [False, True, True]
    assert len(cache) > full


@pytest.mark.parametrize("bench", [Bench(capacity=0), Bench(ttl=timedelta(0))])
def test_the_memory_can_be_switched_off(bench: Bench) -> None:
    decider = bench.decider()

    answers = [decider.decide(question()) for _ in range(2)]

    assert [answer.cached for answer in answers] == [False, False]


def test_long_questions_are_answered_and_not_remembered() -> None:
    """Ten thousand of them would be ten thousand times their length in memory."""
    decider = Bench().decider()
    long = question(roles=["x" * 5000])

    assert [decider.decide(long).cached for _ in range(2)] == [False, False]
    assert decider.edition is not None
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
    *(
        Question(
            subject=Entity(type="User", id="ada"),
            action="graph.read",
            resource=Entity(type="Graph", id="main"),
            action_type=action_type,
            literal=literal,
            described=described,
        )
        for action_type, literal, described in [
            ("Action", True, ()),
            ("Other", False, ()),
            ("Action", False, (BroughtEntity(uid=Uid("User", "ada")),)),
            ("Action", False, (BroughtEntity(uid=Uid("User", "ada"), attributes={"x": 1}),)),
            ("Action", False, (BroughtEntity(uid=Uid("User", "ada"), tags={"x": 1}),)),
            ("Action", False, (BroughtEntity(uid=Uid("User", "ada"), parents=(Uid("Role", "x"),)),)),
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

    assert (decision.allowed, decision.age, decision.errors) == (False, 301, (STALE,))
    assert decider.trouble == STALE


def test_without_a_bound_the_last_policies_are_trusted_and_their_age_is_told() -> None:
    bench = Bench()
    decider = bench.decider()
    bench.now += 1_000_000

    decision = decider.decide(question())

    assert (decision.allowed, decision.age) == (True, 1_000_000)


def test_a_remembered_answer_is_given_as_it_was_written_until_it_expires() -> None:
    bench = Bench()
    decider = bench.decider()
    decider.decide(question(), b"k")
    unwritten = decider.recall(b"k")
    decider.keep_written(b"k", b"written")
    bench.now += 7

    recalled = decider.recall(b"k")
    bench.now += 53
    expired = decider.recall(b"k")

    assert (unwritten, recalled, expired) == (None, (b"written", 7), None)


def test_what_is_remembered_is_not_repeated_once_the_policies_are_too_old() -> None:
    bench = Bench(max_age=timedelta(seconds=5))
    decider = bench.decider()
    decider.decide(question(), b"k")
    decider.keep_written(b"k", b"written")
    bench.now += 5.001

    assert decider.recall(b"k") is None
    assert not decider.decide(question(), b"k").allowed


def test_what_is_remembered_is_forgotten_with_the_epoch() -> None:
    bench = Bench()
    decider = bench.decider()
    decider.decide(question(), b"k")
    decider.keep_written(b"k", b"written")

    decider.adopt(FakeEngine(), bench.published(2, TWO))

    assert decider.recall(b"k") is None


def test_before_there_are_policies_everything_is_a_deny_that_says_so() -> None:
    decider = Bench().empty()

    decision = decider.decide(question())

    assert (decision.allowed, decision.epoch, decision.digest, decision.errors) == (False, 0, "", (NONE_YET,))
    assert (decider.recall(b"k"), decider.trouble) == (None, NONE_YET)


def test_a_decision_says_whose_policies_were_asked() -> None:
    decider = Bench().decider()
    nobody = Question(subject=Entity(type="User", id="ada"), action="x", resource=Entity(type="Graph", id="main"))

    tenants = [[decider.decide(asked).tenant for _ in range(2)] for asked in (question(tenant="globex"), nobody)]

    assert tenants == [["globex", "globex"], ["own", "own"]]


def test_every_decision_is_counted_once_by_what_gave_it() -> None:
    bench = Bench(max_age=timedelta(seconds=5))
    decider = bench.decider()
    for _ in range(3):
        decider.decide(question(), b"k")
    decider.keep_written(b"k", b"written")
    decider.recall(b"k")
    decider.decide(question("graph.write"))
    bench.now += 6
    decider.decide(question())

    assert decisions([decider.tally]) == {
        ("allow", "cache"): 3,
        ("deny", "cache"): 0,
        ("allow", "engine"): 1,
        ("deny", "engine"): 1,
        ("deny", "none"): 1,
    }


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
    editions: list[Engine] = [shipped_engine, FakeEngine()]
    bench = Bench(capacity=5, engine=shipped_engine)
    decider, epoch = bench.decider(), 1
    for step in steps:
        if step == "wait":
            bench.now += 40
        elif step == "adopt":
            epoch += 1
            decider.adopt(editions[(epoch - 1) % 2], bench.published(epoch, [ONE, TWO][(epoch - 1) % 2]))
        else:
            asked = data.draw(ANY_QUESTION)
            plain = editions[(epoch - 1) % 2].evaluate(request_of(asked))
            assert decider.decide(asked).allowed == plain.allowed


@pytest.mark.parametrize(
    ("kept", "asked_of"),
    [
        pytest.param({"tenant": "acme"}, "acme", id="kept as one of a tenant"),
        pytest.param({"tenant": ""}, "own", id="kept as one of nobody"),
    ],
)
def test_a_kept_subject_is_of_its_tenant_also_to_a_question_that_does_not_say_so(
    kept: dict[str, str], asked_of: str
) -> None:
    files = {
        "a.cedarschema": """namespace Aeterna {
            entity User { tenant: String };
            entity Graph;
            action "graph.read" appliesTo { principal: [User], resource: [Graph] };
        }""",
        "a.cedar": '@id("all") permit (principal, action, resource);',
        "tenants/acme/a.cedar": '@id("none") forbid (principal, action, resource);',
        "entities.json": json.dumps([{"uid": {"type": "Aeterna::User", "id": "ada"}, "attrs": kept, "parents": []}]),
    }
    decider = Bench(engine=CedarCompiler().compile(Bundle.of(files))).decider()

    decision = decider.decide(
        Question(subject=Entity(type="User", id="ada"), action="graph.read", resource=Entity(type="Graph", id="main"))
    )

    assert (decision.tenant, decision.allowed) == (asked_of, asked_of != "acme")
