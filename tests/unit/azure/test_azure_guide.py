"""The guide of the foundation on Azure is true: every test that a trap names exists."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
GUIDE = HERE.parents[2] / "docs" / "guide" / "azure.md"
TRAPS = set(range(1, 21))


def test_every_trap_is_answered() -> None:
    answered = {int(number) for number in re.findall(r"^\| (\d+) \|", GUIDE.read_text(), flags=re.MULTILINE)}

    assert answered == TRAPS


def test_every_test_that_a_trap_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", GUIDE.read_text()))
    written = {
        name
        for path in HERE.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), flags=re.MULTILINE)
    }

    assert named - written == set()
