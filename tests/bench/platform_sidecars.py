"""What a pod pays for its sidecars: until they are ready, while nothing happens, and when a secret rotates.

They are started one after the other, as native sidecars are, each with the environment that is injected but for the
paths. Vault is a pretended one that speaks the real API, in this process, which is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from policy_servers import Server, cpu_seconds, free_port, ready, rss_mb

from fixtures.vault_server import FakeVault
from fixtures.vault_state import Role, VaultState

if TYPE_CHECKING:
    from collections.abc import Generator

IDLE_SECONDS = 30.0
ROTATIONS = 8
JWT = "a.pods.token"
SHORT = Role(ttl=6, max_ttl=6, renewable=False)
"""Credentials that cannot be prolonged: each end is a rotation."""


def say(text: str) -> None:
    """Report progress."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def configured(folder: Path, vault: FakeVault) -> None:
    """Write what the secrets sidecar keeps: a password of a database, and a key that is only read."""
    login = {"method": "jwt", "role": "app", "token_file": str(folder / "token")}
    document = {
        "sources": {"vault": {"kind": "vault", "address": vault.url, "login": login}},
        "secrets": {
            "database": {"source": "vault", "dynamic": "database/creds/app", "grace": 1},
            "api": {"source": "vault", "kv": "app/api"},
        },
        "files": [{"file": "database.json", "json": "database"}, {"file": "api.json", "json": "api"}],
    }
    (folder / "config").mkdir()
    (folder / "config" / "secrets.yaml").write_text(yaml.safe_dump(document))
    (folder / "token").write_text(JWT)


def policy(folder: Path) -> Server:
    """Return the policy sidecar, on a socket and with its shipped bundle."""
    port = free_port()
    return Server(
        name="policy",
        command=[sys.executable, "-P", "-m", "aeterna.policy"],
        port=port,
        ready_path=b"/ready",
        requests=[],
        environment={
            "AETERNA_POLICY_SOCKET": str(folder / "policy.sock"),
            "AETERNA_POLICY_HEALTH_PORT": str(port),
            "AETERNA_POLICY_STATE": str(folder / "state"),
            "AETERNA_POLICY_TENANT": "acme",
            "AETERNA_POLICY_LOG_LEVEL": "warning",
        },
    )


def secrets(folder: Path) -> Server:
    """Return the secrets sidecar, writing into memory."""
    port = free_port()
    return Server(
        name="secrets",
        command=[sys.executable, "-P", "-m", "aeterna.secrets"],
        port=port,
        ready_path=b"/ready",
        requests=[],
        environment={
            "AETERNA_SECRETS_SOCKET": str(folder / "secrets.sock"),
            "AETERNA_SECRETS_HEALTH_PORT": str(port),
            "AETERNA_SECRETS_CONFIG": str(folder / "config"),
            "AETERNA_SECRETS_FILES": str(folder / "files"),
            "AETERNA_SECRETS_LOG_LEVEL": "warning",
        },
    )


@contextmanager
def sidecar(server: Server) -> Generator[tuple[int, float]]:
    """Start one, and yield its process and how many seconds it took to be ready."""
    begun = time.perf_counter()
    process = subprocess.Popen(server.command, env={**os.environ, **server.environment}, stderr=subprocess.DEVNULL)
    try:
        while not ready(server):
            if process.poll() is not None:
                raise SystemExit(f"{server.name} ended with {process.returncode}")
            time.sleep(0.005)
        yield process.pid, time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait()


def memory_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder in memory, as the pod's volume is."""
    return tempfile.TemporaryDirectory(dir="/dev/shm")


def vault_state(role: Role) -> VaultState:
    """Return what the pretended Vault knows."""
    return VaultState(
        logins={JWT: "app"}, dynamic={"database/creds/app": role}, kv={("", "secret/app/api"): [{"key": "k"}]}
    )


def idle() -> dict[str, object]:
    """Return what both take while nothing is asked of them."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(memory_folder()))
        (folder / "files").mkdir()
        vault = opened.enter_context(FakeVault(vault_state(Role())))
        configured(folder, vault)
        pids: dict[str, int] = {}
        starts: dict[str, float] = {}
        for server in (policy(folder), secrets(folder)):
            pids[server.name], starts[server.name] = opened.enter_context(sidecar(server))
        time.sleep(3)
        before = {name: cpu_seconds(pid) for name, pid in pids.items()}
        say(f"both are ready after {sum(starts.values()):.2f} s; looking on for {IDLE_SECONDS:.0f} s")
        time.sleep(IDLE_SECONDS)
        cores = {name: (cpu_seconds(pid) - before[name]) / IDLE_SECONDS for name, pid in pids.items()}
        memory = {name: rss_mb(pid) for name, pid in pids.items()}
    return {
        "ready_seconds": {**_rounded(starts, 2), "one_after_the_other": round(sum(starts.values()), 2)},
        "idle_cores": {**_rounded(cores, 4), "both": round(sum(cores.values()), 4)},
        "rss_mb": {**_rounded(memory, 1), "both": round(sum(memory.values()), 1)},
    }


def rotations() -> dict[str, object]:
    """Return how long after Vault gave out new credentials an application reads them in its file."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(memory_folder()))
        (folder / "files").mkdir()
        state = vault_state(SHORT)
        given: dict[str, float] = {}
        vault = opened.enter_context(FakeVault(state))
        configured(folder, vault)
        opened.enter_context(sidecar(secrets(folder)))
        file, seen, late = (
            folder / "files" / "database.json",
            username(folder / "files" / "database.json"),
            list[float](),
        )
        while len(late) < ROTATIONS:
            given |= {
                lease.username: time.perf_counter() for lease in [*state.leases.values()] if lease.username not in given
            }
            found = username(file)
            if found != seen:
                late.append(time.perf_counter() - given[found])
                seen = found
                say(f"rotation {len(late)} of {ROTATIONS}: {late[-1] * 1000:.1f} ms")
            time.sleep(0.0005)
    return {
        "rotations": ROTATIONS,
        "visible_ms_median": _ms(sorted(late)[ROTATIONS // 2]),
        "visible_ms_worst": _ms(max(late)),
    }


def username(file: Path) -> str:
    """Return whom the file says to log in as, as an application reads it."""
    return str(json.loads(file.read_text())["username"])


def report() -> dict[str, object]:
    """Measure and return the figures."""
    return {**idle(), **rotations()}


def _rounded(values: dict[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in values.items()}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
