"""Runs the tests of the constructs on cdktn, the fork of the CDK's core, with cdktf absent; compares what both write.

usage: python -P tests/synth/lane_cdktn.py [PYTEST ARGUMENT...]

It makes ``.cache/venv-cdktn`` from the workspace's own pins with the fork's in place of the original's.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
VENV = ROOT / ".cache" / "venv-cdktn"
PYTHON = VENV / "bin" / "python"
ORIGINAL = "cdktf"
MEMBERS = ("constructs/*", "stacks", "runtime/*", "sidecars/*")
LEFT_OUT = {
    "cdktf_cdktf_provider": "needs a package that is prebuilt for cdktf",
    "fix_cdktf_cli": "starts the command line, which runs the workspace's own environment",
}
"""What a test's text holds when it has nothing to say about the fork, and why."""
SUITES = (
    "tests/unit/contracts",
    "tests/unit/synth",
    "tests/unit/aws",
    "tests/unit/azure",
    "tests/unit/gcp",
    "tests/unit/rules",
    "tests/unit/stacks",
    "tests/synth",
)


PARALLEL = ("-n", "2", "--dist", "loadfile")
"""These tests share nothing but fixtures of their own file, and none of them measures time."""


def pins(lock: Path) -> dict[str, str]:
    """Return each requirement of a lock file with its hashes, by name; one may have a pin for each Python."""
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock.read_text().strip()):
        name, exact, _ = block.partition("==")
        if exact:
            found[name] = "\n".join(filter(None, (found.get(name), block)))
    return found


def requirements() -> str:
    """Return the pins of the lane: the workspace's without the original, and the fork's."""
    workspace = {name: pin for name, pin in pins(ROOT / "requirements.lock").items() if not name.startswith(ORIGINAL)}
    return "\n".join((workspace | pins(ROOT / "requirements-cdktn.lock")).values()) + "\n"


def prepare() -> None:
    """Make the environment, unless it is the one that the pins describe."""
    wanted = requirements()
    folders = sorted(path.parent for member in MEMBERS for path in ROOT.glob(f"{member}/pyproject.toml"))
    stamp = VENV / "installed"
    # The members are linked, but what they offer as entry points is written down when they are installed.
    declared = [(folder / "pyproject.toml").read_text() for folder in folders]
    digest = hashlib.sha256(f"{wanted}{folders}{declared}".encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    sys.stderr.write(f"preparing {VENV.relative_to(ROOT)}\n")
    subprocess.run([UV, "venv", "--quiet", "--clear", "--python", ROOT / ".venv/bin/python", VENV], check=True)
    with tempfile.TemporaryDirectory() as scratch:
        lock = Path(scratch, "requirements.txt")
        lock.write_text(wanted)
        subprocess.run([UV, "pip", "sync", "--quiet", "--require-hashes", "--python", PYTHON, lock], check=True)
    members = [argument for folder in folders for argument in ("--editable", folder)]
    subprocess.run([UV, "pip", "install", "--quiet", "--no-deps", "--python", PYTHON, *members], check=True)
    stamp.write_text(digest)


def left_out(suites: list[str]) -> list[Path]:
    """Return the tests that say nothing about the fork, and say so."""
    found: list[Path] = []
    for path in (path for suite in suites for path in sorted((ROOT / suite).rglob("test_*.py"))):
        text = path.read_text()
        reasons = [reason for sign, reason in LEFT_OUT.items() if sign in text]
        if reasons:
            sys.stderr.write(f"left out: {path.relative_to(ROOT)} {reasons[0]}\n")
            found.append(path)
    return found


def documents(python: Path) -> dict[str, object]:
    """Synthesize the example stacks with one of the environments, and return them without the engine's metadata."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CDKTF_OUTDIR": folder}
        subprocess.run([python, "-P", "-m", "aeterna.stacks"], cwd=ROOT, env=environment, check=True)
        found = sorted(Path(folder).glob("stacks/*/cdk.tf.json"))
        return {path.parent.name: json.loads(path.read_text(), object_pairs_hook=without_metadata) for path in found}


def without_metadata(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Leave out the engine's comments, where its version stands."""
    return {key: value for key, value in pairs if key != "//"}


def main(arguments: list[str]) -> int:
    """Prepare the lane, make sure that the original is absent, compare what both write, and run the suites."""
    prepare()
    absent = f"import importlib.util as u; raise SystemExit(u.find_spec({ORIGINAL!r}) is not None)"
    if subprocess.run([PYTHON, "-P", "-c", absent], check=False).returncode != 0:
        sys.stderr.write(f"error: {ORIGINAL} is installed in {VENV}; remove the folder and run this again\n")
        return 1
    if documents(PYTHON) != documents(ROOT / ".venv" / "bin" / "python"):
        sys.stderr.write("error: the example stacks differ between the two cores\n")
        return 1
    suites = [suite for suite in SUITES if (ROOT / suite).exists()]
    ignored = [f"--ignore={path}" for path in left_out(suites)]
    command = [PYTHON, "-P", "-m", "pytest", *PARALLEL, *suites, *ignored, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
