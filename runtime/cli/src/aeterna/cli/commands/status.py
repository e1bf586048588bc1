"""`aeterna status`: how each part of the runtime is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aeterna.cli import errors, output
from aeterna.cli.local.parts import TITLES
from aeterna.cli.local.readiness import statuses
from aeterna.cli.local.record import Record
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.settings import CommandSettings

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Tell how each part of the runtime is.")
@json_option
@state_dir_option
def status(*, as_json: bool, state_dir: Path | None) -> int:
    """Tell how each part is. The exit status is 0 when all are ready, 3 when none runs, and 1 in between."""
    state = StateDir(CommandSettings.read(state_dir).state_dir)
    found = statuses(state, Record.read(state))

    def tell() -> None:
        output.table(
            ("part", "state", "pid", "address"),
            [(TITLES[one.part], one.health, str(one.pid or "-"), one.url or "-") for one in found],
        )

    parts = {one.part: {"health": one.health, "pid": one.pid, "url": one.url} for one in found}
    output.answer({"state_dir": str(state.root), "parts": parts}, as_json=as_json, human=tell)
    if all(one.health == "ready" for one in found):
        return errors.DONE
    return errors.UNREACHABLE if all(one.health == "stopped" for one in found) else errors.FAILED
