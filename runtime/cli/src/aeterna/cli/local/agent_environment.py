"""What the process of an agent reads to run beside the local runtime."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from aeterna.cli.errors import CommandError, NotRunningError
from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import PRIVATE_FOLDER, write_private
from aeterna.cli.local.tokens import AUDIENCE, ISSUER

if TYPE_CHECKING:
    from aeterna.cli.local.state_dir import StateDir

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def agent_environment(state: StateDir, agent: str, token: str) -> dict[str, str]:
    """Write the agent's token into the folder and return the variables that lead to it and to the services."""
    if not _NAME.fullmatch(agent):
        raise CommandError(f"{agent!r} cannot be the name of a file", "use letters, digits, dots, dashes")
    record = Record.read(state)
    if record.base_port is None or not record.processes:
        raise NotRunningError(state.root)
    folder = state.root / "agents"
    folder.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    file = folder / f"{agent}.token"
    write_private(file, token + "\n")
    return {
        "AETERNA_AGENT_THREADS_URL": record.url("threads"),
        "AETERNA_AGENT_TOKEN_FILE": str(file),
        "AETERNA_AGENT_ISSUER": ISSUER,
        "AETERNA_AGENT_AUDIENCE": AUDIENCE,
        "AETERNA_AGENT_JWKS": str(state.jwks),
        "AETERNA_AGENT_POLICY_URL": record.url("policy"),
    }


def shell_lines(environment: dict[str, str]) -> str:
    """Return the variables as a shell takes them."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
