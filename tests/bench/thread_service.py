"""The thread store, its policy sidecar and agents as real processes, for what the benchmark asks over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.service.testing import SigningKey

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

TENANT: Final = "acme"
AGENT: Final = Path(__file__).parent.parent / "fixtures" / "storm_agent.py"


@dataclass(slots=True)
class Running:
    """One process and where it listens."""

    process: subprocess.Popen[bytes]
    url: str

    @property
    def resident_megabytes(self) -> float:
        """What the process holds in memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@dataclass(frozen=True, slots=True)
class Ground:
    """A thread store that answers, and what its neighbours need to be believed by it."""

    folder: Path
    key: SigningKey
    store: Running
    shared: Mapping[str, str]

    def token(self, *, subject: str = "ada", kind: str = "user", roles: Sequence[str] = ("admin",)) -> str:
        """Return a token of the benchmark's tenant that outlives it."""
        return self.key.token(TENANT, subject=subject, kind=kind, roles=roles, exp=2**33)

    @contextmanager
    def agent(self, *arguments: str) -> Generator[Running]:
        """Run a process of the storm's agent."""
        token = self.folder / "agent.token"
        token.write_text(self.token(subject="teller", kind="agent", roles=["runner"]))
        environment = {f"AETERNA_AGENT_{key}": value for key, value in self.shared.items()} | {
            "AETERNA_AGENT_PORT": "0",
            "AETERNA_AGENT_THREADS_URL": self.store.url,
            "AETERNA_AGENT_TOKEN_FILE": str(token),
        }
        with running([str(AGENT), *arguments], environment) as agent:
            yield agent


@contextmanager
def running(program: Sequence[str], environment: Mapping[str, str]) -> Generator[Running]:
    """Run one of our programs until it is no longer needed, or raise with its log when it does not start."""
    with tempfile.NamedTemporaryFile("w+", suffix=".log") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", *program], env={"PATH": os.environ["PATH"], **environment}, stderr=log
        )
        try:
            yield Running(process, f"http://{_address(process, Path(log.name))}")
        finally:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        for line in log.read_text().splitlines():
            if '"service.listening"' in line and line.endswith("}"):
                return str(json.loads(line)["address"])
        time.sleep(0.01)
    raise RuntimeError(log.read_text())


@contextmanager
def thread_service(dsn: str, folder: Path) -> Generator[Ground]:
    """Run a thread store on the database, with the policies that the sidecar ships."""
    key, socket = SigningKey(), folder / "policy.sock"
    shared = {
        "ISSUER": key.issuer,
        "JWKS": str(key.write_jwks(folder / "jwks.json")),
        "POLICY_URL": f"unix:{socket}",
    }
    environment = {f"AETERNA_THREADS_{name}": value for name, value in shared.items()} | {
        "AETERNA_THREADS_PORT": "0",
        "AETERNA_THREADS_DSN": dsn,
        "AETERNA_THREADS_MAX_STREAMS": "4000",
    }
    with (
        running(["-m", "aeterna.policy"], {"AETERNA_POLICY_SOCKET": str(socket)}),
        running(["-m", "aeterna.threads"], environment) as store,
    ):
        yield Ground(folder, key, store, shared)
