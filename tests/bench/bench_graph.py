"""How fast the graph commits, loads, walks and answers, each beside a named peer in the same run, at several sizes.

Progress goes to stderr; the last line on stdout is one JSON object. Names that say "faster" or "per_s" hold how many
times better we are than the peer; those that say "over" hold how many times the peer's cost we pay.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import graph_commits
import graph_service
import graph_states
from graph_measures import Figures, Shape, rounded, say

SHAPES: Final = (Shape(nodes=40_000, edges=200_000), Shape(nodes=200_000, edges=1_000_000))
LARGEST: Final = Shape(nodes=1_000_000, edges=5_000_000)


def main() -> None:
    """Measure everything in a temporary folder; sizes may be named by their edges."""
    wanted = [int(argument) for argument in sys.argv[1:]]
    shapes = [shape for shape in (*SHAPES, LARGEST) if not wanted or shape.edges in wanted]
    by_edges: dict[str, Figures] = {}
    commits: Figures = {}
    for shape in shapes:
        say(f"== {shape.nodes} nodes, {shape.edges} edges")
        folder = Path(tempfile.mkdtemp(prefix="bench-graph-"))
        try:
            figures = graph_states.measured(folder, shape)
            figures |= graph_service.measured(folder)
        finally:
            shutil.rmtree(folder)
        by_edges[str(shape.edges)] = rounded(figures)
    if not wanted:
        folder = Path(tempfile.mkdtemp(prefix="bench-graph-"))
        try:
            commits = graph_commits.measured(folder)
        finally:
            shutil.rmtree(folder)
    sys.stdout.write(json.dumps({"commits": rounded(commits), "by_edges": by_edges}) + "\n")


if __name__ == "__main__":
    main()
