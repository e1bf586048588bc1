"""Asks the services of a local runtime how they are."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeAlias

import httpx

from aeterna.cli.local.parts import ORDER, POSTGRES
from aeterna.cli.local.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from aeterna.cli.local.record import Record
    from aeterna.cli.local.state_dir import StateDir

Health: TypeAlias = Literal["ready", "not ready", "stopped"]
PATIENCE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartStatus:
    """How one part is."""

    part: str
    health: Health
    pid: int | None
    url: str | None


def answers_ready(url: str, patience: float = PATIENCE) -> bool:
    """Return whether a service says that it is ready."""
    try:
        return httpx.get(f"{url}/ready", timeout=patience, trust_env=False).status_code == HTTPStatus.OK
    except httpx.HTTPError:
        return False


def statuses(state: StateDir, record: Record) -> list[PartStatus]:
    """Return how every part is."""
    return [_status(state, record, part) for part in ORDER]


def _status(state: StateDir, record: Record, part: str) -> PartStatus:
    url = None if part == POSTGRES or record.base_port is None else record.url(part)
    if not record.alive(part):
        return PartStatus(part=part, health="stopped", pid=None, url=url)
    pid = record.processes[part].pid
    ready = EmbeddedPostgres.of(state).ready(pid) if url is None else answers_ready(url)
    return PartStatus(part=part, health="ready" if ready else "not ready", pid=pid, url=url)
