"""`make` on a machine that cannot run Aeterna says why and what to do, before it changes anything."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return what the bootstrap needs of a checkout, without an environment."""
    (tmp_path / ".make").mkdir()
    shutil.copy(ROOT / ".make" / "bootstrap.py", tmp_path / ".make")
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    return tmp_path


def bootstrap(checkout: Path, before: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a Python that was made to lack something."""
    script = checkout / ".make" / "bootstrap.py"
    run = f"sys.argv = ['bootstrap']; runpy.run_path({str(script)!r}, run_name='__main__')"
    program = f"import runpy, sys; {before}; {run}"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_an_old_python_is_refused_with_the_command_that_mends_it(checkout: Path) -> None:
    outcome = bootstrap(checkout, "sys.version_info = (3, 9, 18, 'final', 0)")

    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: Aeterna needs Python 3.11 or newer; ")
    assert "make PYTHON=" in outcome.stderr


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_module_is_named_with_the_package_that_has_it(checkout: Path, module: str) -> None:
    """Debian keeps both in a package of their own."""
    outcome = bootstrap(checkout, f"sys.modules[{module!r}] = None")

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert outcome.returncode == 1
    assert f"has no module {module!r}. On Debian or Ubuntu run: apt-get install python{version}-venv" in outcome.stderr


def test_a_refused_start_leaves_nothing_behind(checkout: Path) -> None:
    bootstrap(checkout, "sys.modules['ensurepip'] = None")

    assert not (checkout / ".venv").exists()


def test_a_machine_without_python_is_told_so(checkout: Path) -> None:
    outcome = subprocess.run(
        ["make", "PYTHON=no-such-python", "up"], cwd=checkout, capture_output=True, text=True, check=False
    )

    assert outcome.returncode == 2
    assert "error: no no-such-python on PATH. Install Python 3.11 or newer" in outcome.stderr
