"""When a part of a source, or of what takes the secrets, misbehaves for long: all the other parts go on."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from aeterna.secrets.domain.secret import Grant, Reference
from aeterna.secrets.errors import (
    AccessDeniedError,
    LeaseLostError,
    RenderError,
    SourceFaultError,
    SourceUnavailableError,
)
from aeterna.secrets.usecases import calling
from fixtures.secret_worlds import LEASED, POLLED, SecretWorld

pytestmark = pytest.mark.anyio

HOUR = 3600.0
HANGING = replace(LEASED, reference=Reference(path="database/creds/hanging", engine="dynamic"))
LONG = Grant(ttl=1000 * HOUR, renewable=True)


async def test_a_path_that_is_never_answered_keeps_neither_the_login_nor_other_secrets_from_their_renewal() -> None:
    """As when Vault waits for one database that is away, while all else of it is well."""
    world = SecretWorld({"slow": HANGING, "database": LEASED}, login=Grant(ttl=HOUR, renewable=True))
    world.source.unanswered.add("database/creds/hanging")
    await world.pass_(60)
    users = world.users()

    await world.pass_(10 * HOUR)

    assert world.users() == users != set()
    assert world.counts.done["vault", "login"] == 1
    assert world.counts.withdrawals.total() == 0


async def test_a_path_that_is_never_answered_is_asked_less_and_less() -> None:
    world = SecretWorld({"slow": HANGING, "database": LEASED}, login=LONG)
    world.source.unanswered.add("database/creds/hanging")

    await world.pass_(HOUR)

    assert world.source.calls.count("fetch database/creds/hanging") <= 150


async def test_a_lease_that_no_policy_lets_renew_is_replaced_before_it_ends() -> None:
    world = SecretWorld({"database": LEASED}, login=LONG)
    await world.settle()
    first = world.users()
    world.source.unrenewed = AccessDeniedError("PUT sys/leases/renew")

    await world.pass_(HOUR)

    assert first.isdisjoint(world.users())
    assert world.users() <= world.source.lent()
    assert world.counts.withdrawals.total() == 0


async def test_a_forgotten_lease_whose_database_is_away_is_neither_asked_for_in_a_loop_nor_given_up() -> None:
    world = SecretWorld({"database": LEASED}, login=LONG)
    await world.settle()
    first = world.users()
    world.source.end_lease(*first)
    world.source.faulty.add("database/creds/app")
    await world.pass_(0.7 * HOUR)
    world.source.faulty.clear()

    await world.pass_(0.1 * HOUR)

    assert first.isdisjoint(world.users())
    assert world.users() <= world.source.lent()
    assert world.counts.withdrawals.total() == 0


async def test_a_lease_that_its_source_falsely_calls_lost_is_given_back_once_it_was_replaced() -> None:
    """Vault says 400 of a lease that is gone, and of one that its database could not prolong."""
    world = SecretWorld({"database": LEASED}, login=LONG)
    await world.settle()
    first = world.users()
    world.source.unrenewed = LeaseLostError()

    await world.pass_(0.75 * HOUR)

    assert world.users().isdisjoint(first)
    assert world.source.lent() == world.users()


async def test_a_login_that_cannot_be_prolonged_for_a_while_stays_in_use_until_there_is_another() -> None:
    """As while a Vault has no leader, and answers everything about tokens with 500."""
    world = SecretWorld({"database": LEASED}, login=Grant(ttl=HOUR, renewable=True))
    await world.settle()
    first = world.users()
    world.source.unrenewed = SourceFaultError(500)
    world.source.login_trouble = SourceFaultError(500)
    world.source.faulty.add("database/creds/app")
    await world.pass_(0.7 * HOUR)
    during = world.logins.current
    world.source.unrenewed = world.source.login_trouble = None
    world.source.faulty.clear()

    await world.pass_(0.2 * HOUR)

    assert during is not None
    assert world.users() == first
    assert world.counts.done["vault", "login"] == 1


@pytest.mark.parametrize("uses", [0, 1])
async def test_logins_that_end_as_soon_as_they_begin_are_made_less_and_less(uses: int) -> None:
    """As those of a role with few ``token_num_uses``, or behind an address that leads to two clusters by turns."""
    world = SecretWorld({"database": LEASED, "api": POLLED}, login=LONG)
    world.source.login_uses = uses

    await world.pass_(HOUR)

    assert 1 < world.source.calls.count("log_in") <= 150


async def test_a_login_that_no_policy_lets_renew_is_given_back_once_it_was_replaced() -> None:
    world = SecretWorld({"database": LEASED}, login=Grant(ttl=HOUR, renewable=True))
    await world.settle()
    world.source.unrenewed = AccessDeniedError("the renewal of the login")

    await world.pass_(0.9 * HOUR)

    assert world.source.logins() == 1
    assert world.counts.withdrawals.total() == 0


async def test_what_a_source_forgot_is_kept_no_longer_than_its_term_by_whoever_cannot_take_another() -> None:
    world = SecretWorld({"database": LEASED}, login=LONG)
    await world.settle()
    first = world.users()
    world.source.end_lease(*first)
    world.recipient.behind.add("database")

    await world.pass_(2 * HOUR)

    assert first.isdisjoint(world.users())


async def test_a_file_that_cannot_be_made_takes_nothing_away_of_a_secret_that_was_taken() -> None:
    world = SecretWorld({"database": LEASED, "api": POLLED}, login=LONG)
    await world.settle()
    world.recipient.behind.add("api")
    world.source.values["app/api"] = {"key": "two"}

    await world.pass_(50 * HOUR)

    assert world.users() <= world.source.lent()
    assert world.counts.withdrawals.total() == 0
    assert len(world.source.lent()) == 1
    assert world.handover.complete


async def test_what_changes_while_another_change_is_refused_does_not_wait_for_that_to_be_tried_again() -> None:
    world = SecretWorld({"database": LEASED, "api": POLLED})
    world.recipient.trouble = RenderError("app.ini", "is wrong")
    await world.keeper.step()
    await world.keeper.step()
    running = asyncio.ensure_future(world.handover.run())
    async with asyncio.timeout(10):
        while world.counts.failures["files", "secrets.render_failed"] < 4:
            # Before the fourth are seven seconds of pauses: only further changes lead to a further try so soon.
            world.handover.changed("database")
            await asyncio.sleep(0.01)
    world.recipient.trouble = None

    world.handover.changed("database")

    async with asyncio.timeout(5):
        while not world.users():  # noqa: ASYNC110 - what is waited for is others' state
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_call_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "_LONGEST_SECONDS", 0.05)
    never = threading.Event()

    with pytest.raises(SourceUnavailableError, match="does not end"):
        await calling.call(never.wait)

    never.set()


async def test_what_a_call_raises_is_raised_where_it_is_waited_for() -> None:
    def denied() -> None:
        raise AccessDeniedError("this")

    with pytest.raises(AccessDeniedError):
        await calling.call(denied)
