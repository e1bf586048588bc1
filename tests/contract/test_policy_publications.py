"""What keeps the bundle in force owes its keeper and its readers: the fake obeys as the folder does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.domain.bundle import Bundle
from aeterna.policy.adapters.state_folder import StateFolder
from aeterna.policy.testing import FakePublications

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.policy.ports import Publications


class SetClock:
    """Says what time a test says it is."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> SetClock:
    """Return a clock to be set."""
    return SetClock()


@pytest.fixture(params=["fake", "folder"])
def publications(request: pytest.FixtureRequest, clock: SetClock, tmp_path: Path) -> Publications:
    """Return each implementation, with nothing in force."""
    return FakePublications(clock=clock) if request.param == "fake" else StateFolder(tmp_path / "state", clock=clock)


def bundle(text: str = "permit") -> Bundle:
    """Return a bundle that nobody compiles."""
    return Bundle.of(
        {
            "a.cedar": text,
            "tenants/acme/b.cedar": "forbid",
            "s.cedarschema": "schema",
            "entities.json": "[]",
            "tenants/acme/entities.json": '[{"ü": 1}]',
        }
    )


def test_at_first_nothing_is_in_force(publications: Publications) -> None:
    assert publications.current() is None


def test_what_is_published_is_in_force(publications: Publications, clock: SetClock) -> None:
    published = publications.publish(bundle())

    assert publications.current() == published
    assert (published.epoch, published.digest, published.confirmed_at) == (1, bundle().digest(), clock.now)
    assert publications.bundle(published) == bundle()


def test_another_bundle_is_another_epoch(publications: Publications) -> None:
    epochs = [publications.publish(bundle(text)).epoch for text in ("one", "two", "one")]

    assert epochs == [1, 2, 3]


def test_the_same_bundle_is_confirmed_and_not_published_again(publications: Publications, clock: SetClock) -> None:
    first = publications.publish(bundle())
    clock.now += 10

    again = publications.publish(bundle())

    assert (again.epoch, again.confirmed_at) == (first.epoch, clock.now)
    assert publications.current() == again


def test_a_confirmation_changes_the_time_alone(publications: Publications, clock: SetClock) -> None:
    first = publications.publish(bundle())
    clock.now += 10

    publications.confirm()

    current = publications.current()
    assert current is not None
    assert (current.epoch, current.digest, current.confirmed_at) == (first.epoch, first.digest, clock.now)


def test_where_nothing_is_in_force_there_is_nothing_to_confirm(publications: Publications) -> None:
    publications.confirm()

    assert publications.current() is None


def test_a_reader_that_is_one_publication_behind_still_finds_its_bundle(publications: Publications) -> None:
    first = publications.publish(bundle("one"))
    publications.publish(bundle("two"))

    assert publications.bundle(first) == bundle("one")
