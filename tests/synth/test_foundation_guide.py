"""The guides of the foundation are true: every block of code runs, and every test that a trap names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STACKS = (ROOT / "docs" / "guide" / "stacks.md").read_text()
AWS = (ROOT / "docs" / "guide" / "aws.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", STACKS, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=[f"block {number}" for number in range(1, len(BLOCKS) + 1)])
def test_a_block_of_the_guide_synthesizes_as_it_stands(block: str, tmp_path: Path) -> None:
    program = tmp_path / "main.py"
    program.write_text(block)

    done = subprocess.run([sys.executable, "-P", program], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("cdktf.out/stacks/*/cdk.tf.json"))


def test_every_trap_of_aws_is_answered() -> None:
    answered = [int(number) for number in re.findall(r"^\| (\d+) \|", AWS, flags=re.MULTILINE)]

    assert answered == list(range(1, 20))


def test_every_test_that_a_trap_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", AWS))
    sources = [
        path.read_text() for folder in ("unit/aws", "synth") for path in (ROOT / "tests" / folder).glob("test_*.py")
    ]
    written = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, flags=re.MULTILINE)}

    assert named - written == set()
    assert len(named) > 25
