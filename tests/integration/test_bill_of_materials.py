"""The bill of materials of an environment, tried on the one that runs this test."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[2]


def bill(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", ".make/sbom.py", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_bill_is_valid_cyclonedx_and_lists_what_is_installed() -> None:
    done = bill(sysconfig.get_path("purelib"), "workspace", "0.1.0")

    assert done.returncode == 0, done.stderr
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(done.stdout) is None
    assert f'"pkg:pypi/pytest@{version("pytest")}"' in done.stdout


def test_a_folder_that_is_not_there_is_an_error() -> None:
    done = bill("/nowhere", "workspace", "0.1.0")

    assert done.returncode == 1
    assert done.stderr == "error: /nowhere is no folder\n"
