"""Holds the Go program to Go's own standards: its tests, its formatter and its vet."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("go")

PROGRAM = Path(__file__).parent / "schemaprovider"


@pytest.mark.parametrize(
    "command", [["gofmt", "-l", "."], ["go", "vet", "./..."], ["go", "test", "./..."]], ids=" ".join
)
def test_the_schema_provider_passes(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PROGRAM, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert command[0] != "gofmt" or not done.stdout, f"not formatted: {done.stdout}"


def test_the_module_files_are_complete() -> None:
    """`go mod tidy` would change nothing, so a clean machine resolves what we resolved."""
    done = subprocess.run(["go", "mod", "tidy", "-diff"], cwd=PROGRAM, capture_output=True, text=True, check=False)

    assert done.stdout == ""
