"""How old a confirmation is, when clocks are set, stand still, and begin anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.policy.domain.freshness import Freshness

SECONDS = st.floats(0, 1e6)


def test_the_age_grows_with_the_steady_time() -> None:
    freshness = Freshness()
    freshness.see(100.0, system=103.0, steady=50.0)

    assert [freshness.age(50.0), freshness.age(57.5)] == [3.0, 10.5]


def test_a_new_confirmation_makes_it_young() -> None:
    freshness = Freshness()
    freshness.see(100.0, system=100.0, steady=50.0)

    freshness.see(160.0, system=161.0, steady=111.0)

    assert freshness.age(111.0) == 1.0


@pytest.mark.parametrize("system", [40.0, 100.0, 1_000_000.0], ids=["set back", "right", "set forward"])
def test_setting_the_clock_makes_nothing_younger(system: float) -> None:
    freshness = Freshness()
    freshness.see(100.0, system=100.0, steady=50.0)

    freshness.see(100.0, system=system, steady=90.0)

    assert freshness.age(90.0) >= 40.0


def test_a_machine_that_slept_is_noticed_by_the_other_clock() -> None:
    """The steady time stands still in a sleep; the machine's does not."""
    freshness = Freshness()
    freshness.see(100.0, system=100.0, steady=50.0)

    freshness.see(100.0, system=4000.0, steady=51.0)

    assert freshness.age(51.0) == 3900.0


def test_a_confirmation_since_the_last_look_is_no_older_than_that_look() -> None:
    """Otherwise one step of the clock between writing and reading would deny everything."""
    freshness = Freshness()
    freshness.see(100.0, system=100.0, steady=50.0)

    freshness.see(101.0, system=90_000.0, steady=52.0)

    assert freshness.age(52.0) == 2.0


def test_a_confirmation_from_the_future_is_no_reason_for_trust() -> None:
    """A machine that began with a clock of 1970 knows nothing of how old its bundle is."""
    freshness = Freshness()

    freshness.see(1_000_000.0, system=0.0, steady=1.0)

    assert freshness.age(1.0) == 1_000_000.0


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1), SECONDS)
def test_without_a_new_confirmation_the_age_never_falls(steps: list[tuple[float, float]], confirmed_at: float) -> None:
    freshness, steady, ages = Freshness(), 0.0, list[float]()
    for system, passed in steps:
        steady += passed
        freshness.see(confirmed_at, system=system, steady=steady)
        ages.append(freshness.age(steady))

    assert ages == sorted(ages)
