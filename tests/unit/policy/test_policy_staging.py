"""Pushes without an end mark become one publication: which set, when, and what is refused of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from aeterna.cedar.domain.bundle import Bundle
from aeterna.cedar.errors import BundleInvalidError
from aeterna.cedar.testing import FakeCompiler
from aeterna.policy.domain.staged_set import PUSHED_SCHEMA, StagedSet
from aeterna.policy.errors import FeedUnreachableError
from aeterna.policy.testing import FakeBundleSource, FakePublications, FakeResync
from aeterna.policy.usecases.publishing import Publisher
from aeterna.policy.usecases.pushing import PushedFeed
from aeterna.policy.usecases.staging import Settling, Staging

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

SEED = Bundle.of({"seed.cedar": "permit", "seed.cedarschema": ""})


def settled() -> Settling:
    """Return a settling of one second that has published its first set."""
    settling = Settling(1.0)
    settling.taken()
    return settling


def test_a_change_is_due_after_a_quiet_period() -> None:
    settling = settled()
    settling.policy_seen(10.0, changed=True)

    assert [settling.due_in(now) for now in (10.0, 10.6, 11.0, 12.0)] == [1.0, pytest.approx(0.4), 0.0, 0.0]


def test_every_push_begins_the_quiet_period_anew() -> None:
    settling = settled()
    settling.policy_seen(10.0, changed=True)
    settling.policy_seen(10.9, changed=False)

    assert settling.due_in(11.0) == pytest.approx(0.9)


def test_constant_pushes_cannot_keep_a_change_from_everybody() -> None:
    settling = settled()
    for tenth in range(101):
        settling.policy_seen(10.0 + tenth / 10, changed=True)

    assert settling.due_in(20.0) == 0.0


def test_what_changes_nothing_is_not_looked_at() -> None:
    settling = settled()
    settling.policy_seen(10.0, changed=False)
    settling.entities_seen(10.0, changed=False)

    assert settling.due_in(99.0) is None


@pytest.mark.parametrize("first", ["policies", "entities"])
def test_half_of_the_first_set_is_waited_for_ten_times_as_long(first: str) -> None:
    """At boot data came three seconds before policies, and policies without data would decide as wrongly."""
    settling = Settling(1.0)
    if first == "policies":
        settling.policy_seen(10.0, changed=True)
    else:
        settling.entities_seen(10.0, changed=True)

    assert settling.due_in(10.0) == 10.0


def test_the_first_set_is_due_when_both_halves_have_come() -> None:
    settling = Settling(1.0)
    settling.entities_seen(10.0, changed=True)
    settling.policy_seen(13.0, changed=True)

    assert settling.due_in(13.0) == 1.0


def test_pushes_of_policies_alone_are_published_at_last() -> None:
    settling = Settling(1.0)
    for second in range(101):
        settling.policy_seen(10.0 + second, changed=True)

    assert settling.due_in(110.0) == 0.0


@pytest.mark.parametrize("order", [("listed", "entities"), ("entities", "listed")])
def test_a_whole_push_that_changes_nothing_is_looked_at(order: tuple[str, str]) -> None:
    """It proves that what is in force is what the control plane has."""
    settling = settled()
    for part in order:
        if part == "listed":
            settling.listed(10.0)
        else:
            settling.entities_seen(10.0, changed=False)

    assert settling.due_in(11.0) == 0.0


def test_parts_from_before_the_question_make_no_whole_push() -> None:
    settling = settled()
    settling.entities_seen(10.0, changed=False)
    settling.expect_all()
    settling.listed(11.0)

    assert settling.due_in(99.0) is None


@pytest.mark.parametrize("order", [("listed", "told"), ("told", "listed")])
def test_policies_alone_are_a_whole_push_of_one_who_has_no_entities(order: tuple[str, str]) -> None:
    settling = Settling(1.0)
    settling.expect_all()
    settling.policy_seen(9.0, changed=False)
    for part in order:
        if part == "listed":
            settling.listed(10.0)
        else:
            settling.expect_no_entities(10.0)

    assert settling.due_in(10.0) == 1.0


def test_parts_that_came_far_apart_make_no_whole_push() -> None:
    settling = settled()
    settling.entities_seen(10.0, changed=False)
    settling.listed(100.0)

    assert settling.due_in(999.0) is None


def staged(**files: str) -> StagedSet:
    """Return a staged set with a schema and these policies."""
    found = StagedSet(schema=None)
    found.put("s.cedarschema", "schema")
    for name, text in files.items():
        found.put(f"{name}.cedar", text)
    return found


def test_a_renamed_policy_is_there_once() -> None:
    found = staged(old="permit")
    found.put("new.cedar", "permit")
    found.delete("old.cedar")

    assert set(found.bundle().policies) == {"new.cedar"}


def test_the_configured_schema_counts_while_none_is_pushed() -> None:
    found = StagedSet(schema="configured")
    found.put("a.cedar", "permit")
    before = found.bundle().schema
    found.put("s.cedarschema", "pushed")

    assert (before, found.bundle().schema) == ("configured", "pushed")


def test_the_configured_schema_is_no_pushed_one_after_a_restart() -> None:
    first = StagedSet(schema="old")
    first.put("a.cedar", "permit")
    second = StagedSet(schema="new")
    second.restore(first.bundle())

    assert second.bundle().schema == "new"


def test_what_was_in_force_is_what_the_next_change_is_a_change_of() -> None:
    first = staged(a="permit", b="forbid")
    first.put_entities({None: "[]", "acme": "[1]"})
    second = StagedSet(schema=None)
    second.restore(first.bundle())

    second.delete("a.cedar")

    assert second.bundle().files() == {
        "b.cedar": "forbid",
        "s.cedarschema": "schema",
        "entities.json": "[]",
        "tenants/acme/entities.json": "[1]",
    }


def test_entities_are_replaced_as_a_whole() -> None:
    found = staged(a="permit")
    found.put_entities({None: "[]", "acme": "[]"})

    changes = [found.put_entities({"acme": "[1]"}), found.put_entities({"acme": "[1]"})]

    assert changes == [True, False]
    assert found.bundle().entities == {"tenants/acme/entities.json": "[1]"}


@pytest.mark.parametrize(
    "id_", ["../a.cedar", "/a.cedar", "a\\b.cedar", "tenants/a.cedar", "tenants/../x.cedar", "a", "a.rego", "ü.cedar"]
)
def test_a_policy_that_cannot_be_taken_spoils_the_whole_set(id_: str) -> None:
    """It may be the one that forbids something: without it nothing else may take effect."""
    found = staged(a="permit")

    with pytest.raises(BundleInvalidError):
        found.put(id_, "forbid")
    with pytest.raises(BundleInvalidError, match="was pushed and not taken"):
        found.bundle()


def test_a_spoilt_set_is_whole_again_when_the_id_is_deleted() -> None:
    """OPAL's client deletes what it finds in the list and has not got: so the id is in the list."""
    found = staged(a="permit")
    found.spoil("../b.cedar", "is no path")
    listed = "../b.cedar" in found.listed()

    existed = found.delete("../b.cedar")

    assert (listed, existed, set(found.bundle().policies)) == (True, True, {"a.cedar"})


def test_pushes_without_end_do_not_fill_memory() -> None:
    staged_set, text = staged(a="permit"), "x" * (8 * 1024 * 1024)
    for number in range(7):
        staged_set.put(f"{number}.cedar", text)

    with pytest.raises(BundleInvalidError, match="no room"):
        staged_set.put("a.cedar", text)

    assert "a.cedar" in staged_set.spoilt
    assert staged_set.listed()["a.cedar"] == ""


def test_what_is_said_of_a_spoilt_id_is_short_whatever_was_pushed() -> None:
    staged_set = staged()

    staged_set.spoil("i" * 50_000, "r" * 50_000)

    assert max(map(len, (*staged_set.spoilt, *staged_set.spoilt.values()))) <= 255


def test_a_schema_of_its_own_route_is_not_listed_among_policies() -> None:
    """OPAL's client would delete it as a leftover."""
    found = staged(a="permit")
    found.put(PUSHED_SCHEMA, "schema")

    assert set(found.listed()) == {"a.cedar", "s.cedarschema"}


class Bench:
    """A staging with everything around it; time passes when a test says so, and quiet periods are short."""

    def __init__(self, *, seed: Bundle = SEED, before: Bundle | None = None) -> None:
        self.publications = FakePublications(clock=lambda: 1_000.0)
        if before is not None:
            self.publications.publish(before)
        self.published = asyncio.Event()
        self.publisher = Publisher(self.publications, FakeCompiler(), clock=lambda: 1_000.0, nudge=self.published.set)
        self.now = 0.0
        self.staging = Staging(
            self.publisher,
            schema="schema",
            seed=FakeBundleSource(seed),
            quiet=timedelta(seconds=1),
            clock=lambda: self.now,
        )
        self.staging.begin()

    async def settle(self) -> None:
        """Let everything that was pushed settle, as the loop would in time."""
        self.now += 100
        await self.staging.refresh()

    @property
    def policies(self) -> set[str]:
        """The policies in force."""
        current = self.publications.current()
        return set(self.publications.bundle(current).policies) if current is not None else set()


async def test_everything_that_was_pushed_together_is_one_epoch() -> None:
    bench = Bench(before=SEED)
    bench.staging.put_entities({None: "[]"})
    bench.staging.put_policy("a.cedar", "permit")
    bench.staging.put_policy("b.cedar", "permit")
    await bench.settle()

    current = bench.publications.current()
    assert current is not None
    assert (current.epoch, bench.policies) == (2, {"a.cedar", "b.cedar"})


async def test_a_broken_policy_among_good_ones_keeps_the_running_epoch() -> None:
    bench = Bench()
    bench.staging.put_policy("a.cedar", "permit")
    await bench.settle()
    bench.staging.put_policy("b.cedar", "permit")
    bench.staging.put_policy("broken.cedar", "")

    await bench.settle()

    state = bench.publisher.state
    assert bench.policies == {"a.cedar"}
    assert state.refusal is not None
    assert (state.refusal.code, state.refusal.reason) == ("policy.bundle_invalid", "broken.cedar: is empty")
    assert state.outcomes == {"published": 1, "refused": 1}


async def test_a_mended_policy_brings_everything_that_waited_for_it() -> None:
    bench = Bench()
    bench.staging.put_policy("a.cedar", "permit")
    bench.staging.put_policy("broken.cedar", "")
    await bench.settle()

    bench.staging.put_policy("broken.cedar", "permit")
    await bench.settle()

    assert bench.policies == {"a.cedar", "broken.cedar"}
    assert bench.publisher.state.refusal is None


async def test_deleting_everything_leaves_what_is_in_force() -> None:
    bench = Bench()
    bench.staging.put_policy("a.cedar", "permit")
    await bench.settle()

    bench.staging.delete_policy("a.cedar")
    await bench.settle()

    assert bench.policies == {"a.cedar"}
    assert bench.publisher.state.refusal is not None


async def test_the_seed_is_no_base_of_changes() -> None:
    """Nobody pushed it, so nobody would ever delete its policies."""
    bench = Bench(before=SEED)
    bench.staging.put_policy("a.cedar", "permit")
    await bench.settle()

    assert bench.policies == {"a.cedar"}


async def test_what_was_pushed_before_a_restart_is_the_base_of_changes() -> None:
    bench = Bench(before=Bundle.of({"a.cedar": "permit", "s.cedarschema": ""}))
    bench.staging.put_policy("b.cedar", "permit")
    await bench.settle()

    assert bench.policies == {"a.cedar", "b.cedar"}


async def test_it_publishes_by_itself_when_it_is_quiet() -> None:
    bench = Bench()
    running = asyncio.create_task(bench.staging.run())
    bench.staging.put_entities({None: "[]"})
    bench.staging.put_policy("a.cedar", "permit")
    bench.now = 2.0
    bench.staging.put_entities({None: "[]"})
    bench.now = 4.0
    bench.staging.policies()

    async with asyncio.timeout(10):
        while bench.policies != {"a.cedar"}:
            bench.now += 1
            bench.staging.policies()
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _whole_push(bench: Bench) -> None:
    bench.staging.put_entities({None: "[]"})
    bench.staging.put_policy("a.cedar", "permit")
    bench.staging.policies()


async def test_a_whole_push_that_changes_nothing_confirms() -> None:
    bench = Bench()
    _whole_push(bench)
    await bench.settle()

    _whole_push(bench)
    await bench.settle()

    assert bench.publisher.state.outcomes == {"published": 1, "confirmed": 1}


async def test_half_a_push_that_changes_nothing_confirms_nothing() -> None:
    """OPAL's client with a dead server still has data of its own to push."""
    bench = Bench()
    _whole_push(bench)
    await bench.settle()

    bench.staging.expect_all()
    bench.staging.put_entities({None: "[]"})
    await bench.settle()

    assert bench.publisher.state.outcomes == {"published": 1}


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the condition is of many objects, and none of them has an event
            await asyncio.sleep(0.001)


async def test_whoever_pushes_is_asked_for_everything_at_once() -> None:
    bench, resync = Bench(), FakeResync()
    feed = PushedFeed(bench.staging, bench.publisher, resync=resync, interval=timedelta(hours=1), random=lambda: 0.0)
    running = asyncio.create_task(feed.run())

    await _until(lambda: resync.asked == 1)

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_who_has_no_entities_is_not_waited_for_them() -> None:
    bench = Bench()
    feed = PushedFeed(
        bench.staging,
        bench.publisher,
        resync=FakeResync(entities=False),
        interval=timedelta(hours=1),
        random=lambda: 0.0,
    )
    await feed.refresh()
    for _ in range(2):
        bench.staging.put_policy("a.cedar", "permit")
        bench.staging.policies()
        await bench.settle()

    assert bench.publisher.state.outcomes == {"published": 1, "confirmed": 1}


async def test_a_control_plane_that_is_away_is_told_of() -> None:
    bench, resync = Bench(), FakeResync()
    resync.trouble = FeedUnreachableError("http://127.0.0.1:7766", "answered 500")
    feed = PushedFeed(bench.staging, bench.publisher, resync=resync, interval=timedelta(hours=1), random=lambda: 0.0)

    await feed.refresh()

    refusal = bench.publisher.state.refusal
    assert refusal is not None
    assert (refusal.code, bench.publisher.state.outcomes) == (resync.trouble.code, {"unreachable": 1})
