"""The guides of the foundation are true: every block of code runs, and every test that a trap names exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
TRAPS = {"aws": 19, "azure": 20, "gcp": 18}
"""By cloud, how many traps there are, each of which has a row on the cloud's page."""

BLOCKS = [
    (page, block)
    for page in ("stacks", *TRAPS)
    for block in re.findall(
        r"^```python\n(.*?)^```", (GUIDE / f"{page}.md").read_text(), flags=re.DOTALL | re.MULTILINE
    )
]


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=[f"{page}-{place}" for place, (page, _) in enumerate(BLOCKS)])
def test_a_block_of_the_guide_synthesizes_as_it_stands(page: str, block: str, tmp_path: Path) -> None:
    program = tmp_path / "main.py"
    program.write_text(block)

    done = subprocess.run([sys.executable, "-P", program], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("cdktf.out/stacks/*/cdk.tf.json"))


@pytest.mark.parametrize("cloud", TRAPS)
def test_every_trap_of_a_cloud_is_answered(cloud: str) -> None:
    page = (GUIDE / f"{cloud}.md").read_text()

    answered = [int(number) for number in re.findall(r"^\| (\d+) \|", page, flags=re.MULTILINE)]

    assert answered == list(range(1, TRAPS[cloud] + 1))


@pytest.mark.parametrize("cloud", TRAPS)
def test_every_test_that_a_trap_names_exists(cloud: str) -> None:
    named = set(re.findall(r"`(test_\w+)`", (GUIDE / f"{cloud}.md").read_text()))
    sources = [
        path.read_text()
        for folder in (f"unit/{cloud}", "unit/contracts", "synth", "tofu")
        for path in (ROOT / "tests" / folder).glob("test_*.py")
    ]
    written = {name for source in sources for name in re.findall(r"^def (test_\w+)", source, flags=re.MULTILINE)}

    assert named - written == set()
    assert len(named) > TRAPS[cloud]
