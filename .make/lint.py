"""Run every linter of the workspace and print one line each; the exit status is the number that failed.

usage: python lint.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MEMBERS = sorted(
    path.parent for pattern in ("*/*/pyproject.toml", "stacks/pyproject.toml") for path in ROOT.glob(pattern)
)
# All members share the import name aeterna, which deptry cannot tell apart: tests/architecture checks those.
# uvicorn finds uvloop and httptools by itself; the seam imports the core it chose by name.
DEPTRY = [
    "--known-first-party",
    "aeterna",
    "--per-rule-ignores",
    "DEP002=uvloop|httptools|cdktf|" + "|".join(f"aeterna-{member.name}" for member in MEMBERS),
]


def commands() -> dict[str, list[str]]:
    """Return each linter's name with its command."""
    python = [sys.executable, "-P"]
    checks = {
        "ruff check": [str(BIN / "ruff"), "check", "--quiet", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
        "import-linter": [str(BIN / "lint-imports"), "--no-cache"],
        "pyright": [str(BIN / "pyright")],
        "lock files": [*python, str(ROOT / ".make" / "lock.py"), "--check"],
        "architecture page": [*python, str(ROOT / ".make" / "layers.py"), "--check"],
    }
    for member in MEMBERS:
        checks[f"deptry {member.relative_to(ROOT)}"] = [str(BIN / "deptry"), "--no-ansi", *DEPTRY, "src"]
    return checks


def main() -> int:
    """Run all of them, so that one run shows every complaint."""
    failed = 0
    # pyright runs on node: the wheel's own, so that no other is needed.
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    for name, command in commands().items():
        started = time.monotonic()
        folder = ROOT / name.removeprefix("deptry ") if name.startswith("deptry ") else ROOT
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        verdict = "ok" if done.returncode == 0 else "FAILED"
        print(f"  {name}: {verdict} ({time.monotonic() - started:.1f} s)", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout + done.stderr, flush=True)
    return min(failed, 100)


if __name__ == "__main__":
    sys.exit(main())
