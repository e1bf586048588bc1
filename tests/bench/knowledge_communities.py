"""What finding communities costs: of a million edges, beside other libraries, and again after a change."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from bench_synth import PEER, pinned, prepare_peer
from knowledge_graphs import CHANGES, GRAPHS
from process_cost import say

if TYPE_CHECKING:
    from knowledge_steps import Edges, Ints

HERE: Final = Path(__file__).parent
PEERS: Final = {"graspologic": "graspologic-native", "networkit": "networkit"}
RUNS: Final = 3
CHANGED: Final = 0.01


def report(scratch: Path) -> dict[str, object]:
    """Measure everything and return the figures."""
    prepare_peer()
    return {"peers": [pinned(name) for name in PEERS.values()], **{name: beside(name, scratch) for name in GRAPHS}}


def beside(name: str, scratch: Path) -> dict[str, object]:
    """Measure one graph with every library."""
    graph = GRAPHS[name]()
    path = stored(graph, scratch / f"{name}.npz")
    say(f"{name}: {graph[0]} nodes, {len(graph[1])} edges")
    ours = detected("ours", path, graph, scratch)
    result: dict[str, object] = {"nodes": graph[0], "edges": len(graph[1]), "ours": ours}
    for peer in PEERS:
        theirs = detected(peer, path, graph, scratch)
        result[peer] = theirs
        result[f"against_{peer}"] = {
            "times_faster_from_arrays_to_arrays": round(whole(theirs) / whole(ours), 2),
            "times_faster_call_alone": round(theirs["run"]["cpu_seconds"] / ours["run"]["cpu_seconds"], 2),
            "memory": round(ours["mib"] / theirs["mib"], 2),
            "modularity": round(ours["modularity"] - theirs["modularity"], 5),
        }
    result["after_a_change"] = {
        change: once("ours", path, scratch, stored(make(graph, CHANGED), scratch / f"{name}-{change}.npz"))[0]["change"]
        for change, make in CHANGES.items()
    }
    return result


def whole(told: dict[str, Any]) -> float:
    """Return the processor seconds from arrays to arrays: what a shared machine disturbs least."""
    return sum(told[step]["cpu_seconds"] for step in ("give", "run", "take") if step in told)


def detected(library: str, path: Path, graph: Edges, scratch: Path) -> dict[str, Any]:
    """Return the run of a library that took the median time, and the modularity of what it found."""
    runs = [once(library, path, scratch) for _ in range(RUNS)]
    median = statistics.median_low(whole(told) for told, _ in runs)
    told, community = next(run for run in runs if whole(run[0]) == median)
    return {**told, "modularity": round(modularity(graph, community), 5)}


def once(library: str, path: Path, scratch: Path, later: Path | None = None) -> tuple[dict[str, Any], Ints]:
    """Run a library once, in its own process."""
    community = scratch / "community.npy"
    if library == "ours":
        program = [sys.executable, "-P", str(HERE / "knowledge_detection.py")]
    else:
        program = [str(PEER / "bin" / "python"), "-P", str(HERE / "knowledge_peers.py"), library]
    command = [*program, str(path), str(community), *([] if later is None else [str(later)])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    say(f"{library}: {told}")
    return told, np.load(community)


def stored(graph: Edges, path: Path) -> Path:
    """Write a graph where programs read it."""
    nodes, source, target, weight = graph
    np.savez(path, nodes=nodes, source=source, target=target, weight=weight)
    return path


def modularity(graph: Edges, community: Ints) -> float:
    """Return the modularity of a partition, the same for every library."""
    nodes, source, target, weight = graph
    strength = np.bincount(source, weight, nodes) + np.bincount(target, weight, nodes)
    total = strength.sum()
    shares = np.bincount(community, strength) / total
    within = weight[community[source] == community[target]].sum()
    return float(2 * within / total - shares @ shares)
