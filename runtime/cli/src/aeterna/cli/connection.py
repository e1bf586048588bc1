"""Makes the client that a command speaks through: as the environment says, or else of the local runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aeterna.cli.errors import NotRunningError
from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.settings import CommandSettings
from aeterna.client import Aeterna, FixedToken, TokenFile
from aeterna.client.settings import GRAPH_URL, POLICIES_URL, THREADS_URL, TOKEN, Settings

if TYPE_CHECKING:
    from pathlib import Path

    from aeterna.client import TokenSource


def connect(state_dir: Path | None) -> Aeterna:
    """Return a client; raise `NotRunningError` when neither the environment nor a local runtime says where to."""
    found = told(state_dir)
    return Aeterna(
        graph_url=found.graph_url,
        threads_url=found.threads_url,
        token=found.token,
        policies_url=found.policies_url,
        ca_file=found.ca_file,
    )


def told(state_dir: Path | None) -> Settings:
    """Return where the services are and who asks; raise `NotRunningError` when nothing says where.

    A token of the environment goes before the local runtime's own, which is a person's: an agent's is told so.
    """
    settings = CommandSettings.read(state_dir)
    if any(name in settings.environment for name in (GRAPH_URL, THREADS_URL, POLICIES_URL)):
        return Settings.from_env(settings.environment)
    state = StateDir(settings.state_dir)
    record = Record.read(state)
    if record.base_port is None or not record.processes:
        raise NotRunningError(settings.state_dir)
    token = settings.environment.get(TOKEN, "").strip()
    return _of_a_record(record, FixedToken(token) if token else TokenFile(state.token))


def local_client(state: StateDir, record: Record, token: TokenSource | None = None) -> Aeterna:
    """Return a client of the runtime that a record describes, with its own token or another one."""
    found = _of_a_record(record, token or TokenFile(state.token))
    return Aeterna(
        graph_url=found.graph_url, threads_url=found.threads_url, token=found.token, policies_url=found.policies_url
    )


def _of_a_record(record: Record, token: TokenSource) -> Settings:
    return Settings(
        graph_url=record.url("graph"),
        threads_url=record.url("threads"),
        policies_url=record.url("policies"),
        token=token,
    )
