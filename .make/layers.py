"""Draw the layers of docs/architecture.md from the linter's own configuration, so that the page cannot be wrong.

usage: python layers.py [--check]

``--check`` writes nothing and fails when the page differs from what the configuration gives.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- layers: begin (make diagram) -->", "<!-- layers: end -->"


def layers_of(contract: dict[str, Any]) -> str:
    """Return one contract as a Mermaid flowchart: each layer may import those below it."""
    lines = ["```mermaid", "flowchart TD"]
    previous: str | None = None
    for number, layer in enumerate(contract["layers"]):
        label = layer.replace("(", "").replace(")", "").replace("__main__", "#95;#95;main#95;#95;")
        lines.append(f'    {contract["id"]}{number}["{label}"]')
        if previous is not None:
            lines.append(f"    {previous} --> {contract['id']}{number}")
        previous = f"{contract['id']}{number}"
    return "\n".join([*lines, "```"])


def drawn(configuration: dict[str, Any]) -> str:
    """Return the whole generated part of the page."""
    parts = [BEGIN, ""]
    for contract in configuration["contracts"]:
        parts.append(f"**{contract['name']}.**")
        parts.append("")
        if contract["type"] == "layers":
            if "containers" in contract:
                parts += [f"In {', '.join(f'`{name}`' for name in contract['containers'])}:", ""]
            parts += [layers_of(contract), ""]
        else:
            sources = ", ".join(f"`{name}`" for name in contract["source_modules"])
            forbidden = ", ".join(f"`{name}`" for name in contract["forbidden_modules"])
            parts += [f"{sources} never import {forbidden}.", ""]
    return "\n".join([*parts, END])


def main(arguments: list[str]) -> int:
    """Rewrite the part between the markers, or compare it."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    fresh = before + drawn(configuration) + after
    if fresh == page:
        return 0
    if arguments == ["--check"]:
        print("error: docs/architecture.md does not match the linter's layers; run: make diagram", file=sys.stderr)
        return 1
    PAGE.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
