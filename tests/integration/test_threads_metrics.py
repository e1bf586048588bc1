"""What the thread store tells of itself while it works: every metric moves, and every reply names its trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from fixtures.fix_live_runtime import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
THREADS = "/api/v1/threads"
TASKS = "/api/v1/tasks"
MOVED = {
    ("aeterna_threads_writes_total", "log=thread", "outcome=written"),
    ("aeterna_threads_writes_total", "log=thread", "outcome=repeated"),
    ("aeterna_threads_writes_total", "log=thread", "outcome=threads.message_conflict"),
    ("aeterna_threads_writes_total", "log=task", "outcome=written"),
    ("aeterna_threads_writes_total", "log=task", "outcome=repeated"),
    ("aeterna_threads_writes_total", "log=task", "outcome=threads.lease_lost"),
    ("aeterna_threads_rows_total", "kind=message"),
    ("aeterna_threads_rows_total", "kind=status"),
    ("aeterna_threads_write_batch_count",),
    ("aeterna_threads_write_seconds_count", "log=thread"),
    ("aeterna_threads_write_seconds_count", "log=task"),
    ("aeterna_threads_task_states_total", "state=TASK_STATE_SUBMITTED"),
    ("aeterna_threads_task_states_total", "state=TASK_STATE_CANCELED"),
    ("aeterna_threads_leases_total", "how=first"),
    ("aeterna_threads_leases_total", "how=taken_over"),
    ("aeterna_threads_leases_lost_total",),
    ("aeterna_threads_removed_total", "kind=threads"),
    ("aeterna_threads_wakes_total", "what=sent"),
    ("aeterna_threads_wakes_total", "what=heard"),
    ("aeterna_threads_streams", "of=thread"),
    ("aeterna_threads_streams", "of=agent"),
    ("aeterna_threads_pool_connections", "pool=service"),
    ("aeterna_threads_pool_connections", "pool=jobs"),
    ("aeterna_threads_pool_connections_idle", "pool=service"),
    ("aeterna_threads_pool_requests_total", "pool=service"),
    ("aeterna_threads_pool_requests_total", "pool=jobs"),
}


@pytest.fixture
def store(start_threads: Callable[..., ServiceProcess]) -> ServiceProcess:
    """Return a thread store that cleans up at every moment."""
    return start_threads(AETERNA_THREADS_CLEANUP_INTERVAL="0.2")


@pytest.fixture
def agent(store: ServiceProcess, signing_key: SigningKey) -> Generator[httpx.Client]:
    """Return a client with an agent's own token."""
    token = signing_key.token("acme", subject="helper", roles=("runner",), kind="agent")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=store.url, headers=headers, timeout=30, trust_env=False) as client:
        yield client


def test_every_metric_moves_with_what_it_counts(
    store: ServiceProcess, agent: httpx.Client, threads_client: Callable[..., httpx.Client]
) -> None:
    """A name that is documented and never moves is worse than none."""
    writer = threads_client(store)
    writer.post(THREADS, json={"thread_id": "t-1"}).raise_for_status()
    said = {"message_id": "m-1", "role": "user", "parts": [{"kind": "text", "text": "hello"}]}
    with (
        writer.stream("GET", f"{THREADS}/t-1/events") as followed,
        agent.stream("GET", f"{TASKS}/wakes") as told,
    ):
        assert (followed.status_code, told.status_code) == (200, 200)
        for parts in (said["parts"], said["parts"], [{"kind": "text", "text": "another"}]):
            writer.post(f"{THREADS}/t-1/messages", json=said | {"parts": parts})
        run_tasks(agent)
        writer.post(THREADS, json={"thread_id": "t-2", "ttl_seconds": 1}).raise_for_status()

        wait_until(lambda: unmoved(store) == set())


def test_every_reply_names_the_trace_of_its_request(
    store: ServiceProcess, agent: httpx.Client, threads_client: Callable[..., httpx.Client]
) -> None:
    """On answers, refusals and streams of every part alike."""
    writer = threads_client(store)
    writer.post(THREADS, json={"thread_id": "t-1"}).raise_for_status()
    headers = {"traceparent": TRACEPARENT}
    asked = [
        (writer, "GET", THREADS),
        (writer, "GET", f"{THREADS}/none"),
        (writer, "GET", f"{TASKS}"),
        (agent, "GET", f"{TASKS}?owner=ada"),
        (agent, "GET", f"{TASKS}/none?owner=ada"),
        (agent, "POST", f"{TASKS}/writes"),
        (agent, "GET", "/api/v1/dead-letters"),
        (agent, "GET", "/nowhere"),
    ]

    answers = [client.request(method, path, headers=headers) for client, method, path in asked]
    with agent.stream("GET", f"{TASKS}/wakes", headers=headers) as stream:
        answers.append(stream)

    assert {answer.headers.get("aeterna-trace-id") for answer in answers} == {TRACE}
    problems = [answer for answer in answers[:-1] if answer.status_code >= 400]
    assert {problem.json()["trace_id"] for problem in problems} == {TRACE}


def run_tasks(agent: httpx.Client) -> None:
    """Begin a task, repeat that, lose its lease to another runner, and cancel it."""
    agent.put("/api/v1/runners/first", json={"ttl_seconds": 1}).raise_for_status()
    begun = write(
        write_id="w-1",
        rows=[message("u-1"), status("TASK_STATE_SUBMITTED")],
        creation={"context_id": "c-1"},
        state="TASK_STATE_SUBMITTED",
        status={"state": "TASK_STATE_SUBMITTED"},
        waiting=True,
        claim="first",
    )
    (result,) = agent.post(f"{TASKS}/writes", json=begun).raise_for_status().json()["results"]
    agent.post(f"{TASKS}/writes", json=begun).raise_for_status()
    wait_until(lambda: taken_over(agent))
    late = write(write_id="w-2", rows=[status("TASK_STATE_WORKING")], epoch=result["epoch"])
    agent.post(f"{TASKS}/writes", json=late).raise_for_status()
    cancelled = {"owner": "ada", "status": {"state": "TASK_STATE_CANCELED"}}
    agent.post(f"{TASKS}/task-1/cancel", json=cancelled).raise_for_status()


def taken_over(agent: httpx.Client) -> bool:
    """Return whether another runner has the task by now."""
    agent.put("/api/v1/runners/second", json={"ttl_seconds": 60}).raise_for_status()
    return bool(agent.post("/api/v1/runners/second/claims", json={"limit": 5}).raise_for_status().json()["leases"])


def write(**members: object) -> dict[str, Any]:
    """Return the body of one write to the one task."""
    return {"writes": [{"task_id": "task-1", "owner": "ada", **members}]}


def message(message_id: str) -> dict[str, Any]:
    """Return a row with what the user said."""
    parts = [{"kind": "text", "text": "hello"}]
    return {
        "kind": "message",
        "streamed": False,
        "said": True,
        "author": "ada",
        "message_id": message_id,
        "role": "user",
        "parts": parts,
    }


def status(state: str) -> dict[str, Any]:
    """Return a row with a status."""
    return {"kind": "status", "streamed": True, "author": "helper", "payload": {"status": {"state": state}}}


def unmoved(store: ServiceProcess) -> set[tuple[str, ...]]:
    """Return the metrics that stand at nothing."""
    text = httpx.get(f"{store.url}/metrics", trust_env=False).text
    moved = {
        (sample.name, *sorted(f"{name}={value}" for name, value in sample.labels.items() if name != "le"))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.value > 0
    }
    return MOVED - moved
