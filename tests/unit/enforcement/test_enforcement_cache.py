"""What is remembered, against a model that keeps everything it was ever told: a revoked grant is never given again."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aeterna.enforcement.cache import DecisionCache
from aeterna.enforcement.decision import Decision, Edition

TTL = 5.0
SILENCE = 12.0
QUESTIONS = (b"q1", b"q2", b"q3", b"q4")


@dataclass
class Time:
    """A clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def cache_at(time: Time, *, ttl: float = TTL, capacity: int = 3, random: float = 0.0) -> DecisionCache:
    """Return a cache that lives by this clock."""
    return DecisionCache(ttl=ttl, capacity=capacity, silence=SILENCE, clock=time, random=lambda: random)


def decision(
    epoch: int = 1, digest: str = "sha256:1", *, allowed: bool = True, errors: tuple[str, ...] = ()
) -> Decision:
    """Return an answer of this edition."""
    return Decision(allowed=allowed, epoch=epoch, digest=digest, errors=errors)


def hearing(time: Time, epoch: int = 1, *, ttl: float = TTL, capacity: int = 3, random: float = 0.0) -> DecisionCache:
    """Return a cache whose stream says this epoch."""
    cache = cache_at(time, ttl=ttl, capacity=capacity, random=random)
    cache.heard(Edition(epoch=epoch, digest=f"sha256:{epoch}"))
    return cache


def test_a_decision_is_remembered_while_the_stream_is_live() -> None:
    time = Time()
    cache = hearing(time)

    cache.note(b"q", decision(), asked_at=time())

    found = cache.get(b"q")
    assert found is not None
    assert (found.allowed, found.remembered) == (True, True)


def test_without_a_stream_nothing_is_remembered() -> None:
    time = Time()
    cache = cache_at(time)

    cache.note(b"q", decision(), asked_at=time())

    assert (cache.get(b"q"), len(cache)) == (None, 0)


def test_a_new_epoch_empties_it_at_once() -> None:
    time = Time()
    cache = hearing(time)
    cache.note(b"q", decision(), asked_at=time())

    cache.heard(Edition(epoch=2, digest="sha256:2"))

    assert (cache.get(b"q"), len(cache)) == (None, 0)


def test_an_answer_that_was_under_way_while_the_epoch_changed_is_not_remembered() -> None:
    """Otherwise the decision of the old policies would outlive the news of the new ones."""
    time = Time()
    cache = hearing(time, 1)
    asked_at = time()
    cache.heard(Edition(epoch=2, digest="sha256:2"))

    cache.note(b"q", decision(1), asked_at=asked_at)

    assert cache.get(b"q") is None


def test_an_answer_that_is_newer_than_the_stream_empties_it_until_the_stream_has_caught_up() -> None:
    """One worker process of a sidecar may be ahead of the one that the stream comes from."""
    time = Time()
    cache = hearing(time, 1)
    cache.note(b"old", decision(1), asked_at=time())

    cache.note(b"new", decision(2, "sha256:2"), asked_at=time())
    cache.note(b"old", decision(1), asked_at=time())
    before = (cache.get(b"old"), cache.get(b"new"), cache.live)
    cache.heard(Edition(epoch=2, digest="sha256:2"))

    assert before == (None, None, False)
    assert cache.live


def test_the_same_epoch_with_another_content_is_trusted_only_after_a_later_one() -> None:
    time = Time()
    cache = hearing(time, 1)

    cache.note(b"q", decision(1, "sha256:other"), asked_at=time())
    before = cache.live
    cache.heard(Edition(epoch=2, digest="sha256:2"))

    assert (before, cache.live) == (False, True)


def test_a_silent_stream_switches_it_off_and_a_heartbeat_on() -> None:
    time = Time()
    cache = hearing(time, ttl=60)
    cache.note(b"q", decision(), asked_at=time())
    time.now += SILENCE
    still = cache.get(b"q")
    time.now += 0.001
    silent = cache.get(b"q")

    cache.heard()
    cache.note(b"q", decision(), asked_at=time())

    assert (still is None, silent) == (False, None)
    assert cache.get(b"q") is not None


def test_a_lost_stream_empties_it_and_the_next_may_count_from_anywhere() -> None:
    time = Time()
    cache = hearing(time, 7)
    cache.note(b"q", decision(9, "sha256:9"), asked_at=time())

    cache.lost()
    cache.heard(Edition(epoch=1, digest="sha256:1"))
    cache.note(b"q", decision(1), asked_at=time())

    assert cache.get(b"q") is not None


def test_policies_that_are_no_longer_trusted_are_not_remembered_by() -> None:
    time = Time()
    cache = hearing(time)
    cache.note(b"q", decision(), asked_at=time())

    cache.heard(Edition(epoch=1, digest="sha256:1", trusted=False))

    assert (cache.get(b"q"), cache.live) == (None, False)


def test_what_is_in_doubt_is_not_remembered_whatever_it_says() -> None:
    time = Time()
    cache = hearing(time)

    cache.note(b"deny", decision(allowed=False, errors=("unclear",)), asked_at=time())
    cache.note(b"permit", decision(errors=("a policy was skipped",)), asked_at=time())

    assert len(cache) == 0


def test_an_answer_that_names_no_edition_is_not_remembered() -> None:
    time = Time()
    cache = hearing(time)

    cache.note(b"q", Decision(allowed=True), asked_at=time())

    assert (len(cache), cache.live) == (0, True)


def test_the_time_to_live_runs_from_the_question() -> None:
    time = Time()
    cache = hearing(time)
    asked_at = time()
    time.now += 4.0

    cache.note(b"q", decision(), asked_at=asked_at)
    time.now += 1.0

    assert cache.get(b"q") is None


def test_jitter_only_shortens() -> None:
    time = Time()
    cache = hearing(time, random=0.999)
    cache.note(b"q", decision(), asked_at=time())

    time.now += TTL * 0.95

    assert cache.get(b"q") is None


def test_the_least_recently_used_goes_first() -> None:
    time = Time()
    cache = hearing(time)
    for key in (b"a", b"b", b"c"):
        cache.note(key, decision(), asked_at=time())
    cache.get(b"a")

    cache.note(b"d", decision(), asked_at=time())

    assert [key for key in (b"a", b"b", b"c", b"d") if cache.get(key)] == [b"a", b"c", b"d"]


def test_a_long_question_takes_no_memory() -> None:
    time = Time()
    cache = hearing(time)

    cache.note(b"x" * 4097, decision(), asked_at=time())

    assert len(cache) == 0


def test_no_time_to_live_and_no_capacity_are_no_cache() -> None:
    time = Time()
    for cache in (hearing(time, ttl=0), hearing(time, capacity=0)):
        cache.note(b"q", decision(), asked_at=time())

        assert len(cache) == 0


@dataclass
class Sidecar:
    """Policies as a list of editions, each of which permits some questions; epochs begin anew when state is lost."""

    permits: list[set[bytes]] = field(default_factory=lambda: [set(QUESTIONS)])

    @property
    def edition(self) -> Edition:
        """The edition in force."""
        return self.edition_at(len(self.permits))

    def edition_at(self, epoch: int) -> Edition:
        """Return an edition; its digest names its content."""
        return Edition(epoch=epoch, digest="sha256:" + b",".join(sorted(self.permits[epoch - 1])).decode())

    def answer(self, question: bytes, epoch: int) -> Decision:
        """Decide by an edition."""
        edition = self.edition_at(epoch)
        return Decision(allowed=question in self.permits[epoch - 1], epoch=epoch, digest=edition.digest)


class Enforcing(RuleBasedStateMachine):
    """A sidecar whose workers lag, a stream that breaks, answers that arrive late, and time."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.sidecar = Sidecar()
        self.cache = DecisionCache(ttl=TTL, capacity=3, silence=SILENCE, clock=self.time, random=lambda: 0.0)
        self.connected = False
        self.heard_at = float("-inf")
        self.streamed = 0
        # The newest epoch that the client was told of by this sidecar, in the stream or in an answer.
        self.told = 0
        self.under_way: list[tuple[bytes, Decision, float, Sidecar]] = []

    @rule(permitted=st.sets(st.sampled_from(QUESTIONS)))
    def publish(self, permitted: set[bytes]) -> None:
        self.sidecar.permits.append(permitted)

    @rule(seconds=st.sampled_from([0.1, 1.0, 4.9, 5.0, 11.0, 13.0]))
    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    @rule(lag=st.integers(0, 2))
    def hear_an_epoch(self, lag: int) -> None:
        """Let the worker behind the stream lag; within one stream it never goes back."""
        epoch = max(1, len(self.sidecar.permits) - lag)
        if self.connected and epoch < self.streamed:
            return
        self.connected, self.streamed, self.heard_at = True, epoch, self.time.now
        self.told = max(self.told, epoch)
        self.cache.heard(self.sidecar.edition_at(epoch))

    @precondition(lambda self: self.connected)
    @rule()
    def hear_a_heartbeat(self) -> None:
        self.heard_at = self.time.now
        self.cache.heard()

    @rule()
    def break_the_stream(self) -> None:
        self.connected, self.streamed, self.told = False, 0, 0
        self.cache.lost()

    @rule(permitted=st.sets(st.sampled_from(QUESTIONS)))
    def restart_without_state(self, permitted: set[bytes]) -> None:
        """Another sidecar: its epochs begin at 1. The stream of the old one ended with it."""
        self.break_the_stream()
        self.sidecar = Sidecar([permitted])

    @rule(question=st.sampled_from(QUESTIONS), lag=st.integers(0, 2))
    def ask(self, question: bytes, lag: int) -> None:
        epoch = max(1, len(self.sidecar.permits) - lag)
        self.under_way.append((question, self.sidecar.answer(question, epoch), self.time.now, self.sidecar))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def receive(self, data: st.DataObject) -> None:
        """Answers arrive in any order, even after the sidecar that gave them is gone."""
        place = data.draw(st.integers(0, len(self.under_way) - 1))
        question, answer, asked_at, sidecar = self.under_way.pop(place)
        if self.connected and sidecar is self.sidecar:
            self.told = max(self.told, answer.epoch or 0)
        self.cache.note(question, answer, asked_at=asked_at)

    @invariant()
    def no_decision_is_older_than_what_the_client_was_told(self) -> None:
        for question in QUESTIONS:
            found = self.cache.get(question)
            if found is None:
                continue
            assert found.epoch is not None
            assert self.connected
            assert found.epoch >= self.told
            assert found.allowed == (question in self.sidecar.permits[found.epoch - 1])
            assert self.time.now - self.heard_at <= SILENCE

    @invariant()
    def the_cache_is_bounded(self) -> None:
        assert len(self.cache) <= 3


TestEnforcing = Enforcing.TestCase
TestEnforcing.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
