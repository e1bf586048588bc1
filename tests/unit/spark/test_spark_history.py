"""Expiry leaves what says which sessions a snapshot has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aeterna.spark.domain.history import TableSnapshot, expirable_before, restamp

LATE = datetime(2030, 1, 1, tzinfo=UTC)


def chain(*stamped: bool) -> list[TableSnapshot]:
    """Return a history: snapshot n was committed n milliseconds after 1970."""
    return [
        TableSnapshot(
            id=number,
            parent=number - 1 or None,
            committed_ms=number,
            operation="replace",
            summary=summary(number) if has else {},
        )
        for number, has in enumerate(stamped, start=1)
    ]


def summary(number: int) -> dict[str, str]:
    """Return the summary of a snapshot of ours that holds one session."""
    return {
        "aeterna.batch": f"b{number}",
        "aeterna.sessions": "mark",
        "aeterna.first-seq": str(number),
        "aeterna.last-seq": str(number),
        "aeterna.committed-us": f"{number}000",
        "aeterna.floor": "0",
        "aeterna.epoch": "3",
    }


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


@pytest.mark.parametrize(
    ("operation", "noted", "floor"),
    [("replace", {}, 0), ("overwrite", {"aeterna.floor": "1"}, 1), ("overwrite", {}, 2)],
    ids=["rows only moved", "deleted and said up to where", "deleted and said nothing"],
)
def test_the_floor_rises_as_far_as_rows_may_be_gone(operation: str, noted: dict[str, str], floor: int) -> None:
    before, (_, _, last) = chain(True, True, False)[:2], chain(True, True, False)
    spark = replace(last, operation=operation, summary=noted)

    found = restamp([*before, spark], 3)

    assert found is not None
    assert found["aeterna.floor"] == str(floor)


def test_a_head_of_sparks_is_given_the_place_in_history_that_it_inherits() -> None:
    assert restamp(chain(True, True, False, False), 4) == {
        "aeterna.batch": "spark-4",
        "aeterna.first-seq": "3",
        "aeterna.last-seq": "2",
        "aeterna.committed-us": "2000",
        "aeterna.floor": "0",
        "aeterna.epoch": "3",
    }


def test_a_head_of_ours_needs_no_other_summary() -> None:
    assert restamp(chain(True, False, True), 3) is None


def test_a_table_without_a_head_or_without_any_summary_is_left_alone() -> None:
    assert (restamp([], None), restamp(chain(False, False), 2)) == (None, None)
