"""Synthesizing the critical foundations of all clouds: cost, growth, and the prebuilt provider packages beside them.

The peers are programs that write the same resources with published bindings, importing one class at a time as their
users do: those of cdktf, and those of its fork, which are of the same provider version as ours. They are generated from
what we synthesize, and get every reference as a ready-made string, which spares them the work of making it. Beside them
our stacks are synthesized without guard-rails, since none look at theirs; all other figures are with them. All run with
the same node. The largest stack is validated and planned by the real engine with the provider that serves its schema.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from engine_time import largest_planned
from process_cost import Cost, measured, run, say

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
BIN = ROOT / ".venv" / "bin"
PEER = ROOT / ".cache" / "venv-bench"
LOCK = ROOT / "requirements-bench.lock"
PROVIDERS = {"aws": "aws", "azure": "azurerm", "gcp": "google"}
"""By cloud, its provider, which is also the end of its packages' names."""
CORES = {"cdktf": "cdktf-cdktf-provider", "cdktn": "cdktn-provider"}
"""By the CDK's core, how the names of its published bindings begin."""
OUR_RUNS = 5
PEER_RUNS = 2
TIMES = (1, 5, 25)


def prepare_peer() -> None:
    """Install the pinned peers into an environment of their own."""
    stamp = PEER / "installed"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    say(f"installing the prebuilt packages into {PEER.relative_to(ROOT)}")
    uv = str(BIN / "uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", str(BIN / "python"), str(PEER)], check=True)
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "-r", str(LOCK)]
    subprocess.run([uv, *install, "--python", str(PEER / "bin" / "python")], check=True)
    stamp.write_text(digest)


def pinned(name: str) -> str:
    """Return the peer with the version that its lock has."""
    return next(line.split()[0] for line in LOCK.read_text().splitlines() if line.startswith(f"{name}=="))


def node() -> str:
    """Return the node that our bindings choose, for the peer as well."""
    command = "from aeterna.synth._node import find_node as f; from aeterna.synth.settings import EngineSettings as S; "
    done = subprocess.run(
        [str(BIN / "python"), "-P", "-c", f"{command}print(f(S.from_environment()))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def ours(folder: Path, clouds: str, times: int = 1, *options: str) -> list[str]:
    """Return the command that synthesizes critical foundations."""
    program = str(HERE / "critical_foundations.py")
    return [str(BIN / "python"), "-P", program, str(folder / "out"), clouds, str(times), *options]


def stacks(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what was synthesized, stack by stack."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("out/stacks/*/cdk.tf.json"))}


def addresses(documents: dict[str, dict[str, Any]], provider: str) -> set[tuple[str, str, str, str]]:
    """Return every resource and data source of the provider."""
    return {
        (stack, kind, kind_of, name)
        for stack, document in documents.items()
        for kind in ("resource", "data")
        for kind_of, named in document.get(kind, {}).items()
        for name in named
        if kind_of.startswith(f"{provider}_")
    }


def beside_prebuilt(cloud: str, scratch: Path) -> dict[str, object]:
    """Measure one cloud's critical foundation with our bindings and with the published ones."""
    folder = scratch / f"ours-{cloud}"
    folder.mkdir()
    guarded = measured(f"ours, {cloud}", ours(folder, cloud), folder, OUR_RUNS)
    mine = measured(f"ours without guard-rails, {cloud}", ours(folder, cloud, 1, "unguarded"), folder, OUR_RUNS)
    documents = stacks(folder)
    result: dict[str, object] = {
        "resources": len(addresses(documents, PROVIDERS[cloud])),
        **figures(guarded),
        "without_guard_rails": figures(mine),
    }
    for core in CORES:
        peer_folder = scratch / f"{core}-{cloud}"
        peer_folder.mkdir()
        result[core] = against(mine, core, PROVIDERS[cloud], documents, peer_folder)
    return result


def against(
    mine: Cost, core: str, provider: str, documents: dict[str, dict[str, Any]], folder: Path
) -> dict[str, object]:
    """Measure the same resources with the published bindings of one core."""
    name = f"{CORES[core]}-{provider}"
    written, program = folder / "documents.json", folder / "program.py"
    written.write_text(json.dumps(documents))
    say(f"writing the same resources with {name}")
    python = str(PEER / "bin" / "python")
    writer = str(HERE / "prebuilt_program.py")
    subprocess.run([python, writer, core, provider, str(written), str(program)], check=True)
    peer = measured(name, [python, "-P", str(program)], folder, PEER_RUNS, {"CDKTF_OUTDIR": str(folder / "out")})
    return {
        "peer": pinned(name),
        "resources_missing_in_peer": len(addresses(documents, provider) - addresses(stacks(folder), provider)),
        **figures(peer),
        "times_faster_cpu": round(peer.cpu / mine.cpu, 1),
        "times_faster_wall": round(peer.wall / mine.wall, 1),
        "share_of_memory": round(mine.resident / peer.resident, 3),
    }


def figures(cost: Cost) -> dict[str, float]:
    """Return a cost as it stands in the result."""
    return {
        "cpu_seconds": round(cost.cpu, 2),
        "wall_seconds": round(cost.wall, 2),
        "resident_mib": round(cost.resident),
    }


def growth(scratch: Path) -> dict[str, object]:
    """Measure all three clouds in one synthesis, once, five times and twenty-five times over."""
    grown: dict[str, object] = {}
    for times in TIMES:
        folder = scratch / f"all-{times}"
        folder.mkdir()
        command = ours(folder, ",".join(PROVIDERS), times)
        cost = measured("all", command, folder, OUR_RUNS) if times == 1 else run(command, folder)
        say(f"all clouds, {times} times: {cost}")
        documents = stacks(folder).values()
        elements = sum(
            len(named)
            for document in documents
            for kind in ("resource", "data")
            for named in document.get(kind, {}).values()
        )
        grown[f"times_{times}"] = {
            **figures(cost),
            "stacks": len(documents),
            "elements": elements,
            "cpu_milliseconds_each": round(1000 * cost.cpu / elements, 2),
        }
    return grown


def main() -> None:
    """Measure everything and print one line of JSON."""
    prepare_peer()
    os.environ["JSII_NODE"] = node()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        result = {
            "bench": "synth",
            "all_clouds": growth(scratch),
            "beside_prebuilt": {cloud: beside_prebuilt(cloud, scratch) for cloud in PROVIDERS},
            "engine": largest_planned(scratch / "all-1" / "out"),
        }
    print(json.dumps(result))  # noqa: T201 - the result


if __name__ == "__main__":
    main()
