"""Starts, repairs and stops the runtime of one state folder."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aeterna.cli.errors import CommandError, PartFailedError
from aeterna.cli.local import ports
from aeterna.cli.local.bundle_key import make_bundle_key
from aeterna.cli.local.parts import ORDER, POSTGRES, TITLES, inherited, services
from aeterna.cli.local.postgres import EmbeddedPostgres, remove_far_sockets
from aeterna.cli.local.processes import POLL, ProcessRecord, spawn, stop, tail
from aeterna.cli.local.push_keys import make_push_keys
from aeterna.cli.local.readiness import answers_ready
from aeterna.cli.local.record import PORTS, Record
from aeterna.cli.local.tokens import Signer, local_token

if TYPE_CHECKING:
    from aeterna.cli.local.parts import Service
    from aeterna.cli.local.state_dir import StateDir
    from aeterna.cli.progress import Progress

STOPPING = 15.0
"""Seconds a part may take to finish what it has begun before it is killed."""
DATABASE_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a start did: the parts that it started (none when all ran) and how long each took to be ready."""

    parts: tuple[str, ...]
    seconds: Mapping[str, float]
    token: str


class LocalRuntime:
    """The runtime of one state folder; the caller holds the folder's lock while it starts or stops."""

    def __init__(self, state: StateDir, environment: Mapping[str, str], progress: Progress) -> None:
        self._state = state
        self._environment = environment
        self._progress = progress
        self.record = Record.read(state)

    def start(self, base_port: int | None, patience: float) -> Started:
        """Start every part that does not run, and wait until all are ready; stop what it started when one is not."""
        self._state.make()
        missing = tuple(part for part in ORDER if not self.record.alive(part))
        self._choose_ports(base_port, missing)
        signer = Signer.of(self._state)
        make_bundle_key(self._state)
        make_push_keys(self._state)
        token = local_token(self._state, signer, datetime.now(UTC))
        postgres = EmbeddedPostgres.of(self._state)
        known = services(self._state, self.record, postgres.dsn, self._environment)
        try:
            seconds = self._start(missing, postgres, known, patience)
        except BaseException:
            self._progress.drop()
            self.stop(missing)
            raise
        return Started(parts=missing, seconds=seconds, token=token)

    def stop(self, parts: tuple[str, ...] = ORDER) -> dict[str, bool]:
        """Stop parts in the reverse of their order; return for each that ran whether it went by itself."""
        stopped: dict[str, bool] = {}
        for part in reversed([part for part in ORDER if part in parts]):
            if self.record.alive(part):
                # PostgreSQL waits for its clients on SIGTERM, and sends them away in good order on SIGINT.
                how = signal.SIGINT if part == POSTGRES else signal.SIGTERM
                stopped[part] = stop(self.record.processes[part], how, STOPPING)
            self.record.processes.pop(part, None)
        if POSTGRES in stopped:
            remove_far_sockets(self._state)
        if self._state.root.is_dir():
            self.record.write(self._state)
        return stopped

    def _start(
        self, missing: tuple[str, ...], postgres: EmbeddedPostgres, known: Mapping[str, Service], patience: float
    ) -> dict[str, float]:
        began = {part: time.monotonic() for part in missing}
        latest = time.monotonic() + patience
        # The sidecar needs no database: it warms up while that starts.
        if "policy" in missing:
            self._launch(known["policy"])
        seconds: dict[str, float] = {}
        if POSTGRES in missing:
            self._progress.start(TITLES[POSTGRES])
            self._start_postgres(postgres, latest)
            self._progress.done(TITLES[POSTGRES], "ready")
            seconds[POSTGRES] = time.monotonic() - began[POSTGRES]
        for part in ("graph", "threads", "policies"):
            if part in missing:
                began[part] = time.monotonic()
                self._launch(known[part])
        waiting: list[str] = list(PORTS)
        while waiting:
            for part in [part for part in waiting if answers_ready(known[part].url)]:
                waiting.remove(part)
                if part in missing:
                    self._progress.done(TITLES[part], f"ready at {known[part].url}")
                    seconds[part] = time.monotonic() - began[part]
            for part in waiting:
                self._require_alive(part, latest)
            time.sleep(POLL)
        return seconds

    def _choose_ports(self, base_port: int | None, missing: tuple[str, ...]) -> None:
        running = [part for part in PORTS if part not in missing]
        if running and base_port not in {None, self.record.base_port}:
            problem = f"this runtime runs already, from port {self.record.base_port} on"
            raise CommandError(problem, "run: aeterna down, and then aeterna up with --port")
        if base_port is not None and not running:
            self.record.base_port = base_port
            for offset in range(len(PORTS)):
                ports.require_free(base_port + offset)
        base = self.record.base_port
        if base is None or (not running and not all(ports.is_free(base + offset) for offset in range(len(PORTS)))):
            self.record.base_port = ports.free_block(self._state.root, len(PORTS))
        for part in PORTS:
            if part in missing and self.record.base_port is not None:
                ports.require_free(self.record.base_port + PORTS.index(part))

    def _start_postgres(self, postgres: EmbeddedPostgres, latest: float) -> None:
        environment = inherited(self._environment)
        postgres.initialise(environment)
        for attempt in range(1, DATABASE_TRIES + 1):
            process = spawn(postgres.command(), environment, self._state.log(POSTGRES))
            self._remember(POSTGRES, process)
            while process.alive and not postgres.ready(process.pid) and time.monotonic() < latest:
                time.sleep(POLL)
            if process.alive:
                break
            # After a crash its children may hold the shared memory for a moment longer than their parent lived.
            if attempt < DATABASE_TRIES:
                time.sleep(attempt)
        self._require_alive(POSTGRES, latest)
        postgres.set_up(environment)

    def _launch(self, service: Service) -> None:
        self._progress.start(TITLES[service.name])
        self._remember(service.name, spawn(service.command, service.environment, self._state.log(service.name)))

    def _remember(self, part: str, process: ProcessRecord) -> None:
        self.record.processes[part] = process
        self.record.write(self._state)

    def _require_alive(self, part: str, latest: float) -> None:
        log = self._state.log(part)
        if not self.record.alive(part):
            raise PartFailedError(TITLES[part], "ended while it started", log, tail(log))
        if time.monotonic() > latest:
            raise PartFailedError(TITLES[part], "runs and was not ready in time", log, tail(log))
