"""What was read lately is shared, bounded by its bytes, and forgotten when it must be."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from aeterna.graph.errors import StorageError
from aeterna.graph.usecases.recent_reads import RecentReads


class Value:
    """Something that takes room."""

    def __init__(self, size: int) -> None:
        self.size = size


def _get(reads: RecentReads, *key: object, size: int = 1) -> Value:
    return reads.get(key, lambda: Value(size), lambda value: value.size)


def test_those_who_ask_at_a_time_share_one_reading() -> None:
    reads, loads, together = RecentReads(100), list[Value](), Barrier(4)

    def load() -> Value:
        loads.append(Value(1))
        return loads[-1]

    def ask(_: int) -> Value:
        together.wait()
        return reads.get(("a",), load, lambda value: value.size)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == loads * 4


def test_the_least_recently_used_makes_room() -> None:
    reads = RecentReads(100)
    kept = [_get(reads, number, size=25) for number in range(4)]
    _get(reads, 0)
    _get(reads, "new", size=25)

    assert _get(reads, 0) is kept[0]
    assert _get(reads, 1) is not kept[1]


def test_what_is_too_large_to_keep_is_shared_for_as_long_as_somebody_holds_it() -> None:
    reads = RecentReads(100)
    large = _get(reads, "large", size=90)

    assert _get(reads, "large") is large
    del large
    assert _get(reads, "large").size == 1


def test_what_begins_so_is_forgotten_and_nothing_else() -> None:
    reads = RecentReads(100)
    theirs, ours, large = (
        _get(reads, "x", "umbrella", 1),
        _get(reads, "x", "acme", 1),
        _get(reads, "x", "umbrella", 2, size=90),
    )

    reads.forget("x", "umbrella")

    assert _get(reads, "x", "umbrella", 1) is not theirs
    assert _get(reads, "x", "umbrella", 2) is not large
    assert _get(reads, "x", "acme", 1) is ours


def test_after_a_failure_the_next_one_who_asks_tries_again() -> None:
    reads = RecentReads(100)

    def fail() -> Value:
        raise StorageError("read the changes", "gone")

    with pytest.raises(StorageError):
        reads.get(("a",), fail, lambda value: value.size)

    assert _get(reads, "a").size == 1
