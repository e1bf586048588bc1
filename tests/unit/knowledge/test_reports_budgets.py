"""A tenant's models never count more tokens than its window and its day allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aeterna.knowledge.domain.budgets import DAY, WINDOW, Reservation, Spending, TokenLimits, reserved, settled

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LIMITS = TokenLimits(window=100, day=150)


def taken(spending: Spending, tokens: int, at: datetime) -> tuple[Spending, Reservation]:
    result = reserved(spending, tokens, LIMITS, at)
    assert result is not None
    return result


def test_a_window_is_full_until_the_next_one_begins_and_a_day_likewise() -> None:
    full, _ = taken(Spending(), 100, NOON)

    assert reserved(full, 1, LIMITS, NOON + WINDOW - timedelta(seconds=1)) is None
    later, _ = taken(full, 50, NOON + WINDOW)
    assert reserved(later, 1, LIMITS, NOON + 2 * WINDOW) is None
    assert reserved(later, 100, LIMITS, NOON + DAY) is not None


def test_what_was_not_used_is_given_back_to_its_own_window_alone() -> None:
    spending, reservation = taken(Spending(), 100, NOON)
    assert settled(spending, reservation, 30).window_tokens == 30
    rolled, _ = taken(spending, 10, NOON + WINDOW)

    late = settled(rolled, reservation, 0)

    assert (late.window_tokens, late.day_tokens) == (10, 10)


def test_what_was_used_beyond_the_reservation_counts() -> None:
    spending, reservation = taken(Spending(), 50, NOON)

    assert reserved(settled(spending, reservation, 100), 1, LIMITS, NOON) is None


def test_a_clock_that_goes_back_opens_no_window_again() -> None:
    full, _ = taken(Spending(), 100, NOON + WINDOW)

    assert reserved(full, 1, LIMITS, NOON) is None


@given(st.lists(st.tuples(st.integers(1, 120), st.integers(0, 120), st.integers(0, 400)), max_size=30))
def test_no_window_and_no_day_ever_holds_more_than_its_limit(calls: list[tuple[int, int, int]]) -> None:
    """Calls use at most what they reserved here; how long each takes, and what runs beside it, is drawn."""
    spending, now, open_calls = Spending(), NOON, list[tuple[Reservation, int]]()
    spent: dict[tuple[str, int], int] = {}
    for tokens, used, seconds in calls:
        now += timedelta(seconds=seconds)
        result = reserved(spending, tokens, LIMITS, now)
        if result is not None:
            spending, reservation = result
            open_calls.append((reservation, min(used, tokens)))
        if open_calls and used % 2:
            reservation, real = open_calls.pop(0)
            spending = settled(spending, reservation, real)
            for key in (("window", reservation.window), ("day", reservation.day)):
                spent[key] = spent.get(key, 0) + real
        assert spending.window_tokens <= LIMITS.window
        assert spending.day_tokens <= LIMITS.day
    for (kind, _), total in spent.items():
        assert total <= (LIMITS.window if kind == "window" else LIMITS.day)
