"""`aeterna mcp`: the deployment's tools for an agent on this machine."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import anyio
import click

from aeterna.cli import errors
from aeterna.cli.connection import told
from aeterna.cli.mcp_forwarding import forward
from aeterna.cli.options import state_dir_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command("mcp", short_help="Serve the graph's tools to an agent on this machine.")
@state_dir_option
def mcp_server(*, state_dir: Path | None) -> None:
    """Speak the Model Context Protocol on stdin and stdout, and forward it to the graph API.

    An agent's program starts this command by itself; a person has no use for it in a terminal. It asks with the token
    that the other commands ask with, of the deployment that they ask: set AETERNA_GRAPH_URL and AETERNA_TOKEN_FILE, or
    run: aeterna up. A token file is read again when it changes, so that a long conversation outlives a token.

    \b
    For example, in an agent's configuration:
      {"mcpServers": {"aeterna": {"command": "aeterna", "args": ["mcp"]}}}
    """
    found = told(state_dir)
    signal.signal(signal.SIGINT, _end)
    anyio.run(forward, found)


def _end(_number: int, _frame: object) -> None:
    # At once: a thread waits for a line from stdin, which cannot be taken back, and nothing here waits to be written.
    os._exit(errors.INTERRUPTED)
