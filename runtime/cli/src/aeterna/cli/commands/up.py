"""`aeterna up`: the whole runtime on this machine, with the sample corpus in it."""

from __future__ import annotations

import shlex
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from aeterna.cli import output
from aeterna.cli.connection import local_client
from aeterna.cli.corpus.distributions import ROOT, python_environment
from aeterna.cli.corpus.documents import project_documents
from aeterna.cli.corpus.loading import load
from aeterna.cli.local import synthesis
from aeterna.cli.local.attendance import attend
from aeterna.cli.local.parts import ORDER, TITLES
from aeterna.cli.local.record import PORTS
from aeterna.cli.local.runtime import LocalRuntime
from aeterna.cli.local.state_dir import StateDir
from aeterna.cli.options import json_option, state_dir_option
from aeterna.cli.progress import Progress
from aeterna.cli.settings import CommandSettings, command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aeterna.cli.corpus.loading import Loaded
    from aeterna.cli.local.runtime import Started

HIGHEST_BASE = 65_535 - len(PORTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asks for."""

    base_port: int | None
    synth: bool
    corpus: bool
    patience: float


@click.command(short_help="Start the runtime on this machine and load the sample corpus.")
@click.option("-d", "--detach", is_flag=True, help="Return when everything is ready, instead of staying attached.")
@click.option("--port", type=click.IntRange(1024, HIGHEST_BASE), help="First of the four ports to listen on.")
@click.option("--synth/--no-synth", default=True, help="Synthesize the example stacks into cdktf.out.")
@click.option("--corpus/--no-corpus", default=True, help="Load the sample corpus.")
@click.option("--timeout", type=click.FloatRange(min=1), default=60.0, help="Seconds to wait for all parts.")
@json_option
@state_dir_option
def up(
    *,
    detach: bool,
    port: int | None,
    synth: bool,
    corpus: bool,
    timeout: float,
    as_json: bool,
    state_dir: Path | None,
) -> int:
    """Start the runtime on this machine, load the sample corpus, and print where everything is.

    It stays attached until Ctrl-C, which stops everything; with --detach it returns as soon as all is ready. What
    runs already is left alone, and what has died is started again, so running it twice is harmless.
    """
    settings = CommandSettings.read(state_dir)
    state, progress = StateDir(settings.state_dir), Progress()
    wishes = Wishes(base_port=port, synth=synth, corpus=corpus, patience=timeout)
    began = time.monotonic()
    with state.locked(lambda: progress.line("Waiting for another aeterna command on this folder …")):
        runtime = LocalRuntime(state, settings.environment, progress)
        progress.line(f"Starting Aeterna in {state.root}")
        started, loaded = _start(runtime, state, settings, wishes, progress)
    output.answer(
        _document(runtime, state, started, loaded, time.monotonic() - began),
        as_json=as_json,
        human=lambda: _tell(runtime, state, started, loaded, time.monotonic() - began),
    )
    if detach or not started.parts:
        return 0
    return attend(runtime, state, progress)


def _start(
    runtime: LocalRuntime, state: StateDir, settings: CommandSettings, wishes: Wishes, progress: Progress
) -> tuple[Started, list[Loaded]]:
    """Start the parts, synthesize beside it, and load the corpus; leave nothing behind when any of it fails."""
    stacks = "example stacks"
    with ExitStack() as stack:
        run = None
        if wishes.synth and synthesis.available():
            progress.start(stacks)
            run = stack.enter_context(synthesis.Synthesis(settings.project, settings.environment))
        started = runtime.start(wishes.base_port, wishes.patience)
        try:
            loaded = _load(runtime, state, settings.project, progress) if wishes.corpus else []
            if run is not None:
                run.finish()
                progress.done(stacks, f"synthesized into {settings.project / 'cdktf.out'}")
        except BaseException:
            progress.drop()
            runtime.stop(started.parts)
            raise
    return started, loaded


def _load(runtime: LocalRuntime, state: StateDir, project: Path, progress: Progress) -> list[Loaded]:
    loaded: list[Loaded] = []
    with local_client(state, runtime.record) as aeterna:
        for read in (python_environment, lambda: project_documents(project)):
            corpus = read()
            step = f"corpus {corpus.source}"
            progress.start(step)
            result = load(aeterna, corpus, lambda _: None)
            note = f"{result.nodes} nodes, {result.edges} edges" if result.snapshots else "loaded already"
            progress.done(step, note)
            loaded.append(result)
    return loaded


def _document(
    runtime: LocalRuntime, state: StateDir, started: Started, loaded: list[Loaded], seconds: float
) -> Mapping[str, object]:
    return {
        "urls": {part: runtime.record.url(part) for part in PORTS},
        "token": started.token,
        "token_file": str(state.token),
        "pids": {part: runtime.record.processes[part].pid for part in ORDER},
        "state_dir": str(state.root),
        "started": list(started.parts),
        "seconds": {"total": round(seconds, 3), **{part: round(taken, 3) for part, taken in started.seconds.items()}},
        "corpus": loaded,
    }


def _tell(runtime: LocalRuntime, state: StateDir, started: Started, loaded: list[Loaded], seconds: float) -> None:
    record, token_file = runtime.record, shlex.quote(str(state.token))
    happened = f"is ready after {seconds:.1f} s" if started.parts else "is running already"
    click.echo(f"\n{click.style(f'Aeterna {happened}', bold=True)}")
    for part in PORTS:
        click.echo(f"  {TITLES[part]:<16}{record.url(part)}")
    click.echo(f"  {'token':<16}{started.token}")
    click.echo("\nFor programs and for `aeterna` elsewhere:")
    click.echo(f"  export AETERNA_GRAPH_URL={record.url('graph')} AETERNA_THREADS_URL={record.url('threads')} \\")
    click.echo(f"         AETERNA_POLICIES_URL={record.url('policies')} AETERNA_TOKEN_FILE={token_file}")
    question = f"neighbors?node={quote(ROOT, safe='')}&limit=5" if loaded else "snapshots"
    click.echo("\nOne request to paste:")
    click.echo(f'  curl -sS -H "Authorization: Bearer $(cat {token_file})" \\')
    click.echo(f"       '{record.url('graph')}/api/v1/graph/{question}'")
    _tell_next(loaded)


def _tell_next(loaded: list[Loaded]) -> None:
    aeterna = command()
    click.echo("\nNext, from any other terminal:")
    if loaded:
        click.echo(f"  {aeterna} graph neighbors pypi:httpx --direction in --type requires")
    click.echo(f"  {aeterna} threads append hello 'My first message.'")
    click.echo(f"  {aeterna} down    # stops everything and keeps the data\n")
