"""Composes a round over all tenants: what a scheduler starts, and nobody has to ask a tenant for."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Final

from opentelemetry import trace

from aeterna.api.adapters.upkeep_metrics import PrometheusUpkeepObserver
from aeterna.api.main.keeping import upkeep_policy
from aeterna.api.settings import workload_environment
from aeterna.graph.adapters.telemetry import OpenTelemetryCommitObserver
from aeterna.graph.domain.identifiers import tenant_hash
from aeterna.graph.domain.limits import Limits
from aeterna.graph.domain.upkeep import TASKS
from aeterna.graph.main import maintenance_of, open_graphs
from aeterna.graph.usecases.rounds import Rounds
from aeterna.service.metrics import new_registry
from aeterna.service.telemetry import configure_logs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aeterna.api.settings import RoundSettings
    from aeterna.graph.domain.upkeep import Task
    from aeterna.graph.usecases.rounds import Round

# One tenant at a time, whose graph is opened for its tags alone.
_ONE: Final = Limits(open_tenants=1)


def backup(settings: RoundSettings) -> int:
    """Make the backup that is due of every tenant; return the status of the process."""
    return _round("backup", ("backup",), settings)


def maintain(settings: RoundSettings) -> int:
    """Do every task of upkeep for every tenant; return the status of the process."""
    return _round("maintain", TASKS, settings)


def _round(command: str, tasks: Sequence[Task], settings: RoundSettings) -> int:
    # The standard output is the report's alone.
    configure_logs(f"aeterna-api-{command}", "info")
    graphs = open_graphs(
        catalog_uri=settings.catalog_uri,
        warehouse=settings.warehouse,
        power_safe=settings.durability == "power",
        environment=workload_environment(),
        limits=_ONE,
        observer=OpenTelemetryCommitObserver(trace.get_tracer("aeterna.graph")),
    )
    try:
        # Nobody scrapes a job; the observer also writes the log.
        maintenance = maintenance_of(graphs, upkeep_policy(settings), PrometheusUpkeepObserver(new_registry()))
        rounds = Rounds(maintenance, graphs.engine.world, within=settings.round_timeout)
        _stopped_by_a_signal(rounds)
        done = rounds.run(tasks)
    finally:
        graphs.close()
    sys.stdout.write(json.dumps(_report(command, done), sort_keys=True) + "\n")
    return 0 if done.whole else 1


def _stopped_by_a_signal(rounds: Rounds) -> None:
    def stop(_number: int, _frame: object) -> None:
        rounds.stop()

    signal.signal(signal.SIGTERM, stop)


def _report(command: str, done: Round) -> dict[str, object]:
    """Return the report; tenants are named as in every log line, since a job's output is one."""
    return {
        "command": command,
        "tenants": done.tenants,
        "unreached": done.unreached,
        "problems": {tenant_hash(tenant): dict(found) for tenant, found in done.problems.items()},
        "figures": dict(done.figures),
        "seconds": round(done.seconds, 3),
    }
