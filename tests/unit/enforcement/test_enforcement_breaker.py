"""The circuit breaker, as a state machine beside the shortest model of it."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from aeterna.enforcement.breaker import Breaker, Passage, State

FAILURES = 3
PAUSE = 1.0


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def broken(time: Time, changes: list[State], random: float = 0.0) -> Breaker:
    """Return a breaker that has just opened."""
    breaker = Breaker(failures=FAILURES, pause=PAUSE, clock=time, random=lambda: random, changed=changes.append)
    for _ in range(FAILURES):
        passage = breaker.enter()
        assert passage is not None
        passage.failed()
    return breaker


def test_failures_in_a_row_open_it_and_then_nothing_passes() -> None:
    changes: list[State] = []

    breaker = broken(Time(), changes)

    assert (breaker.enter(), changes) == (None, [State.OPEN])


def test_after_the_pause_exactly_one_probe_passes() -> None:
    time = Time()
    breaker = broken(time, [])
    time.now += PAUSE

    probe, second = breaker.enter(), breaker.enter()

    assert (probe is None, second, breaker.state) == (False, None, State.HALF_OPEN)


def test_a_probe_that_is_answered_closes_it() -> None:
    time = Time()
    breaker = broken(time, [])
    time.now += PAUSE
    probe = breaker.enter()
    assert probe is not None

    probe.answered()

    assert (breaker.state, breaker.enter() is None) == (State.CLOSED, False)


def test_a_probe_that_fails_opens_it_for_another_pause() -> None:
    time = Time()
    breaker = broken(time, [])
    time.now += PAUSE
    probe = breaker.enter()
    assert probe is not None

    probe.failed()
    at_once = breaker.enter()
    time.now += PAUSE

    assert (at_once, breaker.enter() is None) == (None, False)


def test_a_probe_whose_asker_went_away_leaves_room_for_another() -> None:
    time = Time()
    breaker = broken(time, [])
    time.now += PAUSE
    probe = breaker.enter()
    assert probe is not None

    probe.given_up()

    assert breaker.enter() is not None


def test_what_was_asked_before_it_opened_does_not_close_it() -> None:
    time = Time()
    breaker = Breaker(failures=1, pause=PAUSE, clock=time, random=lambda: 0.0, changed=lambda _state: None)
    early, failing = breaker.enter(), breaker.enter()
    assert early is not None
    assert failing is not None
    failing.failed()

    early.answered()

    assert breaker.state is State.OPEN


def test_an_answer_between_failures_begins_the_count_anew() -> None:
    breaker = Breaker(failures=2, pause=PAUSE, clock=Time(), random=lambda: 0.0, changed=lambda _state: None)
    for end in (Passage.failed, Passage.answered, Passage.failed):
        passage = breaker.enter()
        assert passage is not None
        end(passage)

    assert breaker.state is State.CLOSED


def test_jitter_shortens_the_pause_by_a_fifth_at_most() -> None:
    time = Time()
    breaker = broken(time, [], random=0.999)
    time.now += PAUSE * 0.79
    early = breaker.enter()
    time.now += PAUSE * 0.02

    assert (early, breaker.enter() is None) == (None, False)


class Breaking(RuleBasedStateMachine):
    """Any order of questions, ends and time."""

    def __init__(self) -> None:
        super().__init__()
        self.time = Time()
        self.states: list[State] = [State.CLOSED]
        self.breaker = Breaker(
            failures=FAILURES, pause=PAUSE, clock=self.time, random=lambda: 0.5, changed=self.states.append
        )
        self.under_way: list[tuple[Passage, int]] = []
        self.failed_in_a_row = 0
        self.opened_at = 0.0

    @rule(seconds=st.sampled_from([0.1, 0.5, 0.9, 1.0]))
    def wait(self, seconds: float) -> None:
        self.time.now += seconds

    @rule()
    def enter(self) -> None:
        before, passage = self.breaker.state, self.breaker.enter()
        due = self.time.now - self.opened_at >= PAUSE
        if before is State.CLOSED:
            assert passage is not None
        elif before is State.HALF_OPEN:
            assert passage is None
        else:
            # Within the jitter it may be either.
            assert passage is not None or not due
        if passage is not None:
            self.under_way.append((passage, len(self.states)))

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), end=st.sampled_from([Passage.answered, Passage.failed, Passage.given_up]))
    def end(self, data: st.DataObject, end: object) -> None:
        passage, turn = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        before, count = self.breaker.state, len(self.states)
        assert callable(end)
        end(passage)
        if turn != count:
            assert self.breaker.state is before
        elif before is State.HALF_OPEN:
            assert self.breaker.state is (State.CLOSED if end is Passage.answered else State.OPEN)
        elif end is Passage.failed:
            self.failed_in_a_row += 1
            assert (self.breaker.state is State.OPEN) == (self.failed_in_a_row >= FAILURES)
        elif end is Passage.answered:
            self.failed_in_a_row = 0
        if self.breaker.state is not before:
            self.failed_in_a_row = 0
            self.opened_at = self.time.now - (PAUSE if end is Passage.given_up else 0)

    @invariant()
    def every_change_is_told_and_is_a_step_of_the_machine(self) -> None:
        steps = set(zip(self.states, self.states[1:], strict=False))
        assert self.states[-1] is self.breaker.state
        assert steps <= {
            (State.CLOSED, State.OPEN),
            (State.OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.CLOSED),
            (State.HALF_OPEN, State.OPEN),
        }


TestBreaking = Breaking.TestCase
TestBreaking.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
