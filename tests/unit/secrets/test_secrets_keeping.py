"""What keeps a source's secrets: it renews, replaces and survives, and never lets anybody use what has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aeterna.secrets.domain.secret import Grant
from aeterna.secrets.errors import (
    RenderError,
    SecretNotReadyError,
    SecretUnknownError,
    SecretWithdrawnError,
    SourceUnavailableError,
)
from fixtures.secret_worlds import LEASED, POLLED, SecretWorld

pytestmark = pytest.mark.anyio

HOUR = 3600.0
SEALED = SourceUnavailableError("is sealed")


async def leased(*, login: Grant | None = None) -> SecretWorld:
    """Return a world in which a database user was handed over."""
    world = SecretWorld({"database": LEASED}, login=login or Grant(ttl=10 * HOUR, renewable=True))
    world.source.login_max_ttl = 1000 * HOUR
    await world.settle()
    assert world.users()
    return world


async def polled() -> SecretWorld:
    """Return a world in which a key was handed over."""
    world = SecretWorld({"api": POLLED})
    await world.settle()
    assert world.recipient.has["api"].fields["key"] == "one"
    return world


async def test_nothing_is_ready_before_the_first_fetch() -> None:
    world = SecretWorld({"database": LEASED})

    with pytest.raises(SecretNotReadyError):
        world.holdings.read("database")
    assert not world.handover.complete


async def test_a_name_that_nobody_declared_is_unknown() -> None:
    world = SecretWorld({"database": LEASED})

    with pytest.raises(SecretUnknownError):
        world.holdings.read("other")


async def test_it_is_complete_when_every_secret_was_fetched_and_handed_over() -> None:
    world = SecretWorld({"database": LEASED, "api": POLLED})
    await world.keeper.step()
    await world.keeper.step()
    await world.keeper.step()
    assert not world.holdings.missing
    before = world.handover.complete
    await world.handover.deliver()

    assert (before, world.handover.complete) == (False, True)


async def test_a_lease_is_renewed_and_its_user_stays_the_same() -> None:
    world = await leased()
    users = world.users()

    await world.pass_(10 * HOUR)

    assert world.users() == users
    assert world.counts.done["vault", "fetch"] == 1
    assert world.counts.done["vault", "lease_renewal"] >= 15


async def test_before_its_last_moment_a_user_is_replaced_by_another_while_both_still_work() -> None:
    world = await leased()
    first = world.users()

    await world.pass_(24 * HOUR - 1)

    assert not world.users() & first
    assert world.recipient.handed == [frozenset({"database"})] * 2


async def test_the_one_before_is_revoked_after_its_grace_and_not_sooner() -> None:
    world = await leased()
    first = world.users()
    while world.users() == first:
        await world.pass_(10)

    await world.pass_(30)
    during = world.source.lent()
    await world.pass_(60)

    assert first < during
    assert world.source.lent() == world.users()
    assert world.source.revoked == list(first)


async def test_the_one_before_is_not_revoked_while_nobody_took_its_successor() -> None:
    """Whoever still uses it must not lose it because a template is wrong."""
    world = await leased()
    first = world.users()
    world.recipient.trouble = RenderError("app.ini", "is wrong")
    while world.counts.done["vault", "fetch"] == 1:
        await world.pass_(60)

    await world.pass_(300)

    assert first < world.source.lent()
    assert world.users() == first


async def test_a_lease_that_cannot_be_renewed_is_replaced_with_a_third_of_it_left() -> None:
    world = SecretWorld({"database": LEASED})
    world.source.renewable = False
    await world.settle()
    first = world.users()

    await world.pass_(2 * HOUR / 3 + 1)

    assert first.isdisjoint(world.users())
    assert not [call for call in world.source.calls if call.startswith("renew database")]


async def test_a_lease_that_the_source_forgot_is_replaced_at_once() -> None:
    world = await leased()
    first = world.users()
    world.source.end_lease(*first)

    await world.pass_(0.7 * HOUR)

    assert world.users() == world.source.lent()


async def test_while_a_source_is_sealed_what_is_held_is_served_to_its_end_and_not_a_second_longer() -> None:
    world = await leased()
    world.source.trouble = SEALED

    await world.pass_(HOUR - 1)
    held = world.users()
    await world.pass_(1)

    assert held
    assert not world.users()
    with pytest.raises(SecretWithdrawnError):
        world.holdings.read("database")
    assert world.counts.withdrawals["database"] == 1
    assert not world.handover.complete


async def test_a_source_that_comes_back_in_time_is_as_if_it_had_never_been_away() -> None:
    world = await leased()
    first = world.users()
    world.source.trouble = SEALED
    await world.pass_(HOUR - 70)

    world.source.trouble = None
    await world.pass_(HOUR)

    assert world.users() == first == world.source.lent()
    assert world.counts.withdrawals.total() == 0


async def test_a_source_that_comes_back_too_late_gives_another() -> None:
    world = await leased()
    world.source.trouble = SEALED
    await world.pass_(2 * HOUR)

    world.source.trouble = None
    await world.pass_(61)

    assert world.users() == world.source.lent() != set()
    assert world.handover.complete


async def test_a_source_that_is_away_is_asked_less_and_less() -> None:
    world = await leased()
    world.source.trouble = SEALED
    asked = len(world.source.calls)

    await world.pass_(HOUR)

    assert 20 <= len(world.source.calls) - asked <= 80


async def test_a_source_is_left_alone_for_as_long_as_it_asked_for() -> None:
    world = SecretWorld({"database": LEASED})
    world.source.trouble = SourceUnavailableError("has too much to do", retry_after=120)
    await world.settle()

    await world.pass_(119)

    assert world.source.calls == ["log_in"]


async def test_a_failure_at_one_secret_does_not_keep_the_others_waiting() -> None:
    """As when one database is away, and the source with it cannot make a user there."""
    world = SecretWorld({"database": LEASED, "api": POLLED})
    world.source.faulty.add("database/creds/app")

    await world.pass_(60)

    assert world.recipient.has.keys() == {"api"}
    assert world.counts.failures["vault", "secrets.source_fault"] >= 5


async def test_a_login_is_renewed_and_what_hangs_on_it_stays() -> None:
    world = await leased(login=Grant(ttl=HOUR, renewable=True))
    first = world.users()

    await world.pass_(20 * HOUR)

    assert world.users() == first
    assert world.counts.done["vault", "login"] == 1


async def test_what_hangs_on_a_login_is_replaced_before_the_login_ends() -> None:
    """A source ends with a login every lease that was had by it, however long its own term still is."""
    world = await leased(login=Grant(ttl=HOUR, renewable=False))
    first = world.users()

    await world.pass_(0.9 * HOUR)
    both = world.users(), world.source.logins()
    await world.pass_(0.2 * HOUR)

    assert first.isdisjoint(both[0])
    assert world.users() <= world.source.lent()


async def test_a_login_that_was_replaced_is_not_ended_while_nobody_took_what_replaces_its_leases() -> None:
    """Its end would take from under the application what that still uses."""
    world = await leased(login=Grant(ttl=HOUR, renewable=False))
    first = world.users()
    world.recipient.trouble = RenderError("app.ini", "is wrong")

    await world.pass_(HOUR - 1)

    assert world.counts.done["vault", "login"] == 2
    assert first <= world.source.lent()


async def test_what_ended_is_taken_away_even_if_nobody_took_what_replaces_it() -> None:
    world = await leased(login=Grant(ttl=HOUR, renewable=False))
    world.recipient.trouble = RenderError("app.ini", "is wrong")
    await world.pass_(HOUR - 1)
    before = world.users()

    await world.pass_(1)
    after = world.users()
    world.recipient.trouble = None
    await world.pass_(61)

    assert before
    assert not after
    assert world.users() <= world.source.lent()
    assert world.handover.complete


async def test_a_login_that_was_replaced_is_ended_when_nothing_hangs_on_it() -> None:
    world = await leased(login=Grant(ttl=HOUR, renewable=False))
    world.source.login = Grant(ttl=1000 * HOUR, renewable=True)

    await world.pass_(0.8 * HOUR)

    assert world.source.logins() == 1
    assert world.source.lent() == world.users()


async def test_while_a_source_is_sealed_nothing_is_served_beyond_the_end_of_its_login() -> None:
    world = await leased(login=Grant(ttl=HOUR / 2, renewable=True))
    world.source.trouble = SEALED

    await world.pass_(HOUR / 2)

    assert not world.users()


async def test_a_login_that_somebody_revoked_is_made_anew_and_its_leases_too() -> None:
    world = await leased()
    world.source.forget_logins()

    await world.pass_(0.7 * HOUR)

    assert world.users() == world.source.lent() != set()


async def test_a_policy_that_forbids_a_secret_does_not_have_it_log_in_over_and_over() -> None:
    world = SecretWorld({"database": LEASED})
    world.source.denied.add("database/creds/app")

    await world.pass_(HOUR)

    assert world.source.calls.count("log_in") == 1
    assert len(world.source.calls) < 200


async def test_a_login_that_is_refused_is_tried_again_with_pauses() -> None:
    world = SecretWorld({"database": LEASED})
    world.source.trouble = SEALED
    await world.pass_(600)
    world.source.trouble = None

    await world.pass_(61)

    assert world.handover.complete


async def test_a_value_is_handed_over_again_only_when_it_changed() -> None:
    world = await polled()
    await world.pass_(300)
    unchanged = len(world.recipient.handed)

    world.source.values["app/api"] = {"key": "two"}
    await world.pass_(30)

    assert unchanged == 1
    assert world.recipient.has["api"].fields["key"] == "two"


async def test_a_value_that_was_deleted_is_taken_away() -> None:
    world = await polled()
    del world.source.values["app/api"]

    await world.pass_(30)

    assert world.recipient.has == {}
    with pytest.raises(SecretWithdrawnError):
        world.holdings.read("api")


async def test_a_value_without_an_end_is_served_for_as_long_as_its_source_is_away() -> None:
    world = await polled()
    world.source.trouble = SEALED

    await world.pass_(6 * HOUR)

    assert world.recipient.has["api"].fields["key"] == "one"


async def test_a_value_that_may_be_kept_for_an_hour_goes_after_an_hour_without_its_source() -> None:
    world = SecretWorld({"api": replace(POLLED, keep=timedelta(hours=1))})
    await world.pass_(HOUR)
    held = set(world.recipient.has)
    world.source.trouble = SEALED

    await world.pass_(HOUR)

    assert held == {"api"}
    assert world.recipient.has == {}


async def test_a_clock_that_is_set_forward_gives_no_second_more_and_another_is_fetched() -> None:
    world = await leased()
    first = world.users()
    world.time.set_wall(30 * 24 * HOUR)

    await world.pass_(5)

    assert first.isdisjoint(world.users())
    assert world.handover.complete


async def test_a_clock_that_is_set_back_changes_nothing() -> None:
    world = await leased()
    first = world.users()
    world.time.set_wall(-30 * 24 * HOUR)

    await world.pass_(10 * HOUR)

    assert world.users() == first
    assert world.source.lent() == first


async def test_at_the_end_every_login_is_ended_and_every_lease_with_it() -> None:
    world = await leased()

    await world.keeper.give_back()

    assert world.source.lent() == set()
    assert world.source.logins() == 0
