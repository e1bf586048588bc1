"""Replicas are counted by what they have, for as long as they are heard, and never without bound."""

from __future__ import annotations

from datetime import timedelta

from aeterna.policies.usecases.replicas import NONE_YET, OTHERS, Replicas


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def digest(number: int) -> str:
    """Return a digest."""
    return f"sha256:{number:064x}"


def test_a_replica_counts_for_what_it_has_now() -> None:
    replicas = Replicas(Clock(), window=timedelta(minutes=1))
    replicas.saw("a", digest(1))
    replicas.saw("a", digest(2))
    replicas.saw("b", None)

    assert replicas.by_digest() == {digest(2): 1, NONE_YET: 1}


def test_a_replica_that_is_not_heard_any_more_is_forgotten() -> None:
    clock = Clock()
    replicas = Replicas(clock, window=timedelta(minutes=1))
    replicas.saw("a", digest(1))
    clock.now = 40
    replicas.saw("b", digest(1))
    clock.now = 61

    assert replicas.current() == {"b": digest(1)}


def test_names_without_end_do_not_fill_the_memory() -> None:
    """Whoever reaches the port may invent names."""
    replicas = Replicas(Clock(), window=timedelta(minutes=1))
    for number in range(10_050):
        replicas.saw(f"r{number}", digest(1))

    assert len(replicas.current()) == 10_000


def test_digests_without_end_do_not_fill_the_metrics() -> None:
    replicas = Replicas(Clock(), window=timedelta(minutes=1))
    for number in range(30):
        replicas.saw(f"r{number}", digest(number))

    assert len(replicas.by_digest()) == 21
    assert replicas.by_digest()[OTHERS] == 10


def test_what_is_no_name_is_not_counted() -> None:
    replicas = Replicas(Clock(), window=timedelta(minutes=1))
    for name in (None, "", "a b", "x" * 129, 'a"}\nevil 1'):
        replicas.saw(name, digest(1))

    assert replicas.current() == {}
