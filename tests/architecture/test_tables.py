"""What the documents repeat of the code is what the code says."""

from __future__ import annotations

import subprocess
import sys

from fixtures.workspace import ROOT


def test_the_tables_of_the_guide_and_the_contracts_schema_match_the_code() -> None:
    """After a change that was meant: ``make tables``."""
    done = subprocess.run(
        [sys.executable, "-P", ROOT / ".make" / "tables.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )

    assert done.returncode == 0, done.stderr
