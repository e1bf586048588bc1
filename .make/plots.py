"""Draw the ratios of docs/performance/results as bars, one picture a benchmark, in an environment of its own.

usage: python plots.py    (make plots)

Every figure whose dotted name holds one of `WORDS` is a bar on a logarithmic axis; 1 is the peer.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "performance" / "results"
ENVIRONMENT = ROOT / ".cache" / "venv-plots"
UV = ROOT / ".venv" / "bin" / "uv"
WORDS = ("ratio", "times_faster", "share_of", "peer_over")


def ratios(value: object, path: str = "") -> dict[str, float]:
    """Return every ratio in a result by its dotted name."""
    if isinstance(value, dict):
        items: dict[str, object] = value  # pyright: ignore[reportUnknownVariableType] - json gives str keys
        found: dict[str, float] = {}
        for key, inner in items.items():
            found |= ratios(inner, f"{path}.{key}" if path else key)
        return found
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and any(word in path for word in WORDS)
        and value > 0
    ):
        return {path: float(value)}
    return {}


def prepare() -> Path:
    """Make the environment from its lock and return its Python."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, ENVIRONMENT], check=True)
    lock = ROOT / "requirements-plots.lock"
    subprocess.run([UV, "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock], check=True)
    return python


DRAW = """
import json, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "aeterna"
from matplotlib import pyplot
name, figures, target = json.loads(sys.stdin.read())
labels, values = list(figures), list(figures.values())
figure, axes = pyplot.subplots(figsize=(9, 0.6 + 0.45 * len(values)))
bars = axes.barh(labels, [value - 1 for value in values], left=1, color="#3b6ea5", log=False)
axes.set_xscale("log")
axes.axvline(1, color="black", linewidth=0.8)
axes.bar_label(bars, [f"{value:.3g}" for value in values], padding=4)
axes.margins(x=0.15)
axes.set_title(f"{name}: ratio to the peer (1 = the peer)")
axes.invert_yaxis()
figure.tight_layout()
figure.savefig(target, metadata={"Date": None})
"""


def main() -> int:
    """Draw one picture for each kept result that has ratios."""
    python = prepare()
    for path in sorted(RESULTS.glob("*.json")):
        figures = ratios(json.loads(path.read_text("utf-8"))["result"])
        if figures:
            target = path.with_suffix(".svg")
            request = json.dumps([path.stem, figures, str(target)])
            subprocess.run([python, "-c", DRAW], input=request, text=True, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
