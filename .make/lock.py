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
# The tools that want older libraries than the workspace has: each is resolved by itself, from requirements-TOOL.in.
ALONE = ("checkov", "opal", "spark")
COMPILE = ["pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-annotate", "--no-header"]
# The services whose containers install from a lock of their own.
SERVICES = (
    *("runtime/api", "runtime/threads", "runtime/policies"),
    *("sidecars/policy", "sidecars/injector", "sidecars/secrets", "sidecars/relay"),
)


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
    return line(json.dumps(wanted, sort_keys=True))


def line(wanted: str) -> str:
    """Return the first line of a lock file that was resolved from this."""
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    return f"# Written by `make lock` from dependencies with the digest {digest[:32]}; do not edit.\n"


def headers() -> dict[str, str]:
    """Return the first line that each lock file has to have."""
    shared = dict.fromkeys(exports(), header())
    return shared | {f"requirements-{tool}.lock": line(wishes(tool).read_text("utf-8")) for tool in ALONE}


def wishes(tool: str) -> Path:
    """Return what a tool that is resolved by itself is resolved from."""
    return ROOT / f"requirements-{tool}.in"


def check() -> int:
    """Say which lock files no longer match their dependencies; return how many."""
    stale = [name for name, first in headers().items() if not (ROOT / name).read_text("utf-8").startswith(first)]
    for name in stale:
        print(f"error: {name} is older than the dependencies in a pyproject.toml; run: make lock", file=sys.stderr)
    return len(stale)


def write() -> int:
    """Resolve the workspace once and export every file of it, then resolve what stands alone."""
    if not UV.exists():
        print("error: no .venv yet; run: make venv", file=sys.stderr)
        return 1
    subprocess.run([UV, "lock", "--quiet", "--upgrade"], cwd=ROOT, check=True)
    for name, selection in exports().items():
        keep(name, header(), [*EXPORT, *selection])
    for tool in ALONE:
        write_alone(tool)
    return 0


def write_alone(tool: str) -> None:
    """Resolve one tool by itself, for the oldest Python that we run on."""
    floor = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"].strip(">=")
    asked = wishes(tool)
    keep(f"requirements-{tool}.lock", line(asked.read_text("utf-8")), [*COMPILE, "--python-version", floor, str(asked)])


def keep(name: str, first: str, command: list[str]) -> None:
    """Write the lock file that uv makes of the command, under its first line."""
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "lock"
        subprocess.run([UV, *command, "--output-file", fresh], cwd=ROOT, check=True)
        pins = fresh.read_text("utf-8")
    (ROOT / name).write_text(first + pins)
    print(f"  {name}: {sum(pin[:1].isalnum() for pin in pins.splitlines())} pins", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(check() if sys.argv[1:] == ["--check"] else write())
