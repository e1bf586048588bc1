"""Resolve the newest versions that the members allow and rewrite every lock file, with hashes and without addresses.

usage: python3 .make/lock.py [--check]

``--check`` writes nothing and fails when a lock file differs from what the present ``uv.lock`` gives.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
EXPORT = ["export", "--quiet", "--no-emit-workspace", "--no-annotate", "--no-header", "--format", "requirements-txt"]
# The services whose containers install from a lock of their own.
SERVICES = ("runtime/api", "runtime/threads", "sidecars/policy")


def exports() -> dict[str, list[str]]:
    """Return each lock file with the arguments of the export that writes it."""
    locks = {
        "requirements.lock": ["--all-packages", "--all-groups", "--no-group", "bench", "--no-group", "cdktn"],
        "requirements-bench.lock": ["--only-group", "bench"],
        "requirements-cdktn.lock": ["--only-group", "cdktn"],
    }
    for folder in SERVICES:
        locks[f"{folder}/requirements.lock"] = ["--package", f"aeterna-{Path(folder).name}", "--no-default-groups"]
    return locks


def main(arguments: list[str]) -> int:
    """Lock once, export every file."""
    if not UV.exists():
        print("error: no .venv yet; run: make venv", file=sys.stderr)
        return 1
    check = arguments == ["--check"]
    subprocess.run([UV, "lock", "--quiet", *(["--locked"] if check else [])], cwd=ROOT, check=True)
    stale: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, selection in exports().items():
            fresh = Path(scratch) / "lock"
            subprocess.run([UV, *EXPORT, *selection, "--output-file", fresh], cwd=ROOT, check=True)
            target = ROOT / name
            if check and (not target.exists() or target.read_text() != fresh.read_text()):
                stale.append(name)
            elif not check:
                target.write_text(fresh.read_text())
                print(f"  {name}: {sum('==' in line for line in fresh.read_text().splitlines())} pins", file=sys.stderr)
    for name in stale:
        print(f"error: {name} is out of date; run: make lock", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
