"""The life of the sidecar: it begins with a login, says when it is ready, and ends with everything given back."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from aeterna.secrets.errors import RenderError, SecretNotReadyError
from aeterna.secrets.usecases.living import Life
from fixtures.secret_worlds import LEASED, POLLED, SecretWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aeterna.secrets.domain.secret import Secret
    from aeterna.secrets.ports import Wiping

pytestmark = pytest.mark.anyio

SOON = timedelta(seconds=10)


def life_of(
    world: SecretWorld,
    *,
    within: timedelta = SOON,
    wiping: Wiping | None = None,
    failed: Callable[[], None] = lambda: None,
) -> Life:
    """Return the life of a world."""
    return Life(
        [world.keeper],
        world.handover,
        holdings=world.holdings,
        wiping=wiping or world.recipient,
        revoke_timeout=within,
        failed=failed,
    )


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is others' state
            await asyncio.sleep(0.005)


async def test_it_is_ready_when_everything_was_handed_over() -> None:
    world = SecretWorld({"database": LEASED, "api": POLLED})
    life = life_of(world)
    with pytest.raises(SecretNotReadyError):
        await life.ready()

    life.begin()
    await until(lambda: world.handover.complete)

    await life.ready()
    await life.end()


async def test_it_is_not_ready_while_nobody_takes_what_is_there() -> None:
    world = SecretWorld({"api": POLLED})
    world.recipient.trouble = RenderError("app.ini", "is wrong")
    life = life_of(world)
    life.begin()
    await until(lambda: not world.holdings.missing and world.counts.failures["files", "secrets.render_failed"] > 0)

    with pytest.raises(SecretNotReadyError):
        await life.ready()
    await life.end()


async def test_at_its_end_the_files_go_before_the_leases() -> None:
    """What is local cannot fail; a source may take its time."""
    world = SecretWorld({"database": LEASED})
    lent_while_wiping: list[set[str]] = []

    class Watching:
        """Sees which leases there are when the files go."""

        async def end(self) -> None:
            """See `Wiping.end`."""
            lent_while_wiping.append(world.source.lent())

    life = life_of(world, wiping=Watching())
    life.begin()
    await until(lambda: world.handover.complete)
    users = world.users()

    await life.end()

    assert lent_while_wiping == [users]
    assert world.source.lent() == set()
    assert world.holdings.current() == {}


async def test_a_source_that_does_not_answer_is_not_waited_for() -> None:
    answered = threading.Event()
    world = SecretWorld({"database": LEASED})
    life = life_of(world, within=timedelta(seconds=0.05))
    life.begin()
    await until(lambda: world.handover.complete)
    world.source.hold_up(answered)

    with capture_logs() as logs:
        await life.end()
    answered.set()

    assert world.recipient.ended
    assert [line["event"] for line in logs] == ["secrets.not_given_back"]


async def test_a_source_that_does_not_answer_keeps_no_other_from_getting_everything_back() -> None:
    answered = threading.Event()
    hung, well = SecretWorld({"database": LEASED}), SecretWorld({"database": LEASED})
    life = Life(
        [hung.keeper, well.keeper],
        well.handover,
        holdings=well.holdings,
        wiping=well.recipient,
        revoke_timeout=timedelta(seconds=0.2),
        failed=lambda: None,
    )
    hung.source.hold_up(answered, call="fetch")
    life.begin()
    await until(lambda: well.handover.complete and "fetch database/creds/app" in hung.source.calls)

    await life.end()
    answered.set()

    assert well.source.logins() == 0


async def test_a_path_that_is_not_answered_does_not_keep_its_source_from_getting_everything_back() -> None:
    answered = threading.Event()
    world = SecretWorld({"database": LEASED, "api": POLLED})
    world.source.hold_up(answered, call="fetch app/api")
    life = life_of(world, within=timedelta(seconds=0.2))
    life.begin()
    await until(lambda: "fetch app/api" in world.source.calls and bool(world.source.lent()))

    with capture_logs() as logs:
        await life.end()
    answered.set()

    assert world.source.logins() == 0
    assert world.source.lent() == set()
    assert {"event": "secrets.not_given_back", "source": "vault", "log_level": "warning"} in logs


async def test_a_part_that_breaks_has_the_process_end_and_says_only_what_kind_of_failure_it_was() -> None:
    broken = asyncio.Event()

    class Broken:
        """A recipient with a mistake in it."""

        async def hand_over(self, held: Mapping[str, Secret], changed: frozenset[str]) -> None:
            """Fail with a value in the message."""
            del changed
            raise ValueError(held["api"].fields["key"])

        async def withdraw(self, names: frozenset[str]) -> None:
            """Do nothing."""

    world = SecretWorld({"api": POLLED}, recipient=Broken())
    life = life_of(world, failed=broken.set)
    with capture_logs() as logs:
        life.begin()
        await asyncio.wait_for(broken.wait(), 10)
        await life.end()

    assert [line for line in logs if line["event"] == "secrets.failed"] == [
        {"event": "secrets.failed", "log_level": "critical", "kind": "ExceptionGroup"}
    ]
