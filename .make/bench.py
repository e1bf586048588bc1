"""Run benchmarks, keep their last lines with the versions they ran on, and rewrite the tables of docs/performance.

usage: python bench.py [--keep] [NAME...]
       python bench.py --page    (only rewrite the page, as after new plots)

Each ``tests/bench/bench_NAME.py`` prints progress on standard error and one JSON object as its last line. Without
``--keep`` nothing is written: the objects are printed, one a line.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "docs" / "performance" / "results"
PAGE = ROOT / "docs" / "performance" / "README.md"
BEGIN, END = "<!-- results: begin (make bench-keep) -->", "<!-- results: end -->"
VERSIONS = (
    "cdktf",
    "jsii",
    "a2a-sdk",
    "pyiceberg",
    "duckdb",
    "pyarrow",
    "cedarpy",
    "fastapi",
    "uvicorn",
    "psycopg",
    "numpy",
)


def known() -> list[str]:
    """Return the names of all benchmarks."""
    return sorted(path.stem.removeprefix("bench_") for path in (ROOT / "tests" / "bench").glob("bench_*.py"))


def measured(name: str) -> dict[str, Any]:
    """Run one benchmark and return its last line as an object."""
    script = ROOT / "tests" / "bench" / f"bench_{name}.py"
    # A benchmark may be of several modules, and shares the fixtures of the tests.
    path = os.pathsep.join((str(script.parent), str(script.parent.parent)))
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-P", script]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def conditions() -> dict[str, Any]:
    """Return what a reader needs to judge a figure."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {name: metadata.version(name) for name in VERSIONS},
    }


def rows(value: object, path: str = "") -> list[tuple[str, str]]:
    """Return an object's figures flat, as pairs of a dotted name and a number or text."""
    if isinstance(value, dict):
        items: dict[str, object] = value  # pyright: ignore[reportUnknownVariableType] - json gives str keys
        return [row for key, inner in items.items() for row in rows(inner, f"{path}.{key}" if path else str(key))]
    if isinstance(value, float):
        return [(path, f"{value:,.4g}")]
    return [(path, json.dumps(value) if not isinstance(value, str) else value)]


def page() -> str:
    """Return the generated part of the page: a table for each kept result."""
    parts = [BEGIN, ""]
    for path in sorted(KEPT.glob("*.json")):
        kept = json.loads(path.read_text("utf-8"))
        versions = ", ".join(f"{name} {version}" for name, version in kept["conditions"]["versions"].items())
        parts += [
            f"## {path.stem}",
            "",
            f"Measured {kept['conditions']['date']}, Python {kept['conditions']['python']}, ",
        ]
        parts[-1] += f"{kept['conditions']['system']}; {versions}. Repeat: `make bench-{path.stem}`."
        parts += ["", "| figure | value |", "|---|---|"]
        parts += [f"| {name} | {value} |" for name, value in rows(kept["result"])]
        if path.with_suffix(".svg").exists():
            parts += ["", f"![ratios of {path.stem}](results/{path.stem}.svg)"]
        for picture in sorted(KEPT.glob(f"{path.stem}-by_*.svg")):
            parts += ["", f"![figures of {path.stem} against size](results/{picture.name})"]
        parts.append("")
    return "\n".join([*parts, END])


def keep(name: str, result: dict[str, Any]) -> None:
    """Write one result."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps({"conditions": conditions(), "result": result}, indent=2) + "\n")


def rewrite() -> None:
    """Rewrite the page from all kept results and their plots."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    PAGE.write_text(before + page() + rest.partition(END)[2])


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, or all of them."""
    if arguments == ["--page"]:
        rewrite()
        return 0
    names = [argument for argument in arguments if not argument.startswith("-")] or known()
    unknown = sorted(set(names) - set(known()))
    if unknown:
        print(f"error: no benchmark {', '.join(unknown)}; there are {', '.join(known())}", file=sys.stderr)
        return 2
    for name in names:
        print(f"== {name}", file=sys.stderr, flush=True)
        result = measured(name)
        if "--keep" in arguments:
            keep(name, result)
            rewrite()
        print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
