"""`aeterna synth`: the example stacks as Terraform JSON in ``cdktf.out``."""

from __future__ import annotations

import click

from aeterna.cli import output
from aeterna.cli.errors import CommandError
from aeterna.cli.local import synthesis
from aeterna.cli.options import json_option
from aeterna.cli.progress import Progress
from aeterna.cli.settings import CommandSettings


@click.command(short_help="Synthesize the example stacks into cdktf.out.")
@json_option
def synth(*, as_json: bool) -> None:
    """Synthesize the example stacks into cdktf.out."""
    if not synthesis.available():
        problem = "the stacks are not installed in this environment"
        raise CommandError(problem, "run: make venv  (the distribution is aeterna-stacks)")
    settings, progress = CommandSettings.read(None), Progress()
    with (
        progress.during("example stacks"),
        synthesis.Synthesis(settings.project, settings.environment) as run,
    ):
        said = run.finish()
    out = settings.project / "cdktf.out"
    progress.done("example stacks", "synthesized")
    if said:
        click.echo(said.rstrip(), err=True)
    stacks = sorted(path.name for path in (out / "stacks").iterdir()) if (out / "stacks").is_dir() else []
    output.answer(
        {"output": str(out), "stacks": stacks},
        as_json=as_json,
        human=lambda: click.echo("\n".join(str(out / "stacks" / name) for name in stacks)),
    )
