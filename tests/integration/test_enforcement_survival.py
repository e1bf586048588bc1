"""Real sidecars that are killed, stopped and fed while they are asked: refusals, and never a wrong permit."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil
import pytest

from aeterna.enforcement import ClientOptions, DecisionClient, DecisionUnavailableError
from aeterna.enforcement.breaker import State
from fixtures.scripted_point import question, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio

GRANTED = question("graph.read")
NEVER = question("graph.write")
OPTIONS = ClientOptions(
    timeout=timedelta(seconds=2),
    ttl=timedelta(seconds=30),
    failures=3,
    pause=timedelta(seconds=0.1),
)


async def started(folder: Path, bundle: Path) -> asyncio.subprocess.Process:
    """Return a sidecar that listens."""
    socket = folder / "s"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AETERNA_")} | {
        "AETERNA_POLICY_SOCKET": str(socket),
        "AETERNA_POLICY_BUNDLE": str(bundle),
        "AETERNA_POLICY_REFRESH_INTERVAL": "3600",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "aeterna.policy", env=environment, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b'"service.listening"' not in await process.stderr.readline():
            assert process.returncode is None
    return process


async def ended(process: asyncio.subprocess.Process, number: signal.Signals = signal.SIGKILL) -> None:
    """Kill the process if it still is there."""
    if process.returncode is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(number)
    # Read to the end, so that nobody waits for room in the pipe.
    await process.communicate()


def revoke(bundle: Path) -> None:
    """Take from readers what they were granted."""
    policies = bundle / "aeterna.cedar"
    policies.write_text(policies.read_text().replace('Role::"reader"', 'Role::"nobody"'))


class Load:
    """Several askers at once, who note what they are told in the order in which they are told it."""

    def __init__(self, client: DecisionClient) -> None:
        self._client = client
        self.told: list[str] = []
        self.wrong = 0

    async def ask(self) -> None:
        """Ask for ever."""
        while True:
            try:
                granted = await self._client.evaluation(GRANTED)
                self.told.append("permit" if granted.allowed else "deny")
                self.wrong += (await self._client.evaluation(NEVER)).allowed
            except DecisionUnavailableError:
                self.told.append("unavailable")
            await asyncio.sleep(0)

    async def told_more(self, what: str, times: int = 3) -> None:
        """Return when somebody was told this several times from now on."""
        before = self.told.count(what)
        await until(lambda: self.told.count(what) >= before + times, seconds=30)


@contextlib.asynccontextmanager
async def under_load(folder: Path, options: ClientOptions = OPTIONS) -> AsyncGenerator[tuple[Load, DecisionClient]]:
    """Ask all the time, and see that everybody was told the truth and that nothing is left over."""
    descriptors = psutil.Process().num_fds()
    async with DecisionClient(f"unix:{folder / 's'}", options=options) as client:
        load = Load(client)
        askers = [asyncio.create_task(load.ask()) for _ in range(8)]
        try:
            yield load, client
        finally:
            for asker in askers:
                asker.cancel()
            await asyncio.gather(*askers, return_exceptions=True)
    await until(lambda: psutil.Process().num_fds() <= descriptors)
    assert load.wrong == 0


async def test_a_sidecar_that_is_killed_and_started_again_gives_refusals_between_and_no_old_permit_after(
    tmp_path: Path, bundle_folder: Path
) -> None:
    """It comes back with other policies and with the same epoch: what was remembered must not survive that."""
    process = await started(tmp_path, bundle_folder)
    try:
        async with under_load(tmp_path) as (load, client):
            await until(lambda: client.remembering)
            await load.told_more("permit", times=100)
            await ended(process)
            await load.told_more("unavailable")
            revoke(bundle_folder)
            process = await started(tmp_path, bundle_folder)
            await load.told_more("deny", times=100)
            recovered = client.circuit
    finally:
        await ended(process)

    assert "permit" not in load.told[load.told.index("deny") :]
    assert "permit" not in load.told[load.told.index("unavailable") :]
    assert recovered is State.CLOSED


async def test_a_grant_that_is_revoked_under_load_is_denied_to_everybody_at_once(
    tmp_path: Path, bundle_folder: Path
) -> None:
    """The time to live is half a minute: it is the new epoch that empties the memory."""
    process = await started(tmp_path, bundle_folder)
    try:
        async with under_load(tmp_path) as (load, client):
            await until(lambda: client.holds(GRANTED))
            revoke(bundle_folder)
            process.send_signal(signal.SIGHUP)
            await load.told_more("deny", times=100)
            await until(lambda: client.holds(GRANTED))
            await load.told_more("deny", times=100)
    finally:
        await ended(process)

    assert "permit" not in load.told[load.told.index("deny") :]
    assert "unavailable" not in load.told


async def test_a_sidecar_that_stands_still_is_late_and_then_not_asked_until_it_moves_again(
    tmp_path: Path, bundle_folder: Path
) -> None:
    options = ClientOptions(
        timeout=timedelta(seconds=0.3),
        ttl=timedelta(seconds=30),
        silence=timedelta(seconds=6),
        failures=3,
        pause=timedelta(seconds=0.2),
    )
    process = await started(tmp_path, bundle_folder)
    try:
        async with under_load(tmp_path, options) as (load, client):
            await until(lambda: client.holds(GRANTED))
            process.send_signal(signal.SIGSTOP)
            # What is remembered is given for no longer than the silence; what is not, is refused at once.
            await until(lambda: client.circuit is not State.CLOSED, seconds=30)
            await until(lambda: not client.remembering, seconds=30)
            mark = len(load.told)
            await load.told_more("unavailable", times=100)
            while_silent = set(load.told[mark:])
            process.send_signal(signal.SIGCONT)
            await load.told_more("permit", times=10)
    finally:
        await ended(process)

    assert while_silent == {"unavailable"}
