"""How long the real engine takes to validate and plan a synthesized stack, with providers that serve its schemas."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from process_cost import say

from fixtures.tofu_build import engine_at, provider_built, tofu_built

if TYPE_CHECKING:
    from collections.abc import Callable


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds it took."""
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 2)


def elements(document: dict[str, Any]) -> int:
    """Return how many resources and data sources a stack has."""
    return sum(len(named) for kind in ("resource", "data") for named in document.get(kind, {}).values())


def largest_planned(out: Path) -> dict[str, object]:
    """Validate and plan the stack with most resources, after applying those whose states it reads."""
    if shutil.which("go") is None:
        return {"skipped": "no go on PATH to build the engine with"}
    documents = {path.parent: json.loads(path.read_text()) for path in sorted(out.glob("stacks/*/cdk.tf.json"))}
    largest = max(documents, key=lambda folder: elements(documents[folder]))
    manifest = json.loads((out / "manifest.json").read_text())["stacks"]
    with tempfile.TemporaryDirectory() as home:
        tofu = engine_at(Path(home), tofu=tofu_built(say), provider=provider_built(say))
        for name in order(largest.name, manifest):
            workspace = tofu.workspace(out / "stacks" / name)
            workspace.init()
            if name != largest.name:
                say(f"applying {name}, which {largest.name} reads")
                workspace.plan()
                workspace.apply()
        workspace = tofu.workspace(largest)
        validate = timed(workspace.problems)
        plan = timed(lambda: workspace.must("plan", "-no-color", "-input=false", "-out=tfplan"))
    return {
        "largest_stack": largest.name,
        "elements": elements(documents[largest]),
        "validate_seconds": validate,
        "plan_seconds": plan,
        "validate_and_plan_seconds": round(validate + plan, 2),
    }


def order(stack: str, manifest: dict[str, Any]) -> list[str]:
    """Return the stack after everything that it depends on."""
    names: list[str] = []
    for needed in manifest[stack]["dependencies"]:
        names += [name for name in order(needed, manifest) if name not in names]
    return [*names, stack]
