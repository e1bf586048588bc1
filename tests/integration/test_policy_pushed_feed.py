"""A sidecar with two workers that OPAL pushes to: one epoch for all, and what was pushed outlives a kill."""

from __future__ import annotations

import signal
import socket
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import httpx

from aeterna.policy.settings import SHIPPED
from fixtures.api_processes import PATIENCE, service_process
from fixtures.fix_policy import document

if TYPE_CHECKING:
    from pathlib import Path

NOBODY_READS = '@id("nobody-reads") forbid(principal, action == Aeterna::Action::"graph.read", resource);'


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, count: int = 8) -> list[dict[str, Any]]:
    """Return what as many connections are told, so that every worker is asked."""
    found: list[dict[str, Any]] = []
    for _ in range(count):
        answer = httpx.post(f"{url}/access/v1/evaluation", json=document(), trust_env=False)
        assert answer.status_code == 200
        found.append(answer.json())
    return found


def epochs_when(url: str, *, decision: bool) -> set[int]:
    """Ask until all say this, and return the epochs that they say it in."""
    latest = time.monotonic() + PATIENCE
    while True:
        found = answers(url)
        if {answer["decision"] for answer in found} == {decision}:
            return {answer["context"]["epoch"] for answer in found}
        assert time.monotonic() < latest, found
        time.sleep(0.05)  # the pace of looking


def test_what_is_pushed_is_one_epoch_for_every_worker_and_outlives_a_kill(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("correct horse")
    port = free_port()
    environment = {
        "ADMIN_PORT": str(port),
        "ADMIN_TOKEN_FILE": str(token),
        "STATE": str(tmp_path / "state"),
        "QUIET_PERIOD": "0.1",
        "WORKERS": "2",
    }
    store = httpx.Client(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "Bearer correct horse"}, trust_env=False
    )

    def put(id_: str, text: str) -> int:
        return store.put(f"/v1/policies/{quote_plus(id_)}", json={"content": text}).status_code

    with store:
        with service_process("aeterna.policy", environment, tmp_path) as sidecar:
            seed = epochs_when(sidecar.url, decision=True)
            statuses = {
                store.put("/v1/data", content=(SHIPPED / "entities.json").read_bytes()).status_code,
                put("app/aeterna.cedar", (SHIPPED / "aeterna.cedar").read_text()),
                put("app/aeterna.cedarschema", (SHIPPED / "aeterna.cedarschema").read_text()),
                put("app/nobody.cedar", NOBODY_READS),
            }
            pushed = epochs_when(sidecar.url, decision=False)
            sidecar.process.send_signal(signal.SIGKILL)
            sidecar.process.wait(PATIENCE)
        with service_process("aeterna.policy", environment, tmp_path) as sidecar:
            restarted = epochs_when(sidecar.url, decision=False)
            listed = {policy["id"] for policy in store.get("/v1/policies").json()}
            deleted = store.delete(f"/v1/policies/{quote_plus('app/nobody.cedar')}").status_code
            changed = epochs_when(sidecar.url, decision=True)

    assert (statuses, deleted) == ({200}, 204)
    assert listed == {"app/aeterna.cedar", "app/aeterna.cedarschema", "app/nobody.cedar"}
    assert (seed, pushed, restarted, changed) == ({1}, {2}, {2}, {3})
