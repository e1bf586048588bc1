"""Resolve the newest versions that the members allow and rewrite every lock file, with hashes and without addresses.

usage: python3 .make/lock.py [--check]

Each lock file opens with a digest of what it was resolved from. ``--check`` writes nothing and asks no server: it fails
when a member's dependencies have changed since.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
EXPORT = ["export", "--quiet", "--no-emit-workspace", "--no-annotate", "--no-header", "--format", "requirements-txt"]
# The groups that get an environment of their own.
APART = ("bench", "cdktn", "plots")
# The services whose containers install from a lock of their own.
SERVICES = ("runtime/api", "runtime/threads", "sidecars/policy")


def exports() -> dict[str, list[str]]:
    """Return each lock file with the arguments of the export that writes it."""
    workspace = ["--all-packages", "--all-groups"]
    locks: dict[str, list[str]] = {}
    for group in APART:
        workspace += ["--no-group", group]
        locks[f"requirements-{group}.lock"] = ["--only-group", group]
    locks["requirements.lock"] = workspace
    for folder in SERVICES:
        locks[f"{folder}/requirements.lock"] = ["--package", f"aeterna-{Path(folder).name}", "--no-default-groups"]
    return locks


def header() -> str:
    """Return the line that ties a lock file to what it was resolved from: every member's dependencies and groups."""
    files = [ROOT / "pyproject.toml", *sorted(ROOT.glob("*/*/pyproject.toml")), ROOT / "stacks" / "pyproject.toml"]
    wanted: list[object] = []
    for file in files:
        configuration = tomllib.loads(file.read_text("utf-8"))
        project = configuration["project"]
        wanted.append([project["name"], project["requires-python"], project["dependencies"]])
        wanted.append([project.get("optional-dependencies"), configuration.get("dependency-groups")])
    digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    return f"# Written by `make lock` from dependencies with the digest {digest[:32]}; do not edit.\n"


def check() -> int:
    """Say which lock files no longer match their dependencies; return how many."""
    stale = [name for name in exports() if not (ROOT / name).read_text("utf-8").startswith(header())]
    for name in stale:
        print(f"error: {name} is older than the dependencies in a pyproject.toml; run: make lock", file=sys.stderr)
    return len(stale)


def write() -> int:
    """Resolve once, then export every file."""
    if not UV.exists():
        print("error: no .venv yet; run: make venv", file=sys.stderr)
        return 1
    subprocess.run([UV, "lock", "--quiet", "--upgrade"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, selection in exports().items():
            fresh = Path(scratch) / "lock"
            subprocess.run([UV, *EXPORT, *selection, "--output-file", fresh], cwd=ROOT, check=True)
            pins = fresh.read_text("utf-8")
            (ROOT / name).write_text(header() + pins)
            print(f"  {name}: {sum(line[:1].isalnum() for line in pins.splitlines())} pins", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(check() if sys.argv[1:] == ["--check"] else write())
