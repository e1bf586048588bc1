"""A conversation goes on through the death of its service and of its database: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import random
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fixtures.fix_postgres import Postgres
    from fixtures.fix_threads import ServiceProcess

THREADS = "/api/v1/threads"
WRITERS = 4
EACH = 50


class Talk:
    """Writers who each append in turn to one shared thread, and repeat what was not acknowledged."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._changed = threading.Condition()
        self._up = threading.Event()
        self._up.set()
        self.acknowledged: dict[str, int] = {}
        self.refused: list[httpx.Response] = []
        self.failures = 0
        assert client.post(THREADS, json={"thread_id": "shared"}).status_code == 201

    def write(self, writer: int) -> None:
        """Append the writer's messages, each until it is acknowledged."""
        for n in range(EACH):
            message_id = f"w{writer}-{n}"
            while not self._appended(message_id):
                assert self._up.wait(timeout=60), "the test ended without letting the writers go on"

    def until(self, count: int) -> None:
        """Return when so many messages were acknowledged, and have the writers pause at their next failure."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.acknowledged) >= count, timeout=60)
        self._up.clear()

    def go_on(self) -> None:
        """Let the writers try again."""
        self._up.set()

    def _appended(self, message_id: str) -> bool:
        body = {"message_id": message_id, "role": "agent", "parts": [f"text of {message_id}"]}
        try:
            answer = self._client.post(f"{THREADS}/shared/messages", json=body)
        except httpx.TransportError:
            self.failures += 1
            return False
        if answer.status_code not in {200, 201}:
            self.refused.append(answer)
            return False
        with self._changed:
            self.acknowledged[message_id] = answer.json()["seq"]
            self._changed.notify_all()
        return True


def transcript(client: httpx.Client) -> list[tuple[int, str]]:
    """Return the whole thread, read page by page."""
    found: list[tuple[int, str]] = []
    after: int | None = 0
    while after is not None:
        page = client.get(f"{THREADS}/shared/messages", params={"after_seq": after, "limit": 70}).json()
        found += [(message["seq"], message["message_id"]) for message in page["messages"]]
        after = page["next_after"]
    return found


class Listener:
    """A client of the event stream that comes back with the last id it saw, as browsers do."""

    def __init__(self, client: httpx.Client, up: Callable[[], object]) -> None:
        self._client = client
        self._up = up
        self.seen: list[tuple[int, str]] = []
        self.connections = 0

    def listen(self, until: int) -> None:
        """Follow the thread until so many events were seen."""
        while len(self.seen) < until:
            self.connections += 1
            try:
                self._once(until)
            except httpx.TransportError:
                self._up()

    def _once(self, until: int) -> None:
        headers = {"Last-Event-ID": str(self.seen[-1][0])} if self.seen else {}
        with self._client.stream("GET", f"{THREADS}/shared/events", headers=headers) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    message = json.loads(line.removeprefix("data: "))
                    self.seen.append((message["seq"], message["message_id"]))
                if len(self.seen) >= until:
                    return


def expected(talk: Talk) -> list[tuple[int, str]]:
    """Return the transcript that the acknowledgements promise, and check that they promise a whole one."""
    assert sorted(talk.acknowledged) == sorted(f"w{writer}-{n}" for writer in range(WRITERS) for n in range(EACH))
    return sorted((seq, message_id) for message_id, seq in talk.acknowledged.items())


def test_a_conversation_survives_the_sudden_death_of_its_service(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client]
) -> None:
    service = start_threads()
    client = threads_client(service)
    talk = Talk(client)
    revived = threading.Event()
    listener = Listener(client, lambda: revived.wait(timeout=60))

    with ThreadPoolExecutor() as pool:
        work = [pool.submit(talk.write, writer) for writer in range(WRITERS)]
        work.append(pool.submit(listener.listen, WRITERS * EACH))
        talk.until(WRITERS * EACH // 3)
        service.kill()
        service.restart()
        revived.set()
        talk.go_on()
        for part in work:
            part.result(timeout=120)

    assert [seq for seq, _ in transcript(client)] == list(range(1, WRITERS * EACH + 1))
    assert transcript(client) == expected(talk) == listener.seen
    assert talk.failures > 0
    assert listener.connections > 1


def test_no_acknowledged_message_is_lost_when_the_database_is_killed(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client], postgres: Postgres
) -> None:
    """SIGKILL to every process of PostgreSQL, as when the machine is lost and its disk is kept."""
    client = threads_client(start_threads())
    talk = Talk(client)

    with ThreadPoolExecutor() as pool:
        work = [pool.submit(talk.write, writer) for writer in range(WRITERS)]
        talk.until(WRITERS * EACH // 3)
        postgres.kill()
        lost = client.post(f"{THREADS}/shared/messages", json={"message_id": "x", "role": "user", "parts": ["lost"]})
        ready = client.get("/ready")
        postgres.start()
        talk.go_on()
        for part in work:
            part.result(timeout=120)

    assert (lost.status_code, lost.headers["retry-after"]) == (503, "1")
    assert lost.headers["content-type"] == "application/problem+json"
    assert (ready.status_code, ready.json()["failed"]) == (503, ["database"])
    assert {answer.status_code for answer in talk.refused} <= {503}
    assert [seq for seq, _ in transcript(client)] == list(range(1, WRITERS * EACH + 1))
    assert transcript(client) == expected(talk)


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="needs Linux's prlimit to fill a disk for PostgreSQL")
@pytest.mark.parametrize("size", [0, 20_000_000], ids=["for its log", "for its tables"])
def test_no_acknowledged_message_is_lost_when_the_disk_is_full(
    start_threads: Callable[..., ServiceProcess],
    threads_client: Callable[..., httpx.Client],
    postgres: Postgres,
    size: int,
) -> None:
    """Without room for its log PostgreSQL stops itself; without room for its tables it refuses."""
    client = threads_client(start_threads())
    client.post(THREADS, json={"thread_id": "shared"})
    noise = random.Random(7)  # noqa: S311 - text that compresses badly, the same each time

    def append(n: int) -> httpx.Response:
        body = {"message_id": f"m-{n}", "role": "agent", "parts": [noise.randbytes(200_000).hex()]}
        return client.post(f"{THREADS}/shared/messages", json=body)

    append(0)
    postgres.let_files_grow_to(size)
    answers = [append(1)]
    while answers[-1].status_code == 201 and len(answers) < 300:
        answers.append(append(len(answers) + 1))
    postgres.kill()
    postgres.start()

    assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (503, "1")
    assert [seq for seq, _ in transcript(client)] == list(range(1, len(answers) + 1))


def test_a_restart_of_the_database_is_not_noticed_between_two_requests(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client], postgres: Postgres
) -> None:
    """Every pooled connection is dead by then; the request finds a new one instead of failing."""
    client = threads_client(start_threads())
    client.post(THREADS, json={"thread_id": "shared"})

    postgres.stop()
    postgres.start()
    answer = client.post(f"{THREADS}/shared/messages", json={"message_id": "m-1", "role": "user", "parts": ["hi"]})

    assert answer.status_code == 201


def test_a_standby_in_the_place_of_the_database_is_outlived(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client], postgres: Postgres
) -> None:
    """After a failover a name may lead to one for a moment: it can be read, and neither written nor listened to."""
    service = start_threads()
    client = threads_client(service)
    client.post(THREADS, json={"thread_id": "shared"})
    message = {"message_id": "m-1", "role": "user", "parts": ["hi"]}

    postgres.become_standby()
    try:
        refused = client.post(f"{THREADS}/shared/messages", json=message)
        read = client.get(f"{THREADS}/shared")
        end = time.monotonic() + 20
        # Listening is tried again each second, and refused by the standby.
        while not any("ReadOnlySqlTransaction" in line for line in service.log):
            assert client.get(f"{THREADS}/shared").status_code == 200
            assert time.monotonic() < end
    finally:
        postgres.become_primary()
    written = client.post(f"{THREADS}/shared/messages", json=message)

    assert (refused.status_code, read.status_code, written.status_code) == (503, 200, 201)


def test_a_stream_gets_news_again_after_the_database_restarted(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client], postgres: Postgres
) -> None:
    client = threads_client(start_threads(AETERNA_THREADS_HEARTBEAT="0.2"))
    client.post(THREADS, json={"thread_id": "shared"})
    postgres.stop()
    postgres.start()

    with ThreadPoolExecutor() as pool:
        listener = Listener(client, lambda: None)
        heard = pool.submit(listener.listen, 1)
        client.post(f"{THREADS}/shared/messages", json={"message_id": "m-1", "role": "user", "parts": ["hi"]})
        heard.result(timeout=30)

    assert listener.seen == [(1, "m-1")]


def test_an_append_in_one_process_wakes_a_reader_in_another(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client]
) -> None:
    """The heartbeat is too long to be what brought the news."""
    writer, reader = (threads_client(start_threads(AETERNA_THREADS_HEARTBEAT="600")) for _ in range(2))
    writer.post(THREADS, json={"thread_id": "shared"})

    with reader.stream("GET", f"{THREADS}/shared/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        writer.post(f"{THREADS}/shared/messages", json={"message_id": "m-1", "role": "user", "parts": ["hi"]})
        heard = [next(lines) for _ in range(3)]

    assert heard[1:] == ["id: 1", "event: message"]


def test_a_draining_process_ends_its_streams_so_that_they_resume_elsewhere(
    start_threads: Callable[..., ServiceProcess], threads_client: Callable[..., httpx.Client]
) -> None:
    leaving, staying = start_threads(), start_threads()
    client = threads_client(leaving)
    client.post(THREADS, json={"thread_id": "shared"})
    client.post(f"{THREADS}/shared/messages", json={"message_id": "m-1", "role": "user", "parts": ["hi"]})

    with client.stream("GET", f"{THREADS}/shared/events") as answer:
        lines = answer.iter_lines()
        assert "id: 1" in [next(lines) for _ in range(4)]
        status = leaving.terminate()
        rest = list(lines)

    assert status == 0
    assert [line for line in rest if line.startswith("id:")] == []
    elsewhere = threads_client(staying)
    elsewhere.post(f"{THREADS}/shared/messages", json={"message_id": "m-2", "role": "user", "parts": ["back"]})
    with elsewhere.stream("GET", f"{THREADS}/shared/events", headers={"Last-Event-ID": "1"}) as answer:
        lines = answer.iter_lines()
        resumed = [next(lines) for _ in range(4)]
    assert "id: 2" in resumed
    assert "id: 1" not in resumed


@pytest.mark.parametrize("roles", [("reader",), ()])
def test_a_caller_without_the_right_writes_nothing(
    start_threads: Callable[..., ServiceProcess],
    threads_client: Callable[..., httpx.Client],
    roles: tuple[str, ...],
) -> None:
    """Decided by the real sidecar, with the policies that are shipped."""
    service = start_threads()

    answer = threads_client(service, roles=roles).post(THREADS, json={"thread_id": "shared"})

    assert (answer.status_code, answer.json()["code"]) == (403, "policy.denied")
    assert threads_client(service).get(THREADS).json()["threads"] == []
