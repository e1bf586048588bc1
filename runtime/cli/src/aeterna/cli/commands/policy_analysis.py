"""`aeterna policy validate` and `compare`: look at folders of policies, in a process that knows Cedar."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import click

from aeterna.cli import errors
from aeterna.cli.errors import CommandError
from aeterna.cli.options import json_option

MODULE = "aeterna.policies"
_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command(short_help="Say what is wrong with the policies of a folder.")
@click.argument("folder", type=_FOLDER)
@click.option("--strict", is_flag=True, help="Refuse what could not be decided, too.")
@click.option("--all", "everything", is_flag=True, help="Also show what an annotation excuses.")
@click.option("--cache", type=click.Path(path_type=Path, dir_okay=False), help="Remember what was learned here.")
@click.option("--patience", type=click.FloatRange(min=0), help="Seconds to look for; what is open then is undecided.")
@click.option("--format", "shape", type=click.Choice(["text", "github"]), help="github: annotations of a workflow.")
@json_option
def validate(
    *,
    folder: Path,
    strict: bool,
    everything: bool,
    cache: Path | None,
    patience: float | None,
    shape: str | None,
    as_json: bool,
) -> int:
    """Say what is wrong with the policies of FOLDER: mistakes, contradictions, repetitions.

    Exit status 1 when they must not be deployed, as the service would refuse them too.

    Example: aeterna policy validate ./policies
    """
    if as_json and shape is not None:
        raise click.UsageError("--json and --format cannot go together")
    options = {"--strict": strict, "--all": everything, "--json": as_json}
    values = {"--cache": cache, "--patience": patience, "--format": shape}
    return _run(
        "validate",
        *(name for name, wanted in options.items() if wanted),
        *(f"{name}={value}" for name, value in values.items() if value is not None),
        str(folder.absolute()),
    )


@click.command(short_help="Say who gains and who loses between two folders.")
@click.argument("old", type=_FOLDER)
@click.argument("new", type=_FOLDER)
@json_option
def compare(*, old: Path, new: Path, as_json: bool) -> int:
    """Say who gains and who loses between the policies of OLD and those of NEW, with requests that show it.

    Example: aeterna policy compare ./deployed ./policies
    """
    return _run("compare", *(["--json"] if as_json else []), str(old.absolute()), str(new.absolute()))


def _run(*arguments: str) -> int:
    """Run the offline entry with our own streams, and return its exit status."""
    if not _available():
        raise CommandError(
            "the analysis of policies is not installed here", "install the distribution aeterna-policies"
        )
    sys.stdout.flush()
    # The child is in our group: Ctrl-C reaches it too, and it ends by itself.
    with subprocess.Popen([sys.executable, "-P", "-m", MODULE, *arguments]) as child:  # noqa: S603 - our own module
        try:
            status = child.wait()
        except KeyboardInterrupt:
            child.wait()
            return errors.INTERRUPTED
    return status if status >= 0 else errors.FAILED


def _available() -> bool:
    try:
        return importlib.util.find_spec(f"{MODULE}.__main__") is not None
    except ModuleNotFoundError:
        return False
