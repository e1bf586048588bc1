"""An operator sees which tasks nobody runs, and takes one from a process that hangs: the command, from end to end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

import httpx
import pytest

from aeterna.cli.main import run
from aeterna.client import Aeterna, AsyncAeterna, PolicyDeniedError, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

API: Final = "/api/v1"
TASK: Final = "task-1"


class Serving(NamedTuple):
    """A running store, a client of one of an agent's processes, and what makes a client of somebody else."""

    url: str
    agent: httpx.Client
    token: Callable[..., str]


def submitted(task_id: str) -> dict[str, object]:
    """Return the write by which a user's message waits for a runner."""
    row = {
        "kind": "message",
        "streamed": False,
        "said": True,
        "author": "ada",
        "message_id": f"{task_id}-m",
        "role": "user",
        "parts": [{"kind": "text", "text": "go"}],
    }
    return {
        "task_id": task_id,
        "owner": "ada",
        "write_id": f"{task_id}-w",
        "rows": [row],
        "creation": {"context_id": "context"},
        "waiting": True,
    }


@pytest.fixture
def serving(
    start_threads: Callable[..., ServiceProcess], signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Serving]:
    """Return a store in which an agent's process has one task, and another waits."""
    process = start_threads()
    runner = signing_key.token("acme", subject="bot", kind="agent", roles=["runner"])
    headers = {"Authorization": f"Bearer {runner}"}
    monkeypatch.setenv("AETERNA_THREADS_URL", process.url)
    monkeypatch.setenv("AETERNA_GRAPH_URL", process.url)
    monkeypatch.setenv("AETERNA_TOKEN", signing_key.token("acme", subject="operator"))
    with httpx.Client(base_url=f"{process.url}{API}", headers=headers, timeout=30, trust_env=False) as agent:
        agent.put("/runners/pod-1", json={"ttl_seconds": 60}).raise_for_status()
        for task_id in (TASK, "task-2"):
            agent.post("/tasks/writes", json={"writes": [submitted(task_id)]}).raise_for_status()
        agent.post("/runners/pod-1/claims", json={"limit": 1}).raise_for_status()
        yield Serving(process.url, agent, signing_key.token)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run one command line and return what it printed."""
    capsys.readouterr()
    ended = run(["threads", "leases", *arguments])
    shown = capsys.readouterr()
    assert ended == 0, shown.err
    return shown.out


def test_what_nobody_runs_is_listed_and_what_runs_is_not(serving: Serving, capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(told(capsys, "stuck", "--json"))["tasks"]

    assert [(one["task_id"], one["agent"], one["owner"], one["runner"]) for one in listed] == [
        ("task-2", "bot", "ada", None)
    ]


def test_a_process_that_hangs_loses_its_task_and_every_later_write(
    serving: Serving, capsys: pytest.CaptureFixture[str]
) -> None:
    freed = told(capsys, "free", TASK, "--yes")
    late = serving.agent.put(f"/tasks/{TASK}/steps/mail", json={"epoch": 1, "fingerprint": "a"})
    serving.agent.put("/runners/pod-2", json={"ttl_seconds": 60})
    taken = serving.agent.post("/runners/pod-2/claims", json={"limit": 10}).json()["leases"]

    assert freed == f"task {TASK} of bot is free; its epoch is 2\n"
    assert (late.status_code, late.json()["code"]) == (409, "threads.lease_lost")
    assert [(lease["task_id"], lease["epoch"], lease["attempts"]) for lease in taken] == [
        (TASK, 3, 1),
        ("task-2", 1, 1),
    ]


def test_a_page_leads_to_the_next_by_the_client(serving: Serving) -> None:
    serving.agent.delete("/runners/pod-1")

    with Aeterna(graph_url=serving.url, threads_url=serving.url, token=serving.token("acme")) as aeterna:
        found = [task.task_id for task in aeterna.threads.leases.stuck(page=1)]
        with pytest.raises(TaskNotFoundError):
            aeterna.threads.leases.free("nowhere")

    assert found == [TASK, "task-2"]


@pytest.mark.anyio
async def test_the_asynchronous_client_does_the_same(serving: Serving) -> None:
    token = serving.token("acme")
    async with AsyncAeterna(graph_url=serving.url, threads_url=serving.url, token=token) as aeterna:
        found = [task.task_id async for task in aeterna.threads.leases.stuck(page=1)]
        freed = await aeterna.threads.leases.free(TASK)

    assert (found, freed.epoch, freed.agent) == (["task-2"], 2, "bot")


def test_only_an_administrator_operates(serving: Serving) -> None:
    """Neither who writes nor who runs: one table for one process, since a process takes seconds to start."""
    for roles in (["writer"], ["reader"], ["runner"], []):
        token = serving.token("acme", roles=roles, kind="agent")
        with Aeterna(graph_url=serving.url, threads_url=serving.url, token=token) as aeterna:
            with pytest.raises(PolicyDeniedError):
                aeterna.threads.leases.free(TASK)
            with pytest.raises(PolicyDeniedError):
                list(aeterna.threads.leases.stuck())


def test_only_an_agent_with_the_role_of_a_runner_runs(serving: Serving) -> None:
    def status(kind: str, role: str) -> int:
        headers = {"Authorization": f"Bearer {serving.token('acme', subject='bot', kind=kind, roles=[role])}"}
        return serving.agent.put("/runners/pod-9", json={"ttl_seconds": 1}, headers=headers).status_code

    statuses = {(kind, role): status(kind, role) for kind in ("agent", "user") for role in ("runner", "writer")}

    assert statuses == {
        ("agent", "runner"): 204,
        ("agent", "writer"): 403,
        ("user", "runner"): 403,
        ("user", "writer"): 403,
    }
