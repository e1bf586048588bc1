"""Several workers on one socket: they share what is published, are started again when they die, and drain together."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fixtures.fix_policy import document

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio

EVALUATION = "/access/v1/evaluation"


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds."""
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110 - the condition is of other processes
            await asyncio.sleep(0.02)


class Sidecar:
    """A running sidecar with two workers on a Unix socket."""

    def __init__(self, process: asyncio.subprocess.Process, path: Path, log: Path) -> None:
        self.process = process
        self._path = path
        self._log = log

    async def listens(self) -> bool:
        """Say whether its socket is there."""
        return self._path.exists()

    async def replaced(self, victim: psutil.Process) -> bool:
        """Say whether there are two workers again."""
        return len({process.pid for process in self.workers()} - {victim.pid}) > 1

    def workers(self) -> list[psutil.Process]:
        """Return the processes below the parent."""
        return psutil.Process(self.process.pid).children()

    def client(self) -> httpx.AsyncClient:
        """Return a client that opens a connection for each request, so that any worker may take it."""
        transport = httpx.AsyncHTTPTransport(uds=str(self._path), limits=httpx.Limits(max_keepalive_connections=0))
        return httpx.AsyncClient(transport=transport, base_url="http://policy", timeout=20)

    def events(self) -> list[str]:
        """Return the names of everything logged until now."""
        return [json.loads(line)["event"] for line in self._log.read_text().splitlines() if line.startswith("{")]

    async def metric(self, name: str, **labels: str) -> list[float]:
        """Return the values of a metric's samples that have these labels."""
        async with self.client() as client:
            text = (await client.get("/metrics")).text
        return [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    async def all_use(self, epoch: int) -> None:
        """Return when both workers use an epoch."""

        async def used() -> bool:
            return await self.metric("aeterna_policy_edition_epoch") == [epoch] * 2

        await until(used)


@contextlib.asynccontextmanager
async def running(tmp_path: Path, bundle: Path, **settings: object) -> AsyncGenerator[Sidecar]:
    """Start it, wait until both workers decide, and end it."""
    path, log = tmp_path / "policy.sock", tmp_path / "log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AETERNA_")}
    own = {"socket": path, "workers": 2, "bundle": bundle, "state": tmp_path / "state", "refresh_interval": 3600}
    environment = {f"AETERNA_POLICY_{name.upper()}": str(value) for name, value in (own | settings).items()}
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "aeterna.policy"), env=inherited | environment, stderr=errors
        )
    sidecar = Sidecar(process, path, log)
    try:
        await until(sidecar.listens)
        await sidecar.all_use(1)
        yield sidecar
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_whoever_is_scraped_answers_for_all_and_none_counts_twice(tmp_path: Path, bundle_folder: Path) -> None:
    async with running(tmp_path, bundle_folder) as sidecar, sidecar.client() as client:
        answers = [(await client.post(EVALUATION, json=document())).json() for _ in range(40)]

        counted = [sum(await sidecar.metric("aeterna_policy_decisions_total")) for _ in range(6)]
        resident = await sidecar.metric("aeterna_policy_worker_resident_bytes")
        feed = await sidecar.metric("aeterna_policy_feed_total", outcome="published")

    assert all(answer["decision"] for answer in answers)
    assert len({(answer["context"]["epoch"], answer["context"]["digest"]) for answer in answers}) == 1
    assert counted == [40] * 6
    assert len(resident) == 2
    assert feed == [1]


async def test_a_worker_that_dies_is_started_again_and_what_it_counted_stays(
    tmp_path: Path, bundle_folder: Path
) -> None:
    async with running(tmp_path, bundle_folder) as sidecar, sidecar.client() as client:
        for _ in range(20):
            await client.post(EVALUATION, json=document())
        victim, other = sidecar.workers()
        victim.kill()

        # The socket is the parent's: while one worker is away the other takes every connection.
        during = [(await client.post(EVALUATION, json=document())).json()["decision"] for _ in range(20)]
        await until(partial(sidecar.replaced, victim))
        await sidecar.all_use(1)
        counted = sum(await sidecar.metric("aeterna_policy_decisions_total"))
        survivors = {process.pid for process in sidecar.workers()}

    # A connection that the dead worker had taken and not answered is lost; none such was open here.
    assert during == [True] * 20
    assert counted == 40
    assert other.pid in survivors
    assert "policy.worker_ended" in sidecar.events()


async def test_a_signal_to_the_parent_brings_all_workers_to_the_new_epoch(tmp_path: Path, bundle_folder: Path) -> None:
    policies = bundle_folder / "aeterna.cedar"
    async with running(tmp_path, bundle_folder) as sidecar, sidecar.client() as client:
        policies.write_text(policies.read_text().replace('Role::"reader"', 'Role::"nobody"'))
        sidecar.process.send_signal(signal.SIGHUP)
        await sidecar.all_use(2)

        after = [(await client.post(EVALUATION, json=document())).json() for _ in range(10)]

    assert {(answer["decision"], answer["context"]["epoch"]) for answer in after} == {(False, 2)}


async def test_they_drain_together_and_leave_nothing_behind(tmp_path: Path, bundle_folder: Path) -> None:
    async with running(tmp_path, bundle_folder, drain_delay=0.5) as sidecar, sidecar.client() as client:
        workers = sidecar.workers()
        async with client.stream("GET", "/v1/epochs") as stream:
            pieces = stream.aiter_text()
            first = await anext(pieces)
            sidecar.process.terminate()
            during = (await client.post(EVALUATION, json=document())).json()["decision"]
            rest = [piece async for piece in pieces]
        async with asyncio.timeout(30):
            status = await sidecar.process.wait()

    assert first.startswith("event: epoch")
    assert (during, status, any("event" in piece for piece in rest)) == (True, 0, False)
    assert not [worker for worker in workers if worker.is_running()]
    assert not (tmp_path / "policy.sock").exists()


async def test_workers_do_not_outlive_a_parent_that_is_killed(tmp_path: Path, bundle_folder: Path) -> None:
    async with running(tmp_path, bundle_folder) as sidecar:
        workers = sidecar.workers()

        sidecar.process.kill()
        await sidecar.process.wait()
        gone, alive = await asyncio.to_thread(psutil.wait_procs, workers, timeout=20)

    assert (len(gone), alive) == (2, [])
