"""The schedule of renewals, as laws that hold for every lease, every clock and every chance."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from aeterna.secrets.domain.moment import Moment
from aeterna.secrets.domain.secret import Grant
from aeterna.secrets.domain.term import Term, look_after_rotation, pause_after, poll_after

if TYPE_CHECKING:
    from collections.abc import Callable

START = Moment(steady=500.0, wall=1_700_000_000.0)
LIVES = st.floats(min_value=1, max_value=10**7)
CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)
EPSILON = 1e-6


def drawn(chance: float) -> Callable[[], float]:
    """Return a chance that is always the same."""
    return lambda: chance


@given(life=LIVES, chance=CHANCES, renewable=st.booleans())
def test_what_was_granted_is_due_between_half_and_two_thirds_of_its_life(
    life: float, chance: float, renewable: bool
) -> None:
    term = Term.of(Grant(ttl=life, renewable=renewable), asked=START, random=drawn(chance))

    assert life / 2 - EPSILON <= START.until(term.due) <= life * 2 / 3 + EPSILON


@given(life=LIVES, chance=CHANCES)
def test_chance_only_ever_shortens(life: float, chance: float) -> None:
    latest = Term.of(Grant(ttl=life, renewable=True), asked=START, random=drawn(0.0))
    jittered = Term.of(Grant(ttl=life, renewable=True), asked=START, random=drawn(chance))

    assert jittered.due.steady <= latest.due.steady


@given(life=LIVES, chance=CHANCES, late=st.floats(min_value=0, max_value=1), granted=st.floats(0, 2))
def test_each_renewal_moves_the_end_forward_or_is_the_last(
    life: float, chance: float, late: float, granted: float
) -> None:
    """Whatever a source grants, nobody renews the same end over and over."""
    term = Term.of(Grant(ttl=life, renewable=True), asked=START, random=drawn(chance))
    asked = START.after(life * late)

    renewed = term.renewed(Grant(ttl=life * granted, renewable=True), asked=asked, random=drawn(chance))

    assert not renewed.renewable or renewed.ends.steady > term.ends.steady


@given(life=LIVES, over=st.floats(min_value=0.01, max_value=30), seed=st.integers(0, 1000))
def test_a_lease_is_never_renewed_after_its_end_and_replaced_with_three_tenths_of_its_life_left(
    life: float, over: float, seed: int
) -> None:
    """A source with a max_ttl: renewals are few, and the replacement is due while the old one still works."""
    chance = random.Random(seed)  # noqa: S311 - a jitter
    now, last = START, START.after(life * (1 + over))
    term = Term.of(Grant(ttl=life, renewable=True), asked=now, random=chance.random)
    renewals = 0

    while term.renewable:
        assert now.before(term.due)
        now = term.due
        assert now.before(term.ends)
        granted = min(life, last.steady - now.steady)
        term = term.renewed(Grant(ttl=granted, renewable=True), asked=now, random=chance.random)
        renewals += 1

    assert renewals <= 2 * (1 + over) + 1
    assert now.until(term.ends) >= 0.3 * life - EPSILON * life


@given(failures=st.integers(0, 10**6), chance=CHANCES, told=st.none() | st.floats(min_value=0, max_value=600))
def test_a_pause_is_never_shorter_than_half_a_second_nor_than_what_the_source_asked_for(
    failures: int, chance: float, told: float | None
) -> None:
    pause = pause_after(failures, drawn(chance), told=told)

    assert pause >= max(0.5, told or 0)
    assert pause <= max(60, 1.1 * (told or 0) + 30)


@given(told=st.floats(min_value=1, max_value=600))
def test_pods_that_were_all_told_the_same_do_not_come_back_at_one_moment(told: float) -> None:
    first, last = (pause_after(1, drawn(chance), told=told) for chance in (0, 1))

    assert last - first >= 0.1 * told


@given(rotates_in=st.floats(min_value=-10, max_value=10**6), chance=CHANCES)
def test_a_rotation_is_looked_for_soon_after_it_and_never_before(rotates_in: float, chance: float) -> None:
    waits = look_after_rotation(rotates_in, drawn(chance)) - max(0, rotates_in)

    assert 1 - EPSILON <= waits <= 5 + EPSILON


@given(failures=st.integers(1, 100))
def test_pauses_grow_with_every_failure_up_to_a_minute(failures: int) -> None:
    assert pause_after(failures, drawn(0)) <= pause_after(failures + 1, drawn(0)) <= 60


@given(interval=LIVES, chance=CHANCES)
def test_polling_is_at_most_a_tenth_early_and_never_late(interval: float, chance: float) -> None:
    assert 0.9 * interval <= poll_after(interval, drawn(chance)) <= interval


@given(back=st.floats(min_value=0, max_value=10**6), life=LIVES)
def test_a_clock_that_is_set_back_prolongs_nothing(back: float, life: float) -> None:
    ends = START.after(life)
    now = Moment(steady=START.steady + life, wall=START.wall - back)

    assert not now.before(ends)


@given(life=LIVES)
def test_a_machine_that_slept_through_the_end_finds_it_past(life: float) -> None:
    """Where not even the steady clock ran on, as after a snapshot of a virtual machine."""
    ends = START.after(life)
    now = Moment(steady=START.steady, wall=START.wall + life)

    assert not now.before(ends)
    assert now.until(ends) == 0
