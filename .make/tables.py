"""Write what the documents repeat of the code from the code itself: sizes, parity and the contract's JSON Schema.

usage: python tables.py [--check]

``--check`` writes nothing and fails when a document differs from what the code gives.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from aeterna.contracts.foundation import FoundationOutputs
from aeterna.contracts.parity import Capability, Supported
from aeterna.contracts.schema import foundation_schema
from aeterna.contracts.sizes import SIZES, Part, Size, Sizing
from aeterna.platform.sizing import PLATFORM_SIZES
from aeterna.synth.registry import cloud, clouds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aeterna.contracts.parity import Support
    from aeterna.platform.sizing import Scale

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "guide"
SCHEMA = ROOT / "docs" / "contract" / f"foundation-v{FoundationOutputs.version}.schema.json"

WORDS = {
    "zones": "zones",
    "egress": "ways out",
    "private_endpoints": "private ways to the cloud's services",
    "fewest_nodes": "nodes, at least",
    "most_nodes": "nodes, at most",
    "vcpus": "database, virtual CPUs",
    "memory_gib": "database, GiB of memory",
    "storage_gib": "database, GiB of disk, growing to ten times as much",
    "highly_available": "database standby in another zone",
    "point_in_time_days": "database, days of point-in-time recovery",
    "cache_gib": "cache, GiB for data",
    "cache_replicas": "cache, copies",
    "cache_backup_days": "cache, days of snapshots",
    "noncurrent_days": "bucket, days of older versions",
    "log_days": "days of logs",
    "parts": "parts",
    "second_region": "copies in a second region",
    "protected": "protected against deletion",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown."""
    names = list(head)
    lines = [names, ["---"] * len(names), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def sizes() -> str:
    """Return what each size turns on, one row for each setting."""
    rows = [(WORDS[each.name], *(shown(getattr(SIZES[size], each.name)) for size in Size)) for each in fields(Sizing)]
    return table(("what", *(f"`{size.value}`" for size in Size)), rows)


def shown(value: object) -> str:
    """Return a setting as a reader of the table wants it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(part.value for part in Part if part in value) or "none"
    return str(value)


def parity() -> str:
    """Return which cloud has what, and why not where it has not."""
    names = clouds()
    promises = {name: cloud(name).parity for name in names}
    rows = [(each.value, *(promise(promises[name][each]) for name in names)) for each in Capability]
    return table(("capability", *names), rows)


def promise(support: Support) -> str:
    """Return a cloud's answer in one cell."""
    if isinstance(support, Supported):
        return f"yes: {support.note}" if support.note else "yes"
    return f"**no**: {support.reason}"


def platform() -> str:
    """Return how many pods of each part a platform has by size, and how large they are."""
    parts = PLATFORM_SIZES[Size.STANDARD].parts
    rows = [(f"`{part}`", *(scaled(PLATFORM_SIZES[size].parts[part]) for size in Size)) for part in parts]
    return table(("part", *(f"`{size.value}`" for size in Size)), rows)


def scaled(scale: Scale) -> str:
    """Return the pods of a part in one cell."""
    pods = str(scale.fewest) if scale.most == scale.fewest else f"{scale.fewest} to {scale.most}"
    return f"{pods}: {scale.resources.cpu} CPU, {scale.resources.memory}"


PAGES: dict[str, Callable[[], str]] = {"sizes": sizes, "parity": parity, "platform": platform}
"""By page of the guide, what stands between its markers."""


def page(name: str) -> tuple[Path, str]:
    """Return a page and its fresh text."""
    path = GUIDE / f"{name}.md"
    begin, end = f"<!-- {name}: begin (make tables) -->", f"<!-- {name}: end -->"
    before, _, rest = path.read_text("utf-8").partition(begin)
    return path, f"{before}{begin}\n\n{PAGES[name]()}\n\n{end}{rest.partition(end)[2]}"


def main(arguments: list[str]) -> int:
    """Rewrite every document that differs, or name it."""
    fresh = [page(name) for name in PAGES]
    fresh.append((SCHEMA, json.dumps(foundation_schema(), indent=2) + "\n"))
    stale = [(path, text) for path, text in fresh if not path.exists() or path.read_text("utf-8") != text]
    if arguments == ["--check"]:
        for path, _ in stale:
            print(f"error: {path.relative_to(ROOT)} does not match the code; run: make tables", file=sys.stderr)
        return 1 if stale else 0
    for path, text in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
