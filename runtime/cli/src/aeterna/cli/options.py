"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

state_dir_option = click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the local runtime; by default $AETERNA_STATE_DIR, or .aeterna in the checkout.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
