"""`aeterna down`: stops the runtime of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.local.parts import TITLES
from aeterna.cli.local.runtime import LocalRuntime
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.progress import Progress
from aeterna.cli.settings import CommandSettings

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Stop the runtime of this machine.")
@json_option
@state_dir_option
def down(*, as_json: bool, state_dir: Path | None) -> None:
    """Stop every part in good order; a part that has not ended after 15 s is killed. The data stay."""
    settings = CommandSettings.read(state_dir)
    state, progress = StateDir(settings.state_dir), Progress()
    stopped: dict[str, bool] = {}
    if state.root.is_dir():
        with state.locked(lambda: progress.line("Waiting for another aeterna command on this folder …")):
            stopped = LocalRuntime(state, settings.environment, progress).stop()

    def tell() -> None:
        for part, willingly in stopped.items():
            click.echo(f"  {TITLES[part]}: {'stopped' if willingly else 'killed, it did not end in time'}")
        if not stopped:
            click.echo("Nothing is running.")

    document = {part: "stopped" if willingly else "killed" for part, willingly in stopped.items()}
    output.answer({"stopped": document}, as_json=as_json, human=tell)
