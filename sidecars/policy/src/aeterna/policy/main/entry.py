"""The program: serves alone, as the parent of workers or as one of them, or checks a decision log."""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aeterna.policy.adapters.decision_log_check import check_log
from aeterna.policy.adapters.shared_tallies import SharedTallies
from aeterna.policy.main.deciding import NAME, build, build_worker
from aeterna.policy.main.supervising import WORKER, supervise
from aeterna.policy.settings import PolicySettings
from aeterna.service.lifecycle import listen, one_line_refusals, serve, tcp_socket
from aeterna.service.settings import load
from aeterna.service.telemetry import configure

if TYPE_CHECKING:
    from aeterna.policy.api.app import PolicyApp

_VERIFY_LOG: Final = "verify-log"
_COLLECT_AFTER: Final = (50_000, 20, 1000)


def main() -> None:
    """Serve until told to stop; exit with status 1 and one line when that cannot even begin."""
    if sys.argv[1:2] != [WORKER]:
        chosen = _parser().parse_args()
        if chosen.command == _VERIFY_LOG:
            raise SystemExit(verify_log(chosen.folder))
    with one_line_refusals(NAME):
        settings = load(PolicySettings)
        configure(NAME, settings)
        if sys.argv[1:2] == [WORKER]:
            folder, *numbers = sys.argv[2:]
            _serve_worker(settings, Path(folder), *map(int, numbers))
            return
        uds = str(settings.socket) if settings.socket is not None else None
        # Before anything is kept or compiled: whose address is taken has nothing to begin.
        listener = listen(host=settings.host, port=settings.port, uds=uds)
        probes = tcp_socket(settings.health_host, settings.health_port) if settings.health_port is not None else None
        try:
            with tempfile.TemporaryDirectory(prefix=f"{NAME}-") if settings.state is None else nullcontext() as made:
                folder = Path(made) if made is not None else settings.state or Path()
                if settings.workers > 1:
                    asyncio.run(supervise(settings, folder, listener, probes))
                else:
                    _serve(settings, build(settings, folder, probes=probes), listener)
        finally:
            listener.close()
            if probes is not None:
                probes.close()
            if settings.socket is not None:
                settings.socket.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    described = "Decides who may do what, as AETERNA_POLICY_* say; without a command it serves."
    parser = argparse.ArgumentParser(prog="python -m aeterna.policy", description=described)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    check = commands.add_parser(_VERIFY_LOG, help="follow the chains of a decision log; status 1 when one is broken")
    check.add_argument("folder", type=Path, metavar="FOLDER")
    return parser


def _serve_worker(
    settings: PolicySettings,
    folder: Path,
    number: int,
    listening: int,
    tallies: int,
    watched: int,
    probed: int | None = None,
) -> None:
    shared = SharedTallies(tallies, settings.workers)
    probes = socket.socket(fileno=probed) if probed is not None else None
    app = build_worker(settings, folder, shared, number, watched=watched, probes=probes)
    _serve(settings, app, socket.socket(fileno=listening))


def _serve(settings: PolicySettings, app: PolicyApp, listener: socket.socket) -> None:
    # What was made to begin with stays: a collection need not look at it again and make somebody wait. And questions
    # leave no cycles behind, so the collector need not run after every few hundred of them.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    serve(
        app,
        host=settings.host,
        port=settings.port,
        drain_delay=settings.drain_delay,
        drain_timeout=settings.drain_timeout,
        listener=listener,
    )


def verify_log(folder: Path) -> int:
    """Say of each chain of a decision log whether it holds; return 1 when one does not, or there is none."""
    try:
        reports = check_log(folder)
    except OSError as exc:
        sys.stderr.write(f"{NAME}: {exc.filename or folder}: {exc.strerror}\n")
        return 1
    for report in reports:
        state = f"broken: {report.broken}" if report.broken else "holds"
        sys.stdout.write(f"{report.chain}: {report.records} records up to {report.head}: {state}\n")
    if not reports:
        sys.stderr.write(f"{NAME}: {folder}: there is no decision log\n")
    return int(not reports or any(report.broken for report in reports))
