"""Lock files pin with hashes and name no server, so that they can be reviewed and mirrored."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def locks() -> list[Path]:
    """Return every lock file of the workspace."""
    return sorted([*ROOT.glob("requirements*.lock"), *ROOT.glob("*/*/requirements.lock")])


@pytest.mark.parametrize("lock", locks(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pin_has_a_hash(lock: Path) -> None:
    text = lock.read_text("utf-8").replace("\\\n", " ")

    assert [line for line in text.splitlines() if "==" in line and "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("lock", [*locks(), ROOT / "package-lock.json"], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_lock_names_a_server(lock: Path) -> None:
    """Funding and licence links in npm's lock are no addresses to install from."""
    text = lock.read_text("utf-8")

    assert re.findall(r'"resolved"|--index-url|--find-links|@ https?://', text) == []


def test_the_resolution_with_addresses_is_not_in_git() -> None:
    tracked = subprocess.run(["git", "ls-files", "uv.lock"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert tracked.stdout == ""
