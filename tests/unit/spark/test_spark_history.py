"""Expiry leaves what says which sessions a snapshot has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aeterna.spark.domain.history import TableSnapshot, expirable_before

LATE = datetime(2030, 1, 1, tzinfo=UTC)


def chain(*stamped: bool) -> list[TableSnapshot]:
    """Return a history: snapshot n was committed n milliseconds after 1970."""
    return [
        TableSnapshot(id=number, parent=number - 1 or None, committed_ms=number, stamped=has)
        for number, has in enumerate(stamped, start=1)
    ]


def at(milliseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def test_what_is_asked_for_is_done_when_every_ref_has_a_summary_of_its_own() -> None:
    assert expirable_before(chain(True, False, True), [3], LATE) == LATE


def test_the_ancestor_whose_summary_is_inherited_stays() -> None:
    assert expirable_before(chain(True, True, False, False), [4], LATE) == at(2)


def test_a_tag_on_a_snapshot_of_sparks_keeps_its_ancestor_too() -> None:
    assert expirable_before(chain(True, False, True, True), [4, 2], LATE) == at(1)


def test_an_earlier_time_that_is_asked_for_wins() -> None:
    assert expirable_before(chain(True, True, False), [3], at(1)) == at(1)


def test_a_table_that_has_no_summary_at_all_is_none_of_ours_to_keep() -> None:
    assert expirable_before(chain(False, False), [2], LATE) == LATE
