"""The guide of the platform is true: its program runs as it stands, and every image is said to be pushed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from aeterna.contracts.registry import IMAGES
from fixtures.workspace import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = ROOT / "docs" / "guide"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (GUIDE / page).read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_program_of_the_guide_makes_a_platform_as_it_stands(tmp_path: Path) -> None:
    """In a process of its own: an engine that an earlier test started writes into the folder where it was started."""
    program = tmp_path / "main.py"
    program.write_text(next(block for block in blocks("platform.md", "python") if "app.synth()" in block), "utf-8")
    (tmp_path / "rds-bundle.pem").write_text("-----BEGIN CERTIFICATE-----\n", "utf-8")

    subprocess.run([sys.executable, "-P", str(program)], cwd=tmp_path, check=True)

    written = (tmp_path / "cdktf.out" / "stacks" / "prod-eu-platform" / "cdk.tf.json").read_text("utf-8")
    assert "acme-agents" in written


def test_every_image_of_the_platform_is_built_and_pushed_under_its_name_by_the_guide() -> None:
    told = dict(re.findall(r"^\$ put ([a-z-]+) (\S+)", "".join(blocks("containers.md", "console")), re.MULTILINE))

    assert set(told) == set(IMAGES)
    assert set(told.values()) == {str(path.relative_to(ROOT)) for path in ROOT.glob("*/*/Containerfile")}
