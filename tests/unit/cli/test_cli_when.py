"""Words for a point in the graph's history."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeterna.cli.errors import TimeUnclearError
from aeterna.cli.when import point_in_history

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "point"),
    [
        ("now", "2026-11-22T15:30:00+00:00"),
        ("yesterday", "2026-11-21T23:59:59.999999+00:00"),
        ("3 hours ago", "2026-11-22T12:30:00+00:00"),
        ("2 weeks", "2026-11-08T15:30:00+00:00"),
        ("2026-11-01", "2026-11-01T23:59:59.999999+00:00"),
        ("2026-11-01T12:00:00Z", "2026-11-01T12:00:00+00:00"),
        ("2026-11-01T12:00", "2026-11-01T12:00:00+00:00"),
        ("2026-11-01 12:00+02:00", "2026-11-01T12:00:00+02:00"),
        ("1152921504606846977", "1152921504606846977"),
    ],
)
def test_a_point_is_a_snapshot_or_a_time(words: str, point: str) -> None:
    """A date without a time is the end of that day: what was known when the day was over."""
    assert point_in_history(words, NOW) == point


@pytest.mark.parametrize("words", ["before-the-import", "seq:42", "backup-20261101T060000Z", "Now.1"])
def test_what_is_no_word_for_a_time_is_a_tag_as_it_is_written(words: str) -> None:
    assert point_in_history(words, NOW) == words


@pytest.mark.parametrize("words", ["", "2026", "2026-13-01", "tomorrow maybe", "an hour ago", "١٢٣٤٥٦٧"])
def test_unclear_words_are_refused(words: str) -> None:
    with pytest.raises(TimeUnclearError):
        point_in_history(words, NOW)


@given(words=st.text(max_size=30))
def test_no_words_make_it_fail_otherwise(words: str) -> None:
    try:
        assert point_in_history(words, NOW)
    except TimeUnclearError:
        return
