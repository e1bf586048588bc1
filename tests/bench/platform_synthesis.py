"""What synthesizing the whole platform costs, alone, at more tenants, and beside the published bindings."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench_synth import CORES, OUR_RUNS, addresses, against, figures, node, prepare_peer, stacks
from process_cost import measured, run, say

if TYPE_CHECKING:
    from process_cost import Cost

PROGRAM = str(Path(__file__).with_name("platform_stack.py"))
TENANTS = 3
MORE_TENANTS = (30, 300)


def command(folder: Path, tenants: int, guarded: str) -> list[str]:
    """Return the command that synthesizes the platform."""
    return [sys.executable, "-P", PROGRAM, str(folder / "out"), str(tenants), guarded]


def report(scratch: Path) -> dict[str, object]:
    """Measure everything and return the figures."""
    prepare_peer()
    os.environ["JSII_NODE"] = node()
    folder = scratch / "ours"
    folder.mkdir()
    guarded = measured("platform", command(folder, TENANTS, "guarded"), folder, OUR_RUNS)
    mine = measured("platform without guard-rails", command(folder, TENANTS, "unguarded"), folder, OUR_RUNS)
    documents = stacks(folder)
    return {
        "tenants": TENANTS,
        "resources": elements(folder),
        **figures(guarded),
        "without_guard_rails": figures(mine),
        "growth": {f"tenants_{tenants}": grown(scratch, tenants) for tenants in MORE_TENANTS},
        **{core: beside(mine, core, documents, scratch) for core in CORES},
    }


def beside(mine: Cost, core: str, documents: dict[str, dict[str, object]], scratch: Path) -> dict[str, object]:
    """Measure the Kubernetes resources of the platform with the published bindings of one core."""
    folder = scratch / core
    folder.mkdir()
    compared = len(addresses(documents, "kubernetes"))
    return {"resources_compared": compared, **against(mine, core, "kubernetes", documents, folder)}


def grown(scratch: Path, tenants: int) -> dict[str, float]:
    """Measure the platform of many tenants, once."""
    folder = scratch / f"tenants-{tenants}"
    folder.mkdir()
    cost = run(command(folder, tenants, "guarded"), folder)
    found = elements(folder)
    say(f"{tenants} tenants, {found} resources: {cost}")
    return {**figures(cost), "resources": found, "cpu_milliseconds_each": round(1000 * cost.cpu / found, 2)}


def elements(folder: Path) -> int:
    """Return how many resources were synthesized."""
    return sum(len(named) for document in stacks(folder).values() for named in document["resource"].values())
