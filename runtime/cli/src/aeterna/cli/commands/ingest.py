"""`aeterna ingest`: loads documents or an environment into the graph through its public API."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aeterna.cli import output
from aeterna.cli.connection import connect
from aeterna.cli.corpus.distributions import python_environment
from aeterna.cli.corpus.documents import folder_documents, project_documents
from aeterna.cli.corpus.loading import load
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.progress import Progress
from aeterna.cli.settings import CommandSettings

if TYPE_CHECKING:
    from aeterna.cli.corpus.corpus import Corpus
    from aeterna.client import Commit


@click.group(short_help="Load documents or an environment into the graph.")
def ingest() -> None:
    """Load a source into the graph, so that the graph holds what the source holds now.

    What is loaded already makes no new snapshot; what the source no longer holds is removed.
    """


@ingest.command("python-environment")
@json_option
@state_dir_option
def of_environment(*, as_json: bool, state_dir: Path | None) -> None:
    """Load the Python distributions installed beside this command, from their metadata."""
    _ingest(python_environment(), as_json=as_json, state_dir=state_dir)


@ingest.command("docs")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
@state_dir_option
def of_documents(*, folder: Path | None, as_json: bool, state_dir: Path | None) -> None:
    """Load the Markdown files under FOLDER; without it, the project's own documentation."""
    corpus = folder_documents(folder.absolute()) if folder else project_documents(CommandSettings.read(None).project)
    _ingest(corpus, as_json=as_json, state_dir=state_dir)


def _ingest(corpus: Corpus, *, as_json: bool, state_dir: Path | None) -> None:
    progress, step = Progress(), f"loading {corpus.source}"

    def committed(commit: Commit) -> None:
        progress.line(f"  snapshot {commit.snapshot_id}: {commit.nodes} nodes, {commit.edges} edges")

    with connect(state_dir) as aeterna:
        with progress.during(step):
            loaded = load(aeterna, corpus, committed)
        progress.done(step)

    def tell() -> None:
        happened = f"{loaded.snapshots} snapshots" if loaded.snapshots else "loaded already, nothing written"
        click.echo(f"{loaded.root}: {loaded.nodes} nodes, {loaded.edges} edges, {loaded.removed} removed; {happened}")

    output.answer(loaded, as_json=as_json, human=tell)
