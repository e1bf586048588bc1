"""`aeterna threads tasks` against a real thread store: what an agent does for somebody, and its end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aeterna.cli.main import run
from aeterna.client import AsyncAeterna, TaskNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from aeterna.service.testing import SigningKey
    from fixtures.fix_threads import ServiceProcess

TASKS = "/api/v1/tasks"


@pytest.fixture
def store(
    start_threads: Callable[..., ServiceProcess], signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> ServiceProcess:
    """Return a thread store with one task, which the command reaches with the agent's token."""
    process = start_threads()
    token = signing_key.token("acme", subject="helper", roles=("runner",), kind="agent")
    monkeypatch.setenv("AETERNA_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AETERNA_THREADS_URL", process.url)
    monkeypatch.setenv("AETERNA_TOKEN", token)
    return process


@pytest.fixture
def task(store: ServiceProcess, service_client: Callable[..., httpx.Client], signing_key: SigningKey) -> str:
    """Return the id of a task of ada's that the agent works on."""
    agent = service_client(store, "acme", ("runner",))
    token = signing_key.token("acme", subject="helper", roles=("runner",), kind="agent")
    said = {"kind": "text", "text": "book a table"}
    asked = {"kind": "message", "streamed": False, "said": True, "author": "ada", "message_id": "m-1"}
    working = {"state": "TASK_STATE_WORKING"}
    write: dict[str, Any] = {
        "task_id": "task-1",
        "owner": "ada",
        "write_id": "w-1",
        "creation": {"context_id": "c-1"},
        "state": "TASK_STATE_WORKING",
        "status": working,
        "rows": [
            asked | {"role": "user", "parts": [said]},
            {"kind": "status", "streamed": True, "author": "helper", "payload": {"status": working}},
        ],
    }
    headers = {"Authorization": f"Bearer {token}"}
    answer = agent.post(f"{TASKS}/writes", json={"writes": [write]}, headers=headers).raise_for_status()
    assert "problem" not in answer.json()["results"][0], answer.text
    return "task-1"


def test_a_task_is_listed_shown_cancelled_and_followed_to_its_end(
    task: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second cancel fails: nothing is written after an end."""
    listed = told(["list", "--owner", "ada", "--state", "working"], capsys)
    shown = told(["show", task, "--owner", "ada"], capsys)
    cancelled = told(["cancel", task, "--owner", "ada"], capsys)
    followed = [json.loads(line) for line in said(["tail", task, "--owner", "ada", "--json"], capsys).splitlines()]
    again = run(["threads", "tasks", "cancel", task, "--owner", "ada"])

    assert [(one["task_id"], one["state"]) for one in listed["tasks"]] == [(task, "TASK_STATE_WORKING")]
    assert shown["rows"][0]["content"]["parts"][0]["text"] == "book a table"
    assert cancelled["version"] == 3
    assert [(row["seq"], row["kind"]) for row in followed] == [(1, "message"), (2, "status"), (3, "status")]
    assert again == 1
    assert "threads.task_ended" in capsys.readouterr().err


def test_the_task_of_another_owner_is_not_there(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = run(["threads", "tasks", "show", task, "--owner", "eve"])

    assert status == 1
    assert "threads.task_not_found" in capsys.readouterr().err
    assert told(["list", "--owner", "eve"], capsys) == {"tasks": []}


def test_a_person_reads_no_task_in_the_place_of_an_agent(
    task: str, signing_key: SigningKey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AETERNA_TOKEN", signing_key.token("acme", subject="ada", roles=("admin",)))

    assert run(["threads", "tasks", "show", task, "--owner", "ada"]) == 4
    assert "policy.denied" in capsys.readouterr().err


@pytest.mark.anyio
async def test_asynchronous_code_sees_the_same(store: ServiceProcess, task: str, signing_key: SigningKey) -> None:
    token = signing_key.token("acme", subject="helper", roles=("runner",), kind="agent")
    async with AsyncAeterna(graph_url="http://127.0.0.1:9", threads_url=store.url, token=token) as aeterna:
        tasks = aeterna.threads.tasks
        listed = [one.task_id async for one in tasks.list("ada", page=1)]
        page = await tasks.rows(task, "ada", after=1, limit=1)
        with pytest.raises(TaskNotFoundError):
            await tasks.get("none", "ada")
        ended = await tasks.cancel(task, "ada")

    assert listed == [task]
    assert ([row.seq for row in page.rows], page.ended, ended.version) == ([2], False, 3)


def said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must succeed and return what it printed."""
    capsys.readouterr()
    assert run(["threads", "tasks", *arguments]) == 0
    return capsys.readouterr().out


def told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> Any:  # noqa: ANN401 - JSON of the command
    """Run a command that must succeed and return its document."""
    return json.loads(said([*arguments, "--json"], capsys))
