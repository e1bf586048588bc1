"""Synthesizing the critical foundations of all clouds: cost, growth, and the prebuilt provider packages beside them.

The peer is a program that writes the same resources with the published bindings of the same provider version, importing
one class at a time as its users do. It is generated from what we synthesize, and gets every reference as a ready-made
string, which spares it the work of making them. Both run with the same node. The largest stack is validated and planned
by the real engine with the provider that serves its schema.
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
"""By cloud, its provider, which is also the end of the peer's name: ``cdktn-provider-…``."""
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


def ours(folder: Path, clouds: str, times: int) -> list[str]:
    """Return the command that synthesizes critical foundations."""
    program = str(HERE / "critical_foundations.py")
    return [str(BIN / "python"), "-P", program, str(folder / "out"), clouds, str(times)]


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
    provider = PROVIDERS[cloud]
    our_folder, peer_folder = scratch / f"ours-{cloud}", scratch / f"peer-{cloud}"
    our_folder.mkdir()
    peer_folder.mkdir()
    mine = measured(f"ours, {cloud}", ours(our_folder, cloud, 1), our_folder, OUR_RUNS)
    documents = stacks(our_folder)
    written, program = peer_folder / "documents.json", peer_folder / "program.py"
    written.write_text(json.dumps(documents))
    say(f"writing the same resources of {cloud} with the prebuilt classes")
    python = str(PEER / "bin" / "python")
    subprocess.run([python, str(HERE / "prebuilt_program.py"), provider, str(written), str(program)], check=True)
    environment = {"CDKTF_OUTDIR": str(peer_folder / "out")}
    peer = measured(f"peer, {cloud}", [python, "-P", str(program)], peer_folder, PEER_RUNS, environment)
    expected = addresses(documents, provider)
    return {
        "peer": pinned(f"cdktn-provider-{provider}"),
        "resources": len(expected),
        "same_resources": expected == addresses(stacks(peer_folder), provider),
        **figures(mine),
        **{f"peer_{name}": value for name, value in figures(peer).items()},
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
