"""At every moment every client trusts what every service shows: whoever does the upkeep, and whatever is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeterna.contracts.injection.rights import AUTHORITY_SECRET
from aeterna.injector.domain.authority import Authority, Generation, Terms
from aeterna.injector.domain.authority_document import KEY, written
from aeterna.injector.domain.certificates import new_authority
from aeterna.injector.domain.stored import Stored
from aeterna.injector.errors import ClusterUnavailableError
from fixtures.injector_worlds import World
from fixtures.pods_for_injection import AGENTS, PLATFORM

SKEW: Final = timedelta(minutes=30)
OVERLAP: Final = timedelta(days=7)
LATE: Final = OVERLAP - 2 * SKEW
"""How late a pod may learn of a changed ConfigMap or Secret: what the overlap has to be longer than."""
TERMS: Final = Terms(namespace=PLATFORM, authority_life=timedelta(days=121), overlap=OVERLAP)
QUIET: Final = timedelta(days=30)
"""Between two losses of the authority; who loses it in the middle of its recovery has lost his certificates as well."""

HAPPENS: Final = ("lost", "garbage", "restarted", "new namespace", "unwritable", "writable")

replicas = st.integers(0, 2)
pauses = st.timedeltas(timedelta(0), timedelta(hours=6))
passes = st.tuples(st.just("pass"), replicas, st.none() | replicas)
events = st.one_of(
    passes,
    passes,
    passes,
    st.tuples(st.sampled_from(HAPPENS), replicas, st.none()),
)
steps_of_weeks = st.lists(st.tuples(pauses, events), min_size=20, max_size=60)
skews = st.tuples(*[st.sampled_from([-SKEW, timedelta(0), SKEW])] * 3)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    skews=skews,
    steps=steps_of_weeks,
    age=st.integers(40, 90),
    leaf=st.integers(0, 20),
)
def test_nobody_is_ever_shown_what_he_does_not_trust(
    skews: tuple[timedelta, ...], steps: list[tuple[timedelta, tuple[str, int, int | None]]], age: int, leaf: int
) -> None:
    world = settled_world(skews, age=age, leaf=leaf)
    lost = world.now - QUIET
    for number, (pause, (event, replica, overtaker)) in enumerate(steps):
        world.now += pause
        match event:
            case "pass":
                world.run(replica, overtaker)
            case "restarted":
                world.restart(replica)
            case "new namespace":
                world.cluster.injected.add(f"agents-{number}")
            case "unwritable" if world.now - lost >= QUIET:
                world.cluster.refusing[AGENTS] = ClusterUnavailableError("write the trust", "503")
            case "writable":
                world.cluster.refusing.clear()
            case "lost" | "garbage" if world.now - lost >= QUIET:
                lost = world.now
                world.cluster.refusing.clear()
                world.cluster.secrets.pop(AUTHORITY_SECRET, None)
                if event == "garbage":
                    world.cluster.secrets[AUTHORITY_SECRET] = Stored(entries={KEY: "{"}, version="garbage")
            case _:
                pass
        world.look()

        assert world.strangers(LATE) == []
        assert world.expired(LATE) == []


@settings(max_examples=3, deadline=None)
@given(skews=skews)
def test_over_a_year_the_authority_is_replaced_and_none_is_kept_for_ever(skews: tuple[timedelta, ...]) -> None:
    world = settled_world(skews, age=40, leaf=0)
    seen: set[str] = set()
    for day in range(365):
        world.now += timedelta(days=1)
        world.run(day % 3)
        world.look()
        assert world.strangers(LATE) == []
        assert world.expired(LATE) == []
        assert world.cluster.registration is not None
        seen.add(world.cluster.registration.hooks[0].bundle)

    assert len(seen) >= 6
    assert max(bundle.count("BEGIN") for bundle in seen) == 2


def settled_world(skews: tuple[timedelta, ...], *, age: int, leaf: int) -> World:
    """Return a world whose authority is some days old, and whose services were given their certificates days ago."""
    world = World(terms=TERMS, skews=skews)
    begun = world.now - timedelta(days=age)
    pair = new_authority(PLATFORM, now=begun, life=TERMS.authority_life)
    generation = Generation(certificate=pair.certificate, key=pair.key, published=begun)
    text = written(Authority(generations=(generation,)))
    world.cluster.secrets[AUTHORITY_SECRET] = Stored(entries={KEY: text}, version="old")
    world.now -= timedelta(days=leaf)
    world.run(0)
    world.look()
    world.now += timedelta(days=leaf)
    return world
