"""Push notifications by the real service: told in order, signed, once or more, whatever dies in between."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from aeterna.a2a.adapters.notifications import NotificationVerifier
from aeterna.cli.commands.threads import threads
from aeterna.client import Aeterna
from aeterna.client.thread_problem_codes import DeadLetterNotFoundError
from aeterna.postgres.pool import Limits, connection_pool
from aeterna.threads.adapters.database import DATABASE
from aeterna.threads.adapters.postgres_tasks import PostgresTaskLog
from aeterna.threads.errors import StoreUnavailableError
from fixtures.push_receiver import Answer
from fixtures.pushed_tasks import AGENT, OWNER, begin_task, grow_task, status_row

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from pathlib import Path

    from aeterna.service.testing import SigningKey
    from aeterna.threads.domain.conversation import ThreadId
    from fixtures.fix_postgres import Postgres
    from fixtures.fix_threads import ServiceProcess
    from fixtures.push_receiver import Received, Receiver, Receivers

pytestmark = pytest.mark.anyio

CANARY_TOKEN, CANARY_CREDENTIALS = "canary-token-9f1c", "canary-credentials-77ab"


@pytest.fixture
async def tasks(database: str) -> AsyncGenerator[PostgresTaskLog]:
    """Return the log of the service's database, written from beside the service."""
    async with connection_pool(database, Limits(), DATABASE.names) as pool:
        yield PostgresTaskLog(pool)


@pytest.fixture
def start_pushing(
    start_threads: Callable[..., ServiceProcess], push_keys: Mapping[str, str]
) -> Callable[..., ServiceProcess]:
    """Return what starts a thread store that may send to these receivers."""

    def start(*receivers: Receiver, **changes: str) -> ServiceProcess:
        hosts = json.dumps([receiver.place for receiver in receivers])
        return start_threads(**{**push_keys, "AETERNA_THREADS_PUSH_PRIVATE_HOSTS": hosts, **changes})

    return start


@pytest.fixture
def client_of(signing_key: SigningKey) -> Callable[..., httpx.Client]:
    """Return what makes a client with a token: an agent's, or of an administrator of a tenant."""

    def make(process: ServiceProcess, *, kind: str = "agent", tenant: str = "acme") -> httpx.Client:
        roles = ("runner",) if kind == "agent" else ("admin",)
        token = signing_key.token(tenant, subject=AGENT if kind == "agent" else "root", roles=roles, kind=kind)
        return httpx.Client(
            base_url=process.url, headers={"Authorization": f"Bearer {token}"}, trust_env=False, timeout=20
        )

    return make


@pytest.fixture
def operator_of(signing_key: SigningKey) -> Callable[..., Aeterna]:
    """Return what makes a client of an administrator of a tenant."""

    def make(process: ServiceProcess, *, tenant: str = "acme") -> Aeterna:
        return Aeterna(
            threads_url=process.url, graph_url=process.url, token=signing_key.token(tenant, roles=("admin",))
        )

    return make


def register(agent: httpx.Client, task: ThreadId, receiver: Receiver, config_id: str = "phone") -> None:
    """Have a receiver told of a task."""
    body = {
        "owner": OWNER,
        "url": receiver.url(),
        "token": CANARY_TOKEN,
        "scheme": "Bearer",
        "credentials": CANARY_CREDENTIALS,
    }
    answer = agent.put(f"/api/v1/tasks/{task}/push/{config_id}", json=body)
    assert answer.status_code == 200, answer.text


def texts(received: list[Received]) -> list[str]:
    """Return what was said in the order in which it first came; doubles are known by their id."""
    first: dict[str, Received] = {}
    for one in received:
        first.setdefault(one.identifier, one)
    return [one.content["statusUpdate"]["status"]["message"]["parts"][0]["text"] for one in first.values()]


def steps(count: int) -> list[str]:
    """Return what a receiver is to hear of so many rows."""
    return [f"step {number}" for number in range(count)]


async def grown(tasks: PostgresTaskLog, task: ThreadId, count: int, *, start: int = 0) -> None:
    """Add rows to a task, each of which says which step it is."""
    for number in range(start, start + count):
        await grow_task(tasks, task, status_row(f"step {number}"), at=number + 1)


async def test_a_receiver_is_told_of_each_row_in_order_and_can_verify_it(
    tasks: PostgresTaskLog,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
    tmp_path: Path,
) -> None:
    receiver = receivers()
    service = start_pushing(receiver)
    task = await begin_task(tasks, "task-1")
    with client_of(service) as agent:
        register(agent, task, receiver)
        keys = tmp_path / "published.json"
        keys.write_bytes(agent.get("/.well-known/jwks.json", headers={"Authorization": ""}).content)

        await grown(tasks, task, 5)

    received = await asyncio.to_thread(receiver.wait_for, 5)
    assert texts(received) == steps(5)
    verifier = NotificationVerifier(str(keys), issuer="https://threads.test", url=receiver.url(), token=CANARY_TOKEN)
    verified = [verifier.verify(one.headers, one.body) for one in received]
    assert [one.seq for one in verified] == [2, 3, 4, 5, 6]
    assert received[0].headers["Authorization"] == f"Bearer {CANARY_CREDENTIALS}"
    assert received[0].headers["Content-Type"] == "application/a2a+json"


async def test_killed_between_the_post_and_its_record_the_service_tells_it_again(
    tasks: PostgresTaskLog,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
) -> None:
    """The receiver has it, the store does not know: told twice, under one id, and nothing is left out or overtaken."""
    victims: list[ServiceProcess] = []

    def kill_while_answering(_received: Received, count: int) -> Answer:
        if count == 3:
            victims[0].kill()
        return Answer()

    receiver = receivers(kill_while_answering)
    # The lease of the dead one runs out after three times this.
    service = start_pushing(receiver, AETERNA_THREADS_PUSH_TIMEOUT="1")
    victims.append(service)
    task = await begin_task(tasks, "task-1")
    with client_of(service) as agent:
        register(agent, task, receiver)
    await grown(tasks, task, 6)
    await asyncio.to_thread(receiver.wait_for, 3)

    await asyncio.to_thread(service.restart)

    received = await asyncio.to_thread(receiver.wait_for, 7)
    assert texts(received) == steps(6)
    assert received[2].identifier == received[3].identifier


async def test_two_replicas_share_the_receivers_and_keep_each_ones_order(
    tasks: PostgresTaskLog,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
) -> None:
    some = [receivers() for _ in range(4)]
    first, _second = start_pushing(*some), start_pushing(*some)
    named = [await begin_task(tasks, f"task-{number}") for number in range(4)]
    with client_of(first) as agent:
        for task, receiver in zip(named, some, strict=True):
            register(agent, task, receiver)

    await asyncio.gather(*(grown(tasks, task, 8) for task in named))

    for receiver in some:
        assert texts(await asyncio.to_thread(receiver.wait_for, 8)) == steps(8)


async def test_a_receiver_that_hangs_holds_nobody_else_up(
    tasks: PostgresTaskLog,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
) -> None:
    """As many lanes of the dead host are due as there are places in all; the living one hears at once."""
    living = receivers()
    # The kernel takes the connections, and nobody ever answers.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hosts = json.dumps([f"127.0.0.1:{port}", living.place])
        service = start_pushing(
            AETERNA_THREADS_PUSH_PRIVATE_HOSTS=hosts,
            AETERNA_THREADS_PUSH_CONCURRENCY="4",
            AETERNA_THREADS_PUSH_PER_HOST="2",
            AETERNA_THREADS_PUSH_TIMEOUT="60",
        )
        with client_of(service) as agent:
            for number in range(4):
                task = await begin_task(tasks, f"silent-{number}")
                body = {"owner": OWNER, "url": f"http://127.0.0.1:{port}/"}
                assert agent.put(f"/api/v1/tasks/{task}/push/phone", json=body).status_code == 200
                await grown(tasks, task, 1)
            task = await begin_task(tasks, "living")
            register(agent, task, living)

            await grown(tasks, task, 3)

            received = await asyncio.to_thread(living.wait_for, 3)
    assert texts(received) == steps(3)


async def test_a_restart_of_the_database_loses_no_notification(
    tasks: PostgresTaskLog,
    postgres: Postgres,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
) -> None:
    receiver = receivers()
    service = start_pushing(receiver, AETERNA_THREADS_PUSH_TIMEOUT="1")
    task = await begin_task(tasks, "task-1")
    with client_of(service) as agent:
        register(agent, task, receiver)
    await grown(tasks, task, 3)

    await asyncio.to_thread(postgres.kill)
    await asyncio.to_thread(postgres.start)

    for number in range(3, 6):
        await _until_it_is_back(tasks, task, number)
    # One of which the database could no longer record that it was told is told again.
    assert texts(await asyncio.to_thread(receiver.wait_for_distinct, 6, 40)) == steps(6)


async def _until_it_is_back(tasks: PostgresTaskLog, task: ThreadId, number: int) -> None:
    for _ in range(50):
        try:
            await grown(tasks, task, 1, start=number)
        except StoreUnavailableError:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("the database did not come back")


async def test_what_a_receiver_refuses_is_looked_at_and_sent_again_by_an_operator(
    tasks: PostgresTaskLog,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
    operator_of: Callable[..., Aeterna],
) -> None:
    """The receiver is gone for the first notification and there for all that follow."""
    receiver = receivers(lambda _received, count: Answer(status=410 if count == 1 else 204))
    service = start_pushing(receiver)
    task = await begin_task(tasks, "task-1")
    with client_of(service) as agent:
        register(agent, task, receiver)
    await grown(tasks, task, 2)
    await asyncio.to_thread(receiver.wait_for, 2)
    with operator_of(service) as operator, operator_of(service, tenant="other") as stranger:
        letters = operator.threads.dead_letters
        (letter,) = letters.list(task_id=task)
        with pytest.raises(DeadLetterNotFoundError):
            stranger.threads.dead_letters.replay(letter.letter_id)

        count = letters.replay(letter.letter_id)

        received = await asyncio.to_thread(receiver.wait_for, 3)
        assert (count, list(letters.list()), list(stranger.threads.dead_letters.list())) == (1, [], [])
    assert (letter.reason, letter.error, letter.seq) == ("refused", "it answered 410", 2)
    assert [one.identifier for one in received].count(received[0].identifier) == 2


async def test_the_command_lists_shows_and_discards_dead_letters(
    tasks: PostgresTaskLog,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
    signing_key: SigningKey,
) -> None:
    # After the refusal it keeps the lane: the second shows that the first has been buried.
    receiver = receivers(lambda _received, count: Answer(status=403 if count == 1 else 200))
    service = start_pushing(receiver)
    task = await begin_task(tasks, "task-1")
    with client_of(service) as agent:
        register(agent, task, receiver)
    await grown(tasks, task, 2)
    await asyncio.to_thread(receiver.wait_for, 2)
    environment = {
        "AETERNA_THREADS_URL": service.url,
        "AETERNA_GRAPH_URL": service.url,
        "AETERNA_TOKEN": signing_key.token("acme", roles=("admin",)),
    }

    def run(*arguments: str) -> Any:  # noqa: ANN401 - whatever JSON the command prints
        result = CliRunner().invoke(threads, ["dead-letters", *arguments, "--json"], env=environment)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    (listed,) = run("list", "--task", task, "--config", "phone")["letters"]
    shown = run("show", listed["letter_id"])
    discarded = run("discard", "--task", task, "--yes")

    assert (shown["error"], discarded, run("list")) == ("it answered 403", {"letters": 1}, {"letters": []})


async def test_no_secret_is_shown_logged_or_stored_in_clear(
    tasks: PostgresTaskLog,
    database: str,
    receivers: Receivers,
    start_pushing: Callable[..., ServiceProcess],
    client_of: Callable[..., httpx.Client],
) -> None:
    receiver = receivers(lambda _received, _count: Answer(status=400, body=CANARY_TOKEN.encode()))
    service = start_pushing(receiver, AETERNA_THREADS_LOG_LEVEL="debug")
    task = await begin_task(tasks, "task-1")
    shown: list[str] = []
    with client_of(service) as agent, client_of(service, kind="user") as operator:
        register(agent, task, receiver)
        await grown(tasks, task, 1)
        await asyncio.to_thread(receiver.wait_for, 1)
        shown.append(agent.get(f"/api/v1/tasks/{task}/push", params={"owner": OWNER}).text)
        bad = {"owner": OWNER, "url": "https://10.0.0.1/", "token": CANARY_TOKEN + "\r\n", "extra": CANARY_CREDENTIALS}
        shown.append(agent.put(f"/api/v1/tasks/{task}/push/bad", json=bad).text)
        private = {"owner": OWNER, "url": "https://10.0.0.1/", "token": CANARY_TOKEN}
        refused = agent.put(f"/api/v1/tasks/{task}/push/bad", json=private)
        shown.append(refused.text)
        shown.append(operator.get("/api/v1/dead-letters").text)
        shown.append(operator.get("/metrics").text)
    service.terminate()

    with psycopg.connect(database) as connection:
        for table in ("push_configs", "outbox", "dead_letters"):
            rows = connection.execute(f"SELECT row_to_json(t)::text FROM threads.{table} AS t").fetchall()  # noqa: S608 - names of ours
            shown += [row[0] for row in rows]
    assert refused.json()["code"] == "threads.push_url_refused"
    assert '"config_id":"phone"' in shown[0]
    for canary in (CANARY_TOKEN, CANARY_CREDENTIALS):
        assert canary not in "".join(shown)
        assert canary.encode().hex() not in "".join(shown)
        assert canary not in "".join(service.log)


async def test_without_keys_receivers_are_not_registered(
    tasks: PostgresTaskLog, start_threads: Callable[..., ServiceProcess], client_of: Callable[..., httpx.Client]
) -> None:
    task = await begin_task(tasks, "task-1")
    with client_of(start_threads()) as agent:
        refused = agent.put(f"/api/v1/tasks/{task}/push/phone", json={"owner": OWNER, "url": "https://hooks.example/"})

    assert (refused.status_code, refused.json()["code"]) == (501, "threads.push_unavailable")
