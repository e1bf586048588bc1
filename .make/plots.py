"""Draw the ratios of docs/performance/results as bars, one picture a benchmark, in an environment of its own.

usage: python plots.py    (make plots)

Every figure whose dotted name holds one of `WORDS` is a bar on a logarithmic axis; 1 is the peer. A result that holds
figures by one of the sizes (`BY_SIZE`) gets a second picture: each of them against the size.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "performance" / "results"
ENVIRONMENT = ROOT / ".cache" / "venv-plots"
UV = ROOT / ".venv" / "bin" / "uv"
WORDS = ("ratio", "times_faster", "share_of", "over_opa", "over_engine", "over_uncached")
BY_SIZE = ("by_edges", "by_policies")


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


def against_size(result: dict[str, Any], by: str) -> dict[str, list[tuple[float, float]]]:
    """Return for each figure of a result by sizes its pairs of size and value."""
    found: dict[str, list[tuple[float, float]]] = {}
    for size, figures in result.get(by, {}).items():
        for name, value in figures.items():
            if value > 0:
                found.setdefault(name, []).append((float(size), float(value)))
    return found


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


DRAW_AGAINST_SIZE = """
import json, math, sys
import matplotlib
matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "aeterna"
from matplotlib import pyplot
name, figures, target = json.loads(sys.stdin.read())
columns = 3
lines = math.ceil(len(figures) / columns)
figure, places = pyplot.subplots(lines, columns, figsize=(4 * columns, 2.6 * lines), squeeze=False)
for axes in places.flat[len(figures):]:
    axes.remove()
for axes, (label, pairs) in zip(places.flat, figures.items()):
    axes.plot(*zip(*pairs), marker="o", color="#3b6ea5")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_xticks([size for size, _ in pairs], [f"{size:,.0f}" for size, _ in pairs], fontsize=7)
    axes.set_yticks([value for _, value in pairs], [f"{value:.3g}" for _, value in pairs], fontsize=7)
    axes.set_title(label, fontsize=8)
    axes.grid(alpha=0.3)
figure.suptitle(name)
figure.tight_layout()
figure.savefig(target, metadata={"Date": None})
"""


def main() -> int:
    """Draw one picture for each kept result that has ratios."""
    python = prepare()
    for path in sorted(RESULTS.glob("*.json")):
        result = json.loads(path.read_text("utf-8"))["result"]
        pictures = (
            (DRAW, path.stem, ratios(result), path.with_suffix(".svg")),
            *(
                (
                    DRAW_AGAINST_SIZE,
                    f"{path.stem}: each figure against the number of {by.removeprefix('by_')}",
                    against_size(result, by),
                    path.with_name(f"{path.stem}-{by}.svg"),
                )
                for by in BY_SIZE
            ),
        )
        for draw, title, figures, target in pictures:
            if figures:
                request = json.dumps([title, figures, str(target)])
                subprocess.run([python, "-c", draw], input=request, text=True, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
