"""Receivers' hosts: a place for each in the dispatcher, and a pause for those that are silent."""

from __future__ import annotations

from datetime import timedelta

from aeterna.threads.usecases.hosts import Hosts


class Time:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the present moment."""
        return self.now


def hosts(clock: Time) -> Hosts:
    """Return hosts with four places each, that are left alone from the second silence on, for 10 to 40 seconds."""
    return Hosts(per_host=4, tolerance=2, shortest=timedelta(seconds=10), longest=timedelta(seconds=40), clock=clock)


def fail(known: Hosts, times: int) -> None:
    """Have attempts at a host fail, one after the other."""
    for _ in range(times):
        known.began("a:443")
        known.silent("a:443")
        known.ended("a:443")


def test_a_host_that_is_not_busy_is_not_remembered() -> None:
    known = hosts(Time())
    known.began("a:443")
    known.answered("a:443")
    known.ended("a:443")

    assert known.rooms() == {}


def test_each_attempt_takes_a_place() -> None:
    known = hosts(Time())
    for _ in range(3):
        known.began("a:443")

    assert known.rooms() == {"a:443": 1}


def test_one_silence_is_tolerated() -> None:
    known = hosts(Time())

    fail(known, 1)

    assert known.rooms() == {"a:443": 4}


def test_a_silent_host_has_no_place_until_its_pause_is_over_and_then_one() -> None:
    clock = Time()
    known = hosts(clock)
    fail(known, 2)
    during = known.rooms()

    clock.now = 10.0

    assert (during, known.rooms()) == ({"a:443": 0}, {"a:443": 1})


def test_the_pause_doubles_up_to_its_bound() -> None:
    clock = Time()
    known = hosts(clock)
    fail(known, 2000)

    clock.now = 39.9
    before = known.rooms()
    clock.now = 40.0

    assert (before, known.rooms()) == ({"a:443": 0}, {"a:443": 1})


def test_an_answer_ends_the_pause_of_the_host() -> None:
    clock = Time()
    known = hosts(clock)
    fail(known, 3)
    clock.now = 20.0
    known.began("a:443")

    known.answered("a:443")

    assert known.rooms() == {"a:443": 3}
