"""The decision log of a real sidecar: several workers, a kill, a restart, and the command that checks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from fixtures.fix_policy import document

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

COMMAND = (sys.executable, "-P", "-m", "aeterna.policy")


def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def sidecar(folder: Path) -> Generator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """Run a sidecar of two workers that writes every decision down, and end it."""
    socket = folder / "s"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AETERNA_")} | {
        "AETERNA_POLICY_SOCKET": str(socket),
        "AETERNA_POLICY_STATE": str(folder / "state"),
        "AETERNA_POLICY_WORKERS": "2",
        "AETERNA_POLICY_AUDIT_LOG": str(folder / "log"),
    }
    with (folder / "stderr").open("wb") as log:
        process = subprocess.Popen(COMMAND, env=environment, stderr=log)
    until(lambda: b'"service.listening"' in (folder / "stderr").read_bytes())
    transport = httpx.HTTPTransport(uds=str(socket), limits=httpx.Limits(max_keepalive_connections=0))
    with httpx.Client(transport=transport, base_url="http://policy", timeout=20) as client:
        try:
            until(lambda: client.get("/ready").status_code == 200)
            yield process, client
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.parametrize("arguments", [("verify-logs", "log"), ("verify-log",), ("--serve",)])
def test_what_the_program_does_not_know_is_wrong_usage_and_starts_nothing(arguments: tuple[str, ...]) -> None:
    ended = subprocess.run((*COMMAND, *arguments), capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: python -m aeterna.policy")


def verified(folder: Path) -> tuple[int, str]:
    """Return the exit status of the check, and what it said."""
    ended = subprocess.run(
        (*COMMAND, "verify-log", str(folder)), capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def decisions(folder: Path) -> list[str]:
    """Return the ids of the subjects that were decided about, from all chains."""
    lines = [line for path in folder.glob("chain-*/*.jsonl") for line in path.read_text().splitlines(keepends=True)]
    records = [json.loads(line)["record"] for line in lines if line.endswith("\n")]
    return [record["principal"]["id"] for record in records if record["kind"] == "decision"]


def ask(client: httpx.Client, subject: str) -> None:
    """Ask about a subject."""
    properties = {"tenant": "acme", "roles": ["reader"]}
    question = document(subject={"type": "User", "id": subject, "properties": properties})
    assert client.post("/access/v1/evaluation", json=question).json()["decision"] is True


def ask_until_both_workers_answered(client: httpx.Client, log: Path) -> list[str]:
    """Ask 20 times, and more often where the second worker is still starting; return whom it was asked about."""
    asked: list[str] = []
    while len(asked) < 20 or len(list(log.glob("chain-*/*.jsonl"))) < 2:
        assert len(asked) < 10_000
        asked.append(f"before-{len(asked)}")
        ask(client, asked[-1])
    return asked


def test_every_decision_of_every_worker_is_in_a_chain_that_holds_even_after_a_kill(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with sidecar(tmp_path) as (process, client):
        before = ask_until_both_workers_answered(client, log)
        until(lambda: len(decisions(log)) == len(before))
        workers = psutil.Process(process.pid).children()
        for victim in (*workers, psutil.Process(process.pid)):
            victim.send_signal(signal.SIGKILL)
        psutil.wait_procs(workers, 20)
    with sidecar(tmp_path) as (_, client):
        for number in range(20):
            ask(client, f"after-{number}")

    status, said = verified(log)

    expected = {*before, *(f"after-{number}" for number in range(20))}
    assert (status, said.count("holds")) == (0, 2)
    assert sorted(decisions(log)) == sorted(expected)


def test_the_command_names_the_record_that_was_changed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with sidecar(tmp_path) as (_, client):
        ask(client, "mallory")
    (path,) = [path for path in log.glob("chain-*/*.jsonl") if "mallory" in path.read_text()]
    path.write_text(path.read_text().replace("mallory", "innocent"))

    status, said = verified(log)

    assert status == 1
    assert f"broken: {path.parent.name}/{path.name}:2: " in said


def test_where_there_is_no_log_the_command_says_so(tmp_path: Path) -> None:
    assert [verified(tmp_path)[0], verified(tmp_path / "nowhere")[0]] == [1, 1]
