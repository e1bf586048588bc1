"""Synthesizing the example stacks: CPU and memory of all processes, against the prebuilt provider package.

The peer is a program that writes the same resources with ``cdktf-cdktf-provider-aws``, importing one class at a time as
its users do. It is generated from what our example synthesizes, and gets every reference as a ready-made string, which
spares it the work of making them. Both run with the same node.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = ROOT / ".venv" / "bin"
PEER = ROOT / ".cache" / "venv-bench"
LOCK = ROOT / "requirements-bench.lock"
PEER_PACKAGE = "cdktf-cdktf-provider-aws"
OUR_RUNS = 5
PEER_RUNS = 3
SAMPLE_SECONDS = 0.01
PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took, over the whole tree of its processes."""

    wall: float
    cpu: float
    resident: float


def say(text: str) -> None:
    """Report progress."""
    sys.stderr.write(f"  {text}\n")
    sys.stderr.flush()


def tree(root: int) -> list[int]:
    """Return the process and its descendants."""
    found = [root]
    for pid in found:
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        except OSError:  # it ended in the meantime
            continue
        found.extend(int(child) for child in children)
    return found


def resident(pids: list[int]) -> int:
    """Return the bytes that these processes hold in memory together."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        except (OSError, IndexError):  # it ended in the meantime
            continue
    return total


def run(command: list[str], folder: Path) -> Cost:
    """Run a program to its end; fail loudly if it fails."""
    log = folder / "log"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=output, env={**os.environ, "CDKTF_OUTDIR": str(folder / "out")}
        )
    done = threading.Event()
    peak = 0

    def watch() -> None:
        nonlocal peak
        while not done.wait(SAMPLE_SECONDS):
            peak = max(peak, resident(tree(process.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    done.set()
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak / MIB)


def median(costs: list[Cost]) -> Cost:
    """Return the median of each figure."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        statistics.median(cost.resident for cost in costs),
    )


def prepare_peer() -> None:
    """Install the pinned peer into an environment of its own."""
    stamp = PEER / "installed"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    say(f"installing {PEER_PACKAGE} into {PEER.relative_to(ROOT)}")
    uv = str(BIN / "uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", str(BIN / "python"), str(PEER)], check=True)
    install = ["pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "-r", str(LOCK)]
    subprocess.run([uv, *install, "--python", str(PEER / "bin" / "python")], check=True)
    stamp.write_text(digest)


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


def stacks(folder: Path) -> dict[str, dict[str, Any]]:
    """Read what was synthesized, stack by stack."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("out/stacks/*/cdk.tf.json"))}


def addresses(documents: dict[str, dict[str, Any]]) -> set[tuple[str, str, str, str]]:
    """Return every resource and data source of the provider that both write."""
    return {
        (stack, kind, kind_of, name)
        for stack, document in documents.items()
        for kind in ("resource", "data")
        for kind_of, named in document.get(kind, {}).items()
        for name in named
        if kind_of.startswith("aws_")
    }


def measured(name: str, command: list[str], folder: Path, runs: int) -> Cost:
    """Return the median of several runs, after one that fills the caches of files and of the engine."""
    run(command, folder)
    costs: list[Cost] = []
    for turn in range(runs):
        costs.append(run(command, folder))
        say(f"{name} {turn + 1}/{runs}: {costs[-1]}")
    return median(costs)


def main() -> None:
    """Measure both and print one line of JSON."""
    prepare_peer()
    os.environ["JSII_NODE"] = node()
    with tempfile.TemporaryDirectory() as scratch:
        our_folder, peer_folder = Path(scratch, "ours"), Path(scratch, "peer")
        our_folder.mkdir()
        peer_folder.mkdir()
        ours = measured("ours", [str(BIN / "python"), "-P", "-m", "aeterna.stacks"], our_folder, OUR_RUNS)
        documents = stacks(our_folder)
        written = Path(scratch, "documents.json")
        written.write_text(json.dumps(documents))
        say("writing the same resources with the prebuilt classes")
        python, program = str(PEER / "bin" / "python"), str(peer_folder / "program.py")
        writer = Path(__file__).parent / "prebuilt_program.py"
        subprocess.run([python, str(writer), str(written), program], check=True)
        peer = measured("peer", [python, "-P", program], peer_folder, PEER_RUNS)
        same = addresses(documents) == addresses(stacks(peer_folder))
    print(json.dumps(report(ours, peer, len(addresses(documents)), same=same)))  # noqa: T201 - the result


def report(ours: Cost, peer: Cost, resources: int, *, same: bool) -> dict[str, object]:
    """Return the figures and the ratios."""
    return {
        "bench": "synth",
        "peer": PEER_PACKAGE,
        "resources": resources,
        "same_resources": same,
        "cpu_seconds": round(ours.cpu, 2),
        "wall_seconds": round(ours.wall, 2),
        "resident_mib": round(ours.resident),
        "peer_cpu_seconds": round(peer.cpu, 2),
        "peer_wall_seconds": round(peer.wall, 2),
        "peer_resident_mib": round(peer.resident),
        "times_faster_cpu": round(peer.cpu / ours.cpu, 1),
        "times_faster_wall": round(peer.wall / ours.wall, 1),
        "share_of_memory": round(ours.resident / peer.resident, 3),
    }


if __name__ == "__main__":
    main()
