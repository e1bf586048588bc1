"""Every client hears everything, once and in order, while agents, thread store and PostgreSQL are killed at random."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from fixtures.fix_threads import ServiceProcess
from fixtures.storm_clients import TURNS, Conversation, complaints, lead, read_back
from fixtures.tcp_balancer import balancing

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aeterna.service.testing import SigningKey
    from fixtures.fix_postgres import Postgres
    from fixtures.tcp_balancer import Balancing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

AGENTS: Final = 4
# CI plays a short storm; a long one is played with AETERNA_TEST_STORM=200:60:6, conversations, seconds of talk, and the
# longest pause between strikes. A machine that is busy starting what was killed gets nowhere, so many want more of it.
CONVERSATIONS, SECONDS, PAUSE = (int(part) for part in os.environ.get("AETERNA_TEST_STORM", "40:20:2").split(":"))
STARTS: Final = 30
SEED: Final = int(os.environ.get("AETERNA_TEST_STORM_SEED", "7"))
PROGRAM: Final = Path(__file__).parent.parent / "fixtures" / "storm_agent.py"


class Storm:
    """What can be killed, and what was."""

    def __init__(self, agents: list[ServiceProcess], store: ServiceProcess, postgres: Postgres, net: Balancing) -> None:
        self._agents = agents
        self._store = store
        self._postgres = postgres
        self._net = net
        self._random = random.Random(SEED)  # noqa: S311 - the same storm each time
        self._down: dict[object, asyncio.Task[None]] = {}
        self.struck: Counter[str] = Counter()

    async def rage(self, until: asyncio.Event) -> None:
        """Strike at moments and at targets drawn by chance; what is down comes back by itself, beside other strikes."""
        while not until.is_set():
            await asyncio.sleep(self._random.uniform(PAUSE / 4, PAUSE))
            self._strike(self._random.choices(["agent", "store", "postgres", "net"], weights=[6, 2, 1, 3])[0])
        await asyncio.gather(*self._down.values())

    def _strike(self, kind: str) -> None:
        if kind == "net":
            self._net.cut()
            self.struck[kind] += 1
            return
        target = {"store": self._store, "postgres": self._postgres}.get(kind) or self._random.choice(self._agents)
        if target in self._down and not self._down[target].done():
            return
        self.struck[kind] += 1
        self._down[target] = asyncio.create_task(asyncio.to_thread(_killed_and_back, target))


def _killed_and_back(target: ServiceProcess | Postgres) -> None:
    target.kill()
    if not isinstance(target, ServiceProcess):
        target.start()
        return
    for _ in range(STARTS):
        # What cannot start, as without its database, says so and ends; a kubelet would start it again.
        with suppress(AssertionError):
            target.restart()
            return
    raise AssertionError("".join(target.log[-20:]))


@pytest.fixture
def token_file(signing_key: SigningKey, tmp_path: Path) -> Path:
    """Return the file of the token that the agent's processes bring."""
    file = tmp_path / "agent.token"
    file.write_text(signing_key.token("acme", subject="teller", roles=["runner"], kind="agent", exp=2**33))
    return file


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return the file in which the agents' tool notes each time that it was used."""
    file = tmp_path / "journal"
    file.touch()
    return file


@pytest.fixture
def store(start_threads: Callable[..., ServiceProcess]) -> ServiceProcess:
    """Return the thread store."""
    return start_threads()


@pytest.fixture
def agents(
    store: ServiceProcess, threads_environment: dict[str, str], token_file: Path, journal: Path
) -> Generator[list[ServiceProcess]]:
    """Return the processes of one agent; a word takes so long that the conversations last as long as the storm."""
    shared = {key: threads_environment[f"AETERNA_THREADS_{key}"] for key in ("ISSUER", "JWKS", "POLICY_URL")}
    environment = {f"AETERNA_AGENT_{key}": value for key, value in shared.items()} | {
        "AETERNA_AGENT_PORT": "0",
        "AETERNA_AGENT_THREADS_URL": store.url,
        "AETERNA_AGENT_TOKEN_FILE": str(token_file),
        "AETERNA_AGENT_SLOTS": str(CONVERSATIONS),
        # On a slow machine more processes are killed than messages are answered; that is no fault of the messages.
        "AETERNA_AGENT_ATTEMPTS": "100",
    }
    pause = str(SECONDS / (TURNS * 14))
    started = [
        ServiceProcess(
            "storm_agent", environment, program=[str(PROGRAM), str(journal), pause], port="AETERNA_AGENT_PORT"
        )
        for _ in range(AGENTS)
    ]
    yield started
    for agent in started:
        agent.kill()


def test_every_client_hears_everything_once_while_all_is_killed(
    agents: list[ServiceProcess], store: ServiceProcess, postgres: Postgres, signing_key: SigningKey, journal: Path
) -> None:
    """This is the promise: no restart of anything breaks a conversation."""
    conversations = [Conversation(number=n) for n in range(CONVERSATIONS)]
    ports = [int(agent.address.rsplit(":", 1)[1]) for agent in agents]

    with balancing(ports) as net:
        storm = Storm(agents, store, postgres, net)
        try:
            asyncio.run(_led(conversations, storm, net.address, lambda: signing_key.token("acme", subject="ada")))
        finally:
            broken = sum(one.broken for one in conversations)
            sys.stderr.write(f"struck {dict(storm.struck)}, {broken} streams broke\n")

    assert not complaints(conversations)
    assert _used_after_it_was_known(journal) == []


async def _led(conversations: list[Conversation], storm: Storm, url: str, token: Callable[[], str]) -> None:
    ended = asyncio.Event()
    raging = asyncio.create_task(storm.rage(ended))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    try:
        async with httpx.AsyncClient(base_url=url, limits=limits, timeout=httpx.Timeout(10, read=30)) as http:
            await asyncio.gather(*(lead(conversation, http, token) for conversation in conversations))
            ended.set()
            await raging
            # Read back once everything is up again.
            await asyncio.gather(*(read_back(conversation, http, token) for conversation in conversations))
    finally:
        ended.set()
        await raging


def _used_after_it_was_known(journal: Path) -> list[str]:
    """Return the messages whose tool was used again although a process had got its result from the ledger."""
    known: set[str] = set()
    again: list[str] = []
    for line in journal.read_text().splitlines():
        what, message_id = line.split()
        if what == "known":
            known.add(message_id)
        elif message_id in known:
            again.append(message_id)
    assert len(known) == CONVERSATIONS * TURNS
    return again
